import { isUtf8 } from 'node:buffer';
import { BYTES, FIXED32, FIXED64, readVarint, VARINT } from '@fairway/core';
import { type Json, storable } from '../read-json.ts';

/** The bytes of one message; `sanitised` once a text in them had to be changed (see {@link storable}). */
export type Source = { readonly bytes: Buffer; sanitised: boolean };

/** One field as it was met: its wire type, the number or where its bytes begin, and where it ends. */
export type Place = readonly [wire: number, value: number, end: number];

/** A float as a person would write it: the shortest decimal that is this float, so that 0.1 is not 0.10000000149011612. */
export function shortFloat(float: number): number {
  if (!Number.isFinite(float) || (Number.isInteger(float) && Math.abs(float) < 2 ** 24)) return float;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}

/** IEEE 754 half precision, from its 16 bits. */
export function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const scratch = Buffer.alloc(4);
/** The upper half of a float. */
export function brainFloat(bits: number): number {
  scratch.writeUInt32LE((bits & 0xffff) * 0x1_0000);
  return scratch.readFloatLE();
}

/** Numbers as they are where a double holds them, else as bigint. */
export const exact = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

/** Bytes as text where they are UTF-8, as TF Serving's JSON has them elsewhere. */
export function textOf(source: Source, start: number, end: number): Json {
  const bytes = source.bytes.subarray(start, end);
  if (!isUtf8(bytes)) return { b64: bytes.toString('base64') };
  return nameOf(source, start, end);
}

export function nameOf(source: Source, start: number, end: number): string {
  const text = source.bytes.toString('utf8', start, end);
  const clean = storable(text);
  if (clean !== text) source.sanitised = true;
  return clean;
}

/** Adds what one field of a repeated float holds, packed or not; throws RangeError when it holds something else. */
export function addFloats(source: Source, [wire, start, end]: Place, width: 4 | 8, add: (value: number) => void): void {
  if (wire !== BYTES && wire !== (width === 4 ? FIXED32 : FIXED64)) throw new RangeError('it has no floats there');
  if ((end - start) % width !== 0) throw new RangeError('its floats are cut off');
  const { bytes } = source;
  for (let at = start; at < end; at += width)
    add(width === 4 ? shortFloat(bytes.readFloatLE(at)) : bytes.readDoubleLE(at));
}

/** The same for a repeated number of variable length, as int64. */
export function addIntegers({ bytes }: Source, place: Place, add: (value: number | bigint) => void): void {
  const [wire, value, end] = place;
  if (wire !== VARINT && wire !== BYTES) throw new RangeError('it has no numbers there');
  const cursor = { at: wire === VARINT ? beginOf(bytes, end) : value };
  while (cursor.at < end) {
    const start = cursor.at;
    const number = readVarint(bytes, cursor, end);
    add(Number.isSafeInteger(number) ? number : bigVarint(bytes, start, cursor.at));
  }
}

/** Where the number that ends there begins: all its bytes but the last have the high bit, and the tag's last has not. */
function beginOf(bytes: Buffer, end: number): number {
  let at = end - 1;
  while (at > 0 && ((bytes[at - 1] as number) & 0x80) !== 0) at--;
  return at;
}

function bigVarint(bytes: Buffer, start: number, end: number): bigint {
  let value = 0n;
  for (let at = end - 1; at >= start; at--) value = (value << 7n) | BigInt((bytes[at] as number) & 0x7f);
  return BigInt.asIntN(64, value);
}
