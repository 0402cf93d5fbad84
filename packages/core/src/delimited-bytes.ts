import { isUtf8 } from 'node:buffer';
import { FairwayError } from './errors.ts';
import { readNumber } from './number-bytes.ts';
import { SeenTexts } from './seen-texts.ts';

const [LINE_FEED, RETURN, QUOTE] = [10, 13, 34];
/** A quote that stays open would take the rest of the file for one cell. */
const LONGEST_ROW = 1024 * 1024;

/** One row of delimited text, valid until the next one is read: its cells are looked at where they lie. */
export type ByteRow = {
  /** Line of the file in which it begins, from 1. */
  readonly line: number;
  readonly cells: number;
  /** The cell's text, quotes taken off, not trimmed. */
  text(cell: number): string;
  /** The cell as a finite number; NaN: missing (see {@link cellText}); infinite: anything else. */
  number(cell: number): number;
  /** What is wrong with the row, where something is. */
  readonly problem: string | undefined;
};

/**
 * What {@link DelimitedText} reads, scanned as bytes (100 MB in about a second) for whoever wants numbers more than texts: quotes, doubled quotes, line breaks inside
 * quotes, LF and CRLF, a byte-order mark. Empty lines are skipped. What is held is one chunk and one row of up to 1 MiB.
 */
export class DelimitedBytes implements ByteRow {
  line = 1;
  cells = 0;
  problem: string | undefined;
  private readonly file: string;
  private readonly delimiter: number;
  private readonly onRow: (row: ByteRow) => void;
  private bytes: Buffer = Buffer.alloc(0);
  private rest: Buffer = Buffer.alloc(0);
  private nextLine = 1;
  private isFirst = true;
  private starts = new Int32Array(64);
  private ends = new Int32Array(64);
  private doubled = new Uint8Array(64);
  private readonly seen = new SeenTexts();

  /** Throws `input.invalid` for a delimiter of more than one byte. */
  constructor(file: string, delimiter: string, onRow: (row: ByteRow) => void) {
    if (Buffer.byteLength(delimiter) !== 1) {
      throw new FairwayError('input.invalid', `${file}: the delimiter must be an ASCII character; it is ${delimiter}.`);
    }
    this.file = file;
    this.delimiter = delimiter.charCodeAt(0);
    this.onRow = onRow;
  }

  push(chunk: Buffer): void {
    this.scan(this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]), false);
    if (this.rest.length > LONGEST_ROW) throw this.open(`is longer than ${LONGEST_ROW} bytes; is a quote left open?`);
  }

  end(): void {
    if (this.rest.length > 0) this.scan(Buffer.concat([this.rest, Buffer.from('\n')]), true);
    if (this.rest.length > 0) throw this.open('opens a quote that is never closed.');
  }

  text(cell: number): string {
    const [start, end] = [this.starts[cell] as number, this.ends[cell] as number];
    if (this.doubled[cell] === 0) return this.seen.text(this.bytes, start, end);
    return this.bytes.toString('utf8', start, end).replaceAll('""', '"');
  }

  number(cell: number): number {
    return readNumber(this.bytes, this.starts[cell] as number, this.ends[cell] as number);
  }

  /** Tells of every whole row of `bytes`; keeps what is left. */
  private scan(bytes: Buffer, isLast: boolean): void {
    this.bytes = bytes;
    let at = 0;
    if (this.isFirst) {
      if (bytes.length < 3 && !isLast) return this.keep(bytes, 0);
      this.isFirst = false;
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) at = 3;
    }
    const whole = bytes.lastIndexOf(LINE_FEED) + 1;
    if (!isUtf8(bytes.subarray(at, Math.max(at, whole)))) {
      throw new FairwayError('input.invalid', `${this.file} is not UTF-8 text: save or convert it as UTF-8.`);
    }
    for (let next = this.row(at); next > 0; next = this.row(at)) at = next;
    this.keep(bytes, at);
  }

  /** The next chunk may be read into the same memory. */
  private keep(bytes: Buffer, from: number): void {
    this.rest = Buffer.from(bytes.subarray(from));
  }

  /** Finds the cells of the row at `from`; answers where the next one begins, 0 where this one is not whole. */
  private row(from: number): number {
    const { bytes, delimiter } = this;
    let cell = 0;
    let start = from;
    let lines = 1;
    this.problem = undefined;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE && at === start) {
        const closed = this.quoted(at, cell);
        if (closed < 0) return 0;
        for (let i = at; i < closed; i++) if (bytes[i] === LINE_FEED) lines++;
        at = this.afterQuote(closed + 1);
        if (at === bytes.length) return 0;
        start = -1;
      } else if (byte !== delimiter && byte !== LINE_FEED) continue;
      if (start >= 0) this.plain(cell, start, at);
      cell++;
      if (bytes[at] === LINE_FEED) return this.finish(cell, from, at, lines);
      start = at + 1;
      if (cell === this.starts.length) this.grow();
    }
    return 0;
  }

  private plain(cell: number, start: number, end: number): void {
    this.starts[cell] = start;
    this.ends[cell] = end;
    this.doubled[cell] = 0;
  }

  /** The closing quote of the cell that opens at `open`, or −1. */
  private quoted(open: number, cell: number): number {
    const { bytes } = this;
    this.plain(cell, open + 1, open + 1);
    for (let at = bytes.indexOf(QUOTE, open + 1); at >= 0; at = bytes.indexOf(QUOTE, at + 2)) {
      if (at + 1 === bytes.length) return -1;
      if (bytes[at + 1] !== QUOTE) {
        this.ends[cell] = at;
        return at;
      }
      this.doubled[cell] = 1;
    }
    return -1;
  }

  /** Where the cell ends, of which nothing but a carriage return should be left. */
  private afterQuote(from: number): number {
    const { bytes, delimiter } = this;
    let at = from;
    for (; at < bytes.length && bytes[at] !== delimiter && bytes[at] !== LINE_FEED; at++) {
      if (bytes[at] !== RETURN) this.problem = 'text follows a closing quote';
    }
    return at;
  }

  private finish(cells: number, from: number, end: number, lines: number): number {
    const last = cells - 1;
    if (this.ends[last] === end && end > from && this.bytes[end - 1] === RETURN) this.ends[last] = end - 1;
    this.line = this.nextLine;
    this.nextLine += lines;
    this.cells = cells;
    const isEmpty = cells === 1 && this.starts[0] === from && this.ends[0] === from;
    if (!isEmpty) this.onRow(this);
    return end + 1;
  }

  private grow(): void {
    const size = this.starts.length * 2;
    for (const name of ['starts', 'ends'] as const) {
      const larger = new Int32Array(size);
      larger.set(this[name]);
      this[name] = larger;
    }
    const doubled = new Uint8Array(size);
    doubled.set(this.doubled);
    this.doubled = doubled;
  }

  private open(what: string): FairwayError {
    return new FairwayError('input.invalid', `${this.file}: the row that begins in line ${this.nextLine} ${what}`);
  }
}
