import { type Entry, type LocalFileHeader, parseExtraFields } from 'yauzl';

/** Bits of the general purpose flag (APPNOTE 4.4.4). */
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
const DESCRIPTOR = 0x0008;
const PATCH = 0x0020;
const UTF8 = 0x0800;

const METHODS: Readonly<Record<number, string>> = {
  1: 'Shrink',
  6: 'Implode',
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'xz',
  98: 'PPMd',
  99: 'AES',
};

const TYPES: Readonly<Record<number, string>> = {
  0o010000: 'a pipe',
  0o020000: 'a device',
  0o060000: 'a device',
  0o120000: 'a symbolic link',
  0o140000: 'a socket',
};
const FILE = 0o100000;
const FOLDER = 0o040000;
const LIES = 'is told of in two ways that differ; pack the model again';

/** Why this entry of the central directory is refused by itself, to go on after "The entry …". */
export function wrongEntry(entry: Entry): string | undefined {
  const { generalPurposeBitFlag: flags, compressionMethod: method } = entry;
  if ((flags & ENCRYPTED) !== 0 || method === 99) return 'is encrypted; pack it without a password';
  if ((flags & PATCH) !== 0 || (method !== 0 && method !== 8))
    return `is compressed by ${METHODS[method] ?? `method ${method}`}; pack it with Deflate or stored`;
  if (method === 0 && entry.compressedSize !== entry.uncompressedSize) return LIES;
  return wrongType(entry) ?? wrongUnicodeName(entry);
}

function wrongType({
  externalFileAttributes,
  fileNameRaw,
  uncompressedSize,
  compressedSize,
}: Entry): string | undefined {
  const type = (externalFileAttributes >>> 16) & 0o170000;
  const named = fileNameRaw.at(-1) === 0x2f;
  if (type !== 0 && type !== FILE && type !== FOLDER)
    return `is ${TYPES[type] ?? 'of an unknown type'}; pack the files themselves`;
  // 0x10: the folder bit of MS-DOS.
  const folder = type === FOLDER || (externalFileAttributes & 0x10) !== 0;
  if (folder !== named && (folder || type === FILE)) return LIES;
  // Java deflates the nothing of a folder into two bytes.
  if (named && (uncompressedSize > 0 || compressedSize > 2))
    return 'is a folder that has bytes of its own; pack the model again';
  return undefined;
}

/** Info-ZIP's second name (0x7075): a reader that knows it would write another file than one that does not. */
function wrongUnicodeName({ extraFields, fileNameRaw }: Entry): string | undefined {
  const field = extraFields.find(({ id }) => id === 0x7075);
  return field === undefined || field.data.subarray(5).equals(fileNameRaw) ? undefined : LIES;
}

/** Why the header before the data is refused: it must say what the central directory says. */
export function wrongLocal(entry: Entry, local: LocalFileHeader): string | undefined {
  const flags = entry.generalPurposeBitFlag ^ local.generalPurposeBitFlag;
  if (
    !local.fileName.equals(entry.fileNameRaw) ||
    local.compressionMethod !== entry.compressionMethod ||
    (flags & (ENCRYPTED | DESCRIPTOR | UTF8)) !== 0
  )
    return LIES;
  const { uncompressed, compressed } = localSizes(local);
  const told: readonly (readonly [number, number])[] = [
    [local.crc32, entry.crc32],
    [uncompressed, entry.uncompressedSize],
    [compressed, entry.compressedSize],
  ];
  // Who packs without knowing the sizes writes zeros here, and the truth behind the data.
  const late = hasDescriptor(entry);
  return told.every(([here, there]) => here === there || (late && here === 0)) ? undefined : LIES;
}

/** With the zip64 field, which holds what is all ones in the header, in this order. */
function localSizes({ uncompressedSize, compressedSize, extraField }: LocalFileHeader) {
  const wide = parseExtraFields(extraField).find(({ id }) => id === 0x0001)?.data;
  let at = 0;
  const resolved = (size: number) => {
    if (size !== 0xffffffff || wide === undefined || wide.length < at + 8) return size;
    at += 8;
    return Number(wide.readBigUInt64LE(at - 8));
  };
  return { uncompressed: resolved(uncompressedSize), compressed: resolved(compressedSize) };
}

export const hasDescriptor = (entry: Entry): boolean => (entry.generalPurposeBitFlag & DESCRIPTOR) !== 0;

/** Lengths of a data descriptor: with or without its signature, sizes of four or of eight bytes. */
export const DESCRIPTOR_BYTES: readonly number[] = [12, 16, 20, 24];

/** Whether the bytes behind the data are the descriptor of this entry and nothing else. */
export function isDescriptor(bytes: Buffer, { crc32, compressedSize, uncompressedSize }: Entry): boolean {
  const signed = bytes.length % 8 === 0;
  const at = signed ? 4 : 0;
  if (signed && bytes.readUInt32LE(0) !== 0x08074b50) return false;
  const wide = bytes.length > 16;
  const size = (index: number) =>
    wide ? Number(bytes.readBigUInt64LE(at + 4 + 8 * index)) : bytes.readUInt32LE(at + 4 + 4 * index);
  return bytes.readUInt32LE(at) === crc32 && size(0) === compressedSize && size(1) === uncompressedSize;
}
