import { maskedCrc32c } from './crc32c.ts';
import { LONGEST_NAME } from './names.ts';
import { type Cursor, readVarint } from '@fairway/core';

/** Last eight bytes of every LevelDB table, little endian (leveldb/doc/table_format.md). */
const MAGIC = 0xdb4775248b80fb57n;
const FOOTER = 48;
const TRAILER = 5;
/** Keys of one table; a checkpoint has one for each variable. */
const MAX_ENTRIES = 2_000_000;

/** `bytes[start, end)` is the value. */
type Entry = (key: Buffer, start: number, end: number) => void;

/**
 * Calls for each entry of a LevelDB table, in the order of their keys, with where its value stands in `bytes`.
 * Answers false when a block is compressed with snappy, which is not read here; nothing was called after it.
 * Throws RangeError with half a sentence on bytes that are no whole table.
 */
export function eachEntry(bytes: Buffer, entry: Entry): boolean {
  if (bytes.length < FOOTER || bytes.readBigUInt64LE(bytes.length - 8) !== MAGIC)
    throw new RangeError('it is no checkpoint index, or only its beginning');
  let entries = 0;
  const counted: Entry = (key, start, end) => {
    if (++entries > MAX_ENTRIES) throw new RangeError(`it has more than ${MAX_ENTRIES} entries`);
    entry(key, start, end);
  };
  const footer = numbersFrom(bytes, bytes.length - FOOTER, bytes.length - 8);
  footer();
  footer();
  const index = block(bytes, footer(), footer());
  if (index === undefined) return false;
  let readable = true;
  const end = bytes.length - FOOTER;
  eachInBlock(bytes, index, (_, start, to) => {
    const handle = numbersFrom(bytes, start, to);
    const found = readable ? block(bytes, handle(), handle(), end) : undefined;
    readable = found !== undefined;
    if (found !== undefined) eachInBlock(bytes, found, counted);
  });
  return readable;
}

/** Reads numbers one after the other. */
function numbersFrom(bytes: Buffer, start: number, end: number): () => number {
  const cursor = { at: start };
  return () => natural(bytes, cursor, end);
}

function natural(bytes: Buffer, cursor: Cursor, end: number): number {
  const value = readVarint(bytes, cursor, end);
  if (value < 0) throw new RangeError('it holds a number of more than 63 bits');
  return value;
}

/** Where a block's bytes stand, checked by their checksum; undefined when it is compressed. */
function block(bytes: Buffer, offset: number, size: number, end = bytes.length - FOOTER): [number, number] | undefined {
  if (offset + size + TRAILER > end) throw new RangeError(`it names a block of ${size} bytes that is not there`);
  const to = offset + size;
  if (maskedCrc32c(bytes, offset, to + 1) !== bytes.readUInt32LE(to + 1))
    throw new RangeError(`its block at byte ${offset} is damaged: the checksum differs`);
  const kind = bytes[to];
  if (kind === 1) return undefined;
  if (kind !== 0) throw new RangeError(`its block at byte ${offset} is compressed in an unknown way (${kind})`);
  return [offset, to];
}

/** Entries share the beginning of their keys with the one before; the list of restart points at the end is not needed. */
function eachInBlock(bytes: Buffer, [start, end]: readonly [number, number], entry: Entry): void {
  if (end - start < 4) throw new RangeError(`its block at byte ${start} is too short`);
  const restarts = bytes.readUInt32LE(end - 4);
  const limit = end - 4 - 4 * restarts;
  if (limit < start) throw new RangeError(`its block at byte ${start} has more restart points than bytes`);
  let key = Buffer.alloc(0);
  const cursor = { at: start };
  while (cursor.at < limit) {
    const [shared, own] = [natural(bytes, cursor, limit), natural(bytes, cursor, limit)];
    const length = natural(bytes, cursor, limit);
    const value = cursor.at + own;
    if (shared > key.length || value + length > limit) throw new RangeError(`its block at byte ${start} is torn`);
    if (shared + own > LONGEST_NAME) throw new RangeError(`it has a name of ${shared + own} bytes`);
    key = Buffer.concat([key.subarray(0, shared), bytes.subarray(cursor.at, value)]);
    entry(key, value, value + length);
    cursor.at = value + length;
  }
}
