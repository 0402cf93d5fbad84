/** Archives for tests, written byte by byte: a library refuses to make the evil ones. APPNOTE 6.3.10 and POSIX ustar/pax. */
import { crc32, deflateRawSync } from 'node:zlib';

/** Files by path; a path that ends with `/` is a folder. */
export type FileTree = Readonly<Record<string, Uint8Array | string>>;

export const bytesOf = (content: Uint8Array | string): Buffer => Buffer.from(content as string);

/** Fields of a zip header that tests lie about. */
type ZipFields = {
  readonly version: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly name: Buffer;
  readonly extra: Buffer;
};

export type ZipEntry = {
  readonly name: string | Buffer;
  readonly data?: Uint8Array | string;
  /** 8 (default) deflates. */
  readonly method?: number;
  /** Unix mode with its type bits; 0 (default): not told. */
  readonly mode?: number;
  readonly flags?: number;
  /** Sizes behind the data, as a packer that streams writes them. */
  readonly descriptor?: 'signed' | 'plain' | 'wide';
  /** What that says instead of the truth. */
  readonly late?: Partial<Pick<ZipFields, 'crc' | 'compressed' | 'size'>>;
  /** Sizes and offset in the zip64 field. */
  readonly zip64?: boolean;
  readonly local?: Partial<ZipFields>;
  readonly central?: Partial<ZipFields> & { readonly offset?: number };
  /** Bytes that belong to no entry, before this one. */
  readonly before?: Buffer;
};

export type ZipShape = {
  readonly zip64?: boolean;
  readonly comment?: string;
  readonly prefix?: Buffer;
  readonly beforeDirectory?: Buffer;
  readonly after?: Buffer;
  /** Fields of the end record: disk, directory's disk, entries here, entries, bytes, offset. */
  readonly end?: Partial<Record<'disk' | 'startDisk' | 'here' | 'entries' | 'bytes' | 'offset', number>>;
};

const UTF8 = 0x0800;
const LATE = 0x0008;
const ONES = 0xffffffff;

export function zipOf(entries: readonly ZipEntry[], shape: ZipShape = {}): Buffer {
  const parts: Buffer[] = [shape.prefix ?? Buffer.alloc(0)];
  const central: Buffer[] = [];
  let offset = parts[0]?.length ?? 0;
  for (const entry of entries) {
    const { local, directory } = zipEntry(entry, offset + (entry.before?.length ?? 0));
    parts.push(local);
    central.push(directory);
    offset += local.length;
  }
  const gap = shape.beforeDirectory ?? Buffer.alloc(0);
  const directory = Buffer.concat(central);
  const end = zipEnd(entries.length, directory.length, offset + gap.length, shape);
  return Buffer.concat([...parts, gap, directory, end, shape.after ?? Buffer.alloc(0)]);
}

function zipEntry(entry: ZipEntry, offset: number): { local: Buffer; directory: Buffer } {
  const plain = bytesOf(entry.data ?? '');
  const method = entry.method ?? 8;
  const data = method === 8 ? deflateRawSync(plain) : plain;
  const truth: ZipFields = {
    version: 20,
    flags: UTF8 | (entry.descriptor === undefined ? 0 : LATE) | (entry.flags ?? 0),
    method,
    crc: crc32(plain),
    compressed: data.length,
    size: plain.length,
    name: Buffer.isBuffer(entry.name) ? entry.name : Buffer.from(entry.name),
    extra: Buffer.alloc(0),
  };
  const wide = entry.zip64 === true ? { compressed: ONES, size: ONES, version: 45 } : {};
  const late = entry.descriptor === undefined ? {} : { crc: 0, compressed: 0, size: 0 };
  const head = localHeader({
    ...truth,
    ...late,
    ...wide,
    ...(entry.zip64 === true ? { extra: field(1, [truth.size, truth.compressed]) } : {}),
    ...entry.local,
  });
  const directory = centralHeader(
    {
      ...truth,
      ...wide,
      ...(entry.zip64 === true ? { extra: field(1, [truth.size, truth.compressed, offset]) } : {}),
      ...entry.central,
    },
    entry.central?.offset ?? (entry.zip64 === true ? ONES : offset),
    entry.mode ?? 0,
  );
  const local = Buffer.concat([
    entry.before ?? Buffer.alloc(0),
    head,
    data,
    descriptor(entry.descriptor, { ...truth, ...entry.late }),
  ]);
  return { local, directory };
}

/** An extra field of 64 bit numbers. */
export function field(id: number, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * values.length);
  bytes.writeUInt16LE(id, 0);
  bytes.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return bytes;
}

function localHeader(fields: ZipFields): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  common(fields).copy(head, 4);
  return Buffer.concat([head, fields.name, fields.extra]);
}

function centralHeader(fields: ZipFields, offset: number, mode: number): Buffer {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  // Made on Unix, so that the upper half of the attributes is a mode.
  head.writeUInt16LE(0x0314, 4);
  common(fields).copy(head, 6);
  head.writeUInt32LE((mode << 16) >>> 0, 38);
  head.writeUInt32LE(offset, 42);
  return Buffer.concat([head, fields.name, fields.extra]);
}

/** The 26 bytes that both headers have alike. */
function common({ version, flags, method, crc, compressed, size, name, extra }: ZipFields): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(version, 0);
  bytes.writeUInt16LE(flags, 2);
  bytes.writeUInt16LE(method, 4);
  // 1980-01-01
  bytes.writeUInt32LE(0x0021_0000, 6);
  bytes.writeUInt32LE(crc, 10);
  bytes.writeUInt32LE(compressed, 14);
  bytes.writeUInt32LE(size, 18);
  bytes.writeUInt16LE(name.length, 22);
  bytes.writeUInt16LE(extra.length, 24);
  return bytes;
}

function descriptor(kind: ZipEntry['descriptor'], { crc, compressed, size }: ZipFields): Buffer {
  if (kind === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(kind === 'wide' ? 24 : 16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(crc, 4);
  if (kind === 'wide') {
    bytes.writeBigUInt64LE(BigInt(compressed), 8);
    bytes.writeBigUInt64LE(BigInt(size), 16);
  } else {
    bytes.writeUInt32LE(compressed, 8);
    bytes.writeUInt32LE(size, 12);
  }
  return kind === 'plain' ? bytes.subarray(4) : bytes;
}

function zipEnd(entries: number, bytes: number, offset: number, { zip64 = false, comment = '', end = {} }: ZipShape) {
  const head = Buffer.alloc(22);
  head.writeUInt32LE(0x06054b50, 0);
  head.writeUInt16LE(end.disk ?? 0, 4);
  head.writeUInt16LE(end.startDisk ?? 0, 6);
  head.writeUInt16LE(end.here ?? (zip64 ? 0xffff : entries), 8);
  head.writeUInt16LE(end.entries ?? (zip64 ? 0xffff : entries), 10);
  head.writeUInt32LE(end.bytes ?? (zip64 ? ONES : bytes), 12);
  head.writeUInt32LE(end.offset ?? (zip64 ? ONES : offset), 16);
  head.writeUInt16LE(comment.length, 20);
  return Buffer.concat([zip64 ? zip64End(entries, bytes, offset) : Buffer.alloc(0), head, Buffer.from(comment)]);
}

function zip64End(entries: number, bytes: number, offset: number): Buffer {
  const record = Buffer.alloc(76);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(entries), 24);
  record.writeBigUInt64LE(BigInt(entries), 32);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(offset + bytes), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

export const zipTree = (tree: FileTree, method = 8): Buffer =>
  zipOf(Object.entries(tree).map(([name, data]) => ({ name, data, method: name.endsWith('/') ? 0 : method })));

export type TarEntry = {
  readonly name: string | Buffer;
  readonly data?: Uint8Array | string;
  /** '0' a file (default), '5' a folder, '1' and '2' links … */
  readonly type?: string;
  readonly link?: string;
  /** The size that the header tells, or the twelve characters of its field; otherwise the data's. */
  readonly size?: number | string;
  readonly mode?: number;
  /** Magic and version; POSIX by default. */
  readonly magic?: string;
  /** Eight bytes instead of the right checksum. */
  readonly checksum?: string;
};

/** `end`: blocks of zeros behind it. */
export function tarOf(entries: readonly TarEntry[], { end = 2 }: { end?: number } = {}): Buffer {
  const blocks = entries.flatMap((entry) => {
    const data = bytesOf(entry.data ?? '');
    return [tarHeader(entry, data.length), data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(512 * end)]);
}

function tarHeader({ name, type = '0', link = '', size, mode, magic, checksum }: TarEntry, length: number): Buffer {
  const head = Buffer.alloc(512);
  const raw = Buffer.isBuffer(name) ? name : Buffer.from(name);
  if (raw.length > 100) throw new Error('put it into a pax or GNU header');
  raw.copy(head, 0);
  head.write(`${(mode ?? 0o644).toString(8).padStart(7, '0')}\0`, 100);
  head.write('0000000\0'.repeat(2), 108);
  const told = size ?? length;
  if (typeof told === 'string') head.write(told, 124, 'latin1');
  else if (told > 0o77777777777) {
    head.writeBigUInt64BE(BigInt(told), 128);
    head[124] = 0x80;
  } else head.write(`${told.toString(8).padStart(11, '0')}\0`, 124);
  head.write('00000000000\0', 136);
  head.write(type, 156, 'latin1');
  head.write(link, 157);
  head.write(magic ?? 'ustar\u{0}00', 257, 'latin1');
  return sealed(head, checksum);
}

/** With the checksum that its bytes have. */
function sealed(head: Buffer, checksum?: string): Buffer {
  head.fill(' ', 148, 156);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}

/** The pax header before an entry. */
export const paxOf = (records: Readonly<Record<string, string>>, type: 'x' | 'g' = 'x'): TarEntry => ({
  name: 'PaxHeaders/0',
  type,
  data: Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join(''),
});

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  length = bytes + String(length).length;
  return `${length}${rest}`;
}

/** GNU's header for a long name. */
export const gnuLongName = (name: string): TarEntry => ({
  name: '././@LongLink',
  type: 'L',
  data: `${name}\0`,
  magic: 'ustar  \0',
});

export const tarTree = (tree: FileTree): Buffer =>
  tarOf(
    Object.entries(tree).flatMap(([name, data]): TarEntry[] => {
      const entry: TarEntry = { name: Buffer.from(name).subarray(0, 100), data, type: name.endsWith('/') ? '5' : '0' };
      return Buffer.byteLength(name) > 100 ? [paxOf({ path: name }), entry] : [entry];
    }),
  );
