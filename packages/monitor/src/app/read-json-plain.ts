import { isUtf8 } from 'node:buffer';
import type { Json, JsonObject } from './read-json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The root value by the platform's parser, which is several times as fast as a reader of our own; undefined when that
 * might read otherwise than TensorFlow Serving: escapes, invalid UTF-8, NaN and infinities, integers beyond 2^53,
 * duplicate keys, more than `maxDepth` levels, no object or list, or no JSON at all.
 */
export function readPlain(bytes: Uint8Array, maxDepth: number): Json | undefined {
  const scan = scanPlain(bytes, maxDepth);
  if (scan === undefined) return undefined;
  const { end, strings, ascii } = scan;
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  if (!ascii && !isUtf8(body)) return undefined;
  let root: Json;
  try {
    root = JSON.parse(ascii ? body.toString('latin1') : body.toString('utf8')) as Json;
  } catch {
    return undefined;
  }
  // The parser keeps the last of duplicate keys: then it has fewer strings than the text.
  return countStrings(root) === strings ? root : undefined;
}

type Scan = { readonly end: number; readonly strings: number; readonly ascii: boolean };

/** One pass over the bytes to the end of the root: how many strings there are, or undefined when it is not plain. */
function scanPlain(bytes: Uint8Array, maxDepth: number): Scan | undefined {
  let depth = 0;
  let quotes = 0;
  let all = 0;
  let inside = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    all |= byte;
    if (byte === QUOTE) {
      quotes += 1;
      inside = !inside;
    } else if (inside) {
      if (byte === BACKSLASH || byte < 0x20) return undefined;
    } else if (byte > 0x40) {
      // Outside of strings: brackets, the letters of true, false, null and exponents; `N` and `I` begin what is not plain.
      if (byte === 0x7b || byte === 0x5b) {
        if (++depth > maxDepth) return undefined;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--depth === 0) return { end: at + 1, strings: quotes / 2, ascii: all < 0x80 };
      } else if (byte === 0x4e || byte === 0x49) return undefined;
    } else if (depth === 0 && byte > 0x20) return undefined;
  }
  return undefined;
}

/** Keys and texts below a value; NaN where there is a number that a double may not hold exactly. */
function countStrings(value: Json): number {
  if (typeof value === 'string') return 1;
  if (typeof value === 'number') {
    return value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER ? 0 : Number.NaN;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += countStrings(item as Json);
  else {
    const members = value as JsonObject;
    for (const key in members) count += 1 + countStrings(members[key] as Json);
  }
  return count;
}
