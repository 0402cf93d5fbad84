import { DelimitedText } from '@fairway/core';

/** Why a row is not recorded; a label of /metrics and a key of a pack's `dropped`. */
export const REFUSALS = [
  'tail_unreadable',
  'tail_unusable',
  'tail_too_long',
  'tail_unfinished',
  'tail_header',
  'tail_version',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** One record of a file, bytes `[start, end)`: blank, its text with the cells of a CSV, or why it cannot be read. */
export type FileRecord = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'blank' }
  | { readonly kind: 'text'; readonly text: string; readonly cells: readonly string[]; readonly problem?: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly problem: string }
);

/** Most bytes of a record, unless told otherwise. The reader of delimited text takes no more than this. */
export const LONGEST_RECORD = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Cuts bytes into records. What is held is at most one record of `longest` bytes: a longer line is skipped and refused.
 * A quote that is still open after `longest` bytes, or at the end of the file, costs the line that opened it, and the lines
 * after it are read anew. The same bytes from the same place give the same records, however they are fed.
 */
export class RecordReader {
  private readonly delimiter: string | undefined;
  private readonly longest: number;
  /** Where the record begins that is being read. */
  private at: number;
  private pieces: Buffer[] = [];
  /** Bytes of the line so far, those too that are not held any more. */
  private length = 0;
  /** Lines of a record whose quote is open. */
  private lines: Buffer[] = [];
  private open: DelimitedText | undefined;
  private found: FileRecord[] = [];

  /** `delimiter` undefined: JSON Lines. */
  constructor(delimiter: string | undefined, longest: number, at: number) {
    this.delimiter = delimiter;
    this.longest = longest;
    this.at = at;
  }

  push(chunk: Buffer): FileRecord[] {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      this.hold(chunk.subarray(from, to + 1));
      this.closeLine();
      from = to + 1;
    }
    if (from < chunk.length) this.hold(chunk.subarray(from));
    return this.taken();
  }

  /** Nothing will follow: what is left are lines without their end. */
  end(): FileRecord[] {
    while (this.lines.length > 0) this.giveUpQuote();
    if (this.length > 0) this.refuse(this.length, 'tail_unfinished', 'the file ended before the line did');
    this.pieces = [];
    this.length = 0;
    return this.taken();
  }

  private hold(piece: Buffer): void {
    this.length += piece.length;
    if (this.length > this.longest) this.pieces = [];
    else this.pieces.push(piece);
  }

  private closeLine(): void {
    const { length, pieces } = this;
    this.length = 0;
    this.pieces = [];
    if (length <= this.longest) return this.line(Buffer.concat(pieces));
    while (this.lines.length > 0) this.giveUpQuote();
    this.refuse(length, 'tail_too_long', `the line has more than ${this.longest} bytes`);
  }

  private line(line: Buffer): void {
    const held = this.lines.reduce((sum, { length }) => sum + length, 0);
    while (this.lines.length > 0 && held + line.length > this.longest) this.giveUpQuote();
    const text = decoded(line);
    if (text === undefined) return this.refuseLines(line, 'the line is no UTF-8 text');
    if (this.delimiter === undefined) return this.emit(line.length, text, [text]);
    this.open ??= new DelimitedText('', this.delimiter);
    const [row] = this.open.push(text);
    if (row === undefined && this.open.isOpen) {
      this.lines.push(line);
      return;
    }
    const all = Buffer.concat([...this.lines, line]);
    this.forgetLines();
    this.emit(all.length, all.toString(), row?.cells ?? [], row?.problem);
  }

  private emit(length: number, text: string, cells: readonly string[], problem?: string): void {
    const [start, end] = [this.at, this.at + length];
    this.at = end;
    if (text.trim() === '') this.found.push({ start, end, kind: 'blank' });
    else this.found.push({ start, end, kind: 'text', text, cells, ...(problem === undefined ? {} : { problem }) });
  }

  private refuse(length: number, refusal: Refusal, problem: string): void {
    const [start, end] = [this.at, this.at + length];
    this.at = end;
    this.found.push({ start, end, kind: 'refused', refusal, problem });
  }

  private refuseLines(line: Buffer, problem: string): void {
    const length = this.lines.reduce((sum, one) => sum + one.length, line.length);
    this.forgetLines();
    this.refuse(length, 'tail_unreadable', problem);
  }

  private giveUpQuote(): void {
    const [first, ...rest] = this.lines;
    this.forgetLines();
    if (first !== undefined) this.refuse(first.length, 'tail_unreadable', 'the line opens a quote that is not closed');
    for (const line of rest) this.line(line);
  }

  private forgetLines(): void {
    this.lines = [];
    this.open = undefined;
  }

  private taken(): FileRecord[] {
    const { found } = this;
    this.found = [];
    return found;
  }
}

function decoded(line: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line);
  } catch {
    return undefined;
  }
}
