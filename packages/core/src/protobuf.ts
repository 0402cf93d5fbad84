/** Wire types of protobuf's encoding (protobuf.dev, "Encoding"). */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const GROUP = 3;
const END_GROUP = 4;
export const FIXED32 = 5;

/**
 * Told of each field of a message: its number and wire type; then its value (a varint as int64, exact up to 2^53), or where its bytes
 * begin and end. A field of a fixed width is told as bytes as well.
 */
export type Visit = (id: number, wire: number, value: number, end: number) => void;

/** Groups inside groups and messages inside messages; 100 is protobuf's own limit. */
export const MAX_MESSAGE_DEPTH = 100;

/** Where the next byte is read. */
export type Cursor = { at: number };

/**
 * Reads one protobuf message, `bytes[start, end)`, field by field, and makes no object for any of them: a file of 256 MB may hold
 * 10^8 empty messages. Throws RangeError with half a sentence ("it …") on bytes that are no message.
 */
export function eachField(bytes: Uint8Array, start: number, end: number, visit: Visit): void {
  const cursor = { at: start };
  let group = 0;
  while (cursor.at < end) {
    const tag = readVarint(bytes, cursor, end);
    const id = Math.floor(tag / 8);
    const wire = tag & 7;
    if (id < 1 || id > 0x1fff_ffff) throw new RangeError(`it has a field of number ${id}`);
    if (wire === GROUP && ++group > MAX_MESSAGE_DEPTH)
      throw new RangeError(`it is nested deeper than ${MAX_MESSAGE_DEPTH}`);
    if (wire === END_GROUP && --group < 0) throw new RangeError('it ends a group that it has not begun');
    if (wire === GROUP || wire === END_GROUP) continue;
    if (wire > FIXED32) throw new RangeError(`it has a field of wire type ${wire}`);
    const value = readValue(bytes, cursor, end, wire);
    if (group === 0) visit(id, wire, value, cursor.at);
  }
  if (group > 0) throw new RangeError('it ends inside a group');
}

/** The number, or where the bytes begin; the cursor stands behind them. */
function readValue(bytes: Uint8Array, cursor: Cursor, end: number, wire: number): number {
  if (wire === VARINT) return readVarint(bytes, cursor, end);
  const length = wire === BYTES ? readVarint(bytes, cursor, end) : wire === FIXED64 ? 8 : 4;
  const left = end - cursor.at;
  // A negative length is one of 2^63 and more.
  if (length < 0 || length > left) throw new RangeError(`it names ${length} bytes where ${left} are left`);
  cursor.at += length;
  return cursor.at - length;
}

/** A varint as int64. */
export function readVarint(bytes: Uint8Array, cursor: Cursor, end: number): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.at >= end) throw new RangeError('it ends in the middle of a number');
    const byte = bytes[cursor.at++] as number;
    const seven = byte & 0x7f;
    if (shift < 28) low |= seven << shift;
    else if (shift === 28) {
      low |= seven << 28;
      high = seven >>> 4;
    } else high |= seven << (shift < 63 ? shift - 32 : 31);
    if (byte < 0x80) return high === 0 ? low >>> 0 : high * 0x1_0000_0000 + (low >>> 0);
  }
  throw new RangeError('it holds a number of more than 10 bytes');
}
