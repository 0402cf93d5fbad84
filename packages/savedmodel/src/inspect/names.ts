import { isUtf8 } from 'node:buffer';

/**
 * Longer names exist in no model. V8 takes only the length of a string of 16 Ki for its hash: a Map of longer ones compares each
 * with all, letter by letter.
 */
export const LONGEST_NAME = 16_000;
/** All names that a report keeps, in bytes, with what a string costs beside its letters. */
const KEPT = 48 * 2 ** 20;
const EACH = 64;
/** The largest graphs have hundreds of thousands of nodes, with those of their functions. */
const MAX_NODES = 5_000_000;

/** Reads names out of a file, and refuses to keep more of them than a report can hold. */
export type Names = {
  /** A name to look something up with; nothing of it is kept. */
  read(start: number, end: number): string;
  /** A name that the report keeps. */
  keep(start: number, end: number): string;
  /** Counts what is kept in another way, with the length of its name. */
  count(size?: number): void;
  /** Counts a node, of which nothing is kept. */
  node(): void;
};

export function namesOf(bytes: Buffer): Names {
  let kept = 0;
  let nodes = 0;
  const read = (start: number, end: number): string => {
    if (end - start > LONGEST_NAME) throw new RangeError(`it has a name of ${end - start} bytes`);
    if (end - start < 64) {
      const short = ascii(bytes, start, end);
      if (short !== undefined) return short;
    }
    if (!isUtf8(bytes.subarray(start, end))) throw new RangeError(`it has a name at byte ${start} that is no UTF-8`);
    return bytes.toString('utf8', start, end);
  };
  const count = (size = 0): void => {
    kept += size + EACH;
    if (kept > KEPT) throw new RangeError('it holds more names than a model can have');
  };
  return {
    read,
    keep: (start, end) => {
      count(end - start);
      return read(start, end);
    },
    count,
    node: () => {
      if (++nodes > MAX_NODES) throw new RangeError(`it has more than ${MAX_NODES} nodes`);
    },
  };
}

/** Most names are short ones, and are read faster so. */
function ascii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
