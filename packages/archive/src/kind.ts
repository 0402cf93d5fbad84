import { constants, gunzipSync } from 'node:zlib';
import { parseTarHeader } from './tar-header.ts';

export type Kind = 'zip' | 'tar' | 'tar.gz';

/** Enough for the first header of a gzip'd tar, whatever names gzip's own header holds. */
export const KIND_BYTES = 4096;

/** What the first {@link KIND_BYTES} of a file say it is; names lie. */
export function archiveKind(head: Buffer): Kind | undefined {
  if (head.length >= 4 && head[0] === 0x50 && head[1] === 0x4b) {
    // Local file header, an empty archive, a part of several.
    if ([0x04034b50, 0x06054b50, 0x08074b50].includes(head.readUInt32LE(0))) return 'zip';
  }
  if (isTar(head)) return 'tar';
  return head[0] === 0x1f && head[1] === 0x8b && isTar(inflatedStart(head)) ? 'tar.gz' : undefined;
}

const isTar = (head: Buffer): boolean =>
  head.length >= 512 && typeof parseTarHeader(head.subarray(0, 512)) === 'object';

function inflatedStart(head: Buffer): Buffer {
  try {
    // Without the last eight bytes: where the checksum of a small file is wrong, its reader shall say so.
    return gunzipSync(head.subarray(0, -8), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

const FOREIGN: readonly (readonly [hex: string, name: string])[] = [
  ['377abcaf271c', 'a 7-Zip archive'],
  ['526172211a07', 'a RAR archive'],
  ['fd377a585a00', 'xz compressed'],
  ['425a68', 'bzip2 compressed'],
  ['28b52ffd', 'Zstandard compressed'],
  ['1f8b', "gzip'd, but what is inside is no whole tar"],
  ['894844460d0a1a0a', 'an HDF5 file (Keras weights), not a SavedModel'],
  ['3c21444f43545950', 'a web page'],
  ['3c68746d6c', 'a web page'],
];

/** What a file is that is no archive we know, to go on after "model.zip". */
export function otherKind(head: Buffer): string {
  if (head.length === 0) return 'is empty; transfer it again';
  const hex = head.subarray(0, 8).toString('hex').toLowerCase();
  const name = FOREIGN.find(([magic]) => hex.startsWith(magic))?.[1];
  return `is ${name ?? "neither zip, tar nor gzip'd tar"}; pack the SavedModel as zip, tar or tar.gz`;
}
