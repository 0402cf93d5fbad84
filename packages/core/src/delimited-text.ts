import { FairwayError } from './errors.ts';

/** One row of a file: its cells, or why it has none; `line` is where it begins. */
export type TextRow = { readonly line: number; readonly cells: readonly string[]; readonly problem?: string };

/** A quote that stays open would take the rest of the file for one cell. */
const LONGEST_ROW = 1024 * 1024;

/**
 * Delimited text as RFC 4180 has it, fed in pieces of any size: quotes, doubled quotes, line breaks inside quotes, LF and
 * CRLF. Empty lines are skipped. What is held is one row.
 */
export class DelimitedText {
  private readonly file: string;
  private readonly delimiter: string;
  private state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  private cell = '';
  private cells: string[] = [];
  private problem: string | undefined;
  private line = 1;
  private startedAt = 1;
  private length = 0;

  constructor(file: string, delimiter: string) {
    this.file = file;
    this.delimiter = delimiter;
  }

  push(text: string): TextRow[] {
    const rows: TextRow[] = [];
    for (const char of text) if (this.take(char)) this.finish(rows);
    if (this.length > LONGEST_ROW) throw this.open(`is longer than ${LONGEST_ROW} characters; is a quote left open?`);
    return rows;
  }

  end(): TextRow[] {
    if (this.state === 'quoted') throw this.open('opens a quote that is never closed.');
    const rows: TextRow[] = [];
    if (this.length > 0) this.finish(rows);
    return rows;
  }

  /** Whether a quoted cell goes on. */
  get isOpen(): boolean {
    return this.state === 'quoted';
  }

  /** Whether the row is complete. */
  private take(char: string): boolean {
    this.length++;
    if (char === '\n') this.line++;
    if (this.state === 'quoted') {
      if (char === '"') this.state = 'closed';
      else this.cell += char;
      return false;
    }
    if (char === '\n') return true;
    if (char === this.delimiter) this.closeCell();
    else if (char === '"' && this.state !== 'plain') {
      if (this.state === 'closed') this.cell += char;
      this.state = 'quoted';
    } else if (this.state !== 'closed') {
      this.cell += char;
      this.state = 'plain';
    } else if (char !== '\r') this.problem = 'text follows a closing quote';
    return false;
  }

  private closeCell(): void {
    this.cells.push(this.cell);
    this.cell = '';
    this.state = 'start';
  }

  private finish(rows: TextRow[]): void {
    if (this.state === 'plain' && this.cell.endsWith('\r')) this.cell = this.cell.slice(0, -1);
    const empty = this.cells.length === 0 && this.cell === '' && this.state !== 'closed';
    this.closeCell();
    const { startedAt: line, cells, problem } = this;
    if (!empty) rows.push({ line, cells, ...(problem === undefined ? {} : { problem }) });
    this.cells = [];
    this.problem = undefined;
    this.length = 0;
    this.startedAt = this.line;
  }

  private open(what: string): FairwayError {
    return new FairwayError('input.invalid', `${this.file}: the row that begins in line ${this.startedAt} ${what}`);
  }
}

const DELIMITERS = [',', ';', '\t', '|'];

/** The delimiter that stands most often in the first line, outside quotes; a comma when none does. */
export function detectDelimiter(text: string): string {
  const header = (text.split('\n', 1)[0] ?? '').replaceAll(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}
