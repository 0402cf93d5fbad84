import { type Place, type Viewed, viewed } from './viewed.ts';

/** A text whose bytes are always the same but for the values of JSON that stand between them, each ASCII and without escapes. */
export class Look {
  /** Where the values of the text that matched last begin, and where they end. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** What stands before each value, and after the last one, one after the other; and where each of these ends. */
  private readonly fixed: Viewed;
  private readonly until: Int32Array;

  /** `between`: what stands before, between and after the values, a character for each byte. */
  constructor(between: readonly string[]) {
    this.fixed = viewed(Buffer.from(between.join(''), 'latin1'));
    this.until = new Int32Array(between.length);
    let end = 0;
    for (const [index, { length }] of between.entries()) this.until[index] = end += length;
    this.starts = new Int32Array(between.length - 1);
    this.ends = new Int32Array(between.length - 1);
  }

  matches({ bytes, view, from, to }: Place): boolean {
    const { until, starts, ends } = this;
    const { bytes: fixed, view: fixedView } = this.fixed;
    let [at, next] = [from, 0];
    for (let value = 0; ; value++) {
      const end = until[value] as number;
      if (at + end - next > to) return false;
      for (; next + 4 <= end; next += 4, at += 4) {
        if (view.getUint32(at) !== fixedView.getUint32(next)) return false;
      }
      while (next < end) if (bytes[at++] !== fixed[next++]) return false;
      if (value === starts.length) return at === to;
      starts[value] = at;
      at = pastValue(bytes, at, to);
      if (at < 0) return false;
      ends[value] = at;
    }
  }
}

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const WORDS = ['null', 'true', 'false'].map((word) => Buffer.from(word));

/** What every reader takes as it is: ASCII without escapes, numbers as JSON writes them. Below 0: no value stands there. */
function pastValue(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from] as number;
  if (first === QUOTE) return pastText(bytes, from + 1, to);
  if (first <= NINE) return pastNumber(bytes, from, to);
  const word = WORDS.find((each) => each[0] === first);
  if (word === undefined || !word.every((byte, index) => bytes[from + index] === byte)) return -1;
  return from + word.length;
}

function pastText(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return -1;
  }
  return -1;
}

function pastNumber(bytes: Uint8Array, from: number, to: number): number {
  const start = bytes[from] === MINUS ? from + 1 : from;
  let at = bytes[start] === ZERO ? start + 1 : pastDigits(bytes, start, to);
  if (at > start && bytes[at] === DOT) at = pastDigits(bytes, at + 1, to);
  if (at > start && ((bytes[at] as number) | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    at = pastDigits(bytes, sign === MINUS || sign === PLUS ? at + 2 : at + 1, to);
  }
  return at > start ? at : -1;
}

/** Below 0 where there is none. */
function pastDigits(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  return at > from ? at : -1;
}
