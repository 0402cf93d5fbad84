import type { FileHandle } from 'node:fs/promises';
import { readExactly } from './bytes.ts';

/** Where the central directory of a zip lies (APPNOTE 4.3.14 to 4.3.16), every field checked against the others. */
export type ZipTail = { readonly start: number; readonly end: number; readonly entries: number };

const END = 0x06054b50;
const END_BYTES = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64 = 0x06064b50;
const END64_BYTES = 56;

/**
 * Reads the end of a zip before any library does: there are many ways to say two things there, and readers differ in which
 * they believe. Answers what is wrong as a string that goes on after "model.zip".
 */
export async function readZipTail(handle: FileHandle, size: number): Promise<ZipTail | string> {
  const length = Math.min(size, END_BYTES + 0xffff);
  const tail = await readExactly(handle, size - length, length);
  const at = endRecord(tail);
  if (at === undefined) return 'is cut off: the directory that a zip ends with is missing; transfer it again';
  const end = tail.subarray(at);
  if (END_BYTES + end.readUInt16LE(20) !== end.length)
    return 'has other bytes after its end, or is cut off there; transfer it again';
  const position = size - length + at;
  const wide = await readEnd64(handle, position);
  if (typeof wide === 'string') return wide;
  return wide === undefined ? narrowTail(end, position) : agreeing(wide, end);
}

/** The last end record, as all readers look for it. */
function endRecord(tail: Buffer): number | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at--) if (tail.readUInt32LE(at) === END) return at;
  return undefined;
}

const PARTS = 'is one part of a zip that was split; pack the model as one file';
const LIES = 'has a directory that contradicts itself; pack the model again';

function narrowTail(end: Buffer, position: number): ZipTail | string {
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0) return PARTS;
  const entries = end.readUInt16LE(10);
  const bytes = end.readUInt32LE(12);
  const start = end.readUInt32LE(16);
  if (end.readUInt16LE(8) !== entries) return PARTS;
  return start + bytes === position ? { start, end: position, entries } : LIES;
}

type Wide = ZipTail & { readonly bytes: number };

/** The zip64 end record, where its locator stands right before the end record. */
async function readEnd64(handle: FileHandle, position: number): Promise<Wide | string | undefined> {
  if (position < LOCATOR_BYTES) return undefined;
  const locator = await readExactly(handle, position - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== LOCATOR) return undefined;
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1) return PARTS;
  const at = big(locator, 8);
  const room = position - LOCATOR_BYTES - at;
  if (room < END64_BYTES) return LIES;
  const record = await readExactly(handle, at, END64_BYTES);
  if (record.readUInt32LE(0) !== END64 || big(record, 4) + 12 !== room) return LIES;
  if (record.readUInt32LE(16) !== 0 || record.readUInt32LE(20) !== 0) return PARTS;
  const [entries, bytes, start] = [big(record, 32), big(record, 40), big(record, 48)];
  if (big(record, 24) !== entries) return PARTS;
  return start + bytes === at ? { start, end: at, entries, bytes } : LIES;
}

/** What the old record says must be the same, or all ones where it leaves the word to the new one. */
function agreeing({ start, end: directoryEnd, entries, bytes }: Wide, end: Buffer): ZipTail | string {
  const same =
    (end.readUInt16LE(4) === 0 || end.readUInt16LE(4) === 0xffff) &&
    (end.readUInt16LE(6) === 0 || end.readUInt16LE(6) === 0xffff) &&
    [8, 10].every((at) => [entries, 0xffff].includes(end.readUInt16LE(at))) &&
    [bytes, 0xffffffff].includes(end.readUInt32LE(12)) &&
    [start, 0xffffffff].includes(end.readUInt32LE(16));
  return same ? { start, end: directoryEnd, entries } : LIES;
}

/** Above 2^53 inexact, but then far outside any file. */
const big = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));
