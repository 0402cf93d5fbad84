import { FIELDS } from './head.ts';

/** As strict as RFC 9112 about extensions, without its blanks: what servers read differently is not read at all. */
const SIZE_LINE =
  /^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t\x20\x21\x23-\x5b\x5d-\x7e]*"))?)*$/;
/** In a trailer these would come too late: a server refuses them. */
const LENGTH = /^(?:content-length|transfer-encoding):/i;
const SIZE_LINE_CAP = 1024;
const TRAILER_CAP = 32 * 1024;
const CR = 0x0d;
const LF = 0x0a;

/** Reads one chunked body; data goes out as slices of the chunks that came in. */
export class ChunkedBody {
  private state: 'size' | 'data' | 'data-end' | 'trailer' = 'size';
  private line = '';
  private left = 0;
  private trailer = 0;
  done = false;

  /** Reads `bytes` from `at`; answers the offset behind what belongs to this body, or -1 when it is malformed. */
  read(bytes: Buffer, at: number, data: (piece: Buffer) => void): number {
    let next = at;
    while (next >= 0 && next < bytes.length && !this.done) {
      next = this.state === 'data' ? this.readData(bytes, next, data) : this.readLine(bytes, next);
    }
    return next;
  }

  private readData(bytes: Buffer, at: number, data: (piece: Buffer) => void): number {
    const end = Math.min(bytes.length, at + this.left);
    data(bytes.subarray(at, end));
    this.left -= end - at;
    if (this.left === 0) this.state = 'data-end';
    return end;
  }

  private readLine(bytes: Buffer, at: number): number {
    const lf = bytes.indexOf(LF, at);
    const end = lf < 0 ? bytes.length : lf;
    this.line += bytes.toString('latin1', at, end);
    if (this.line.length > (this.state === 'trailer' ? TRAILER_CAP : SIZE_LINE_CAP)) return -1;
    if (lf < 0) return end;
    if (this.line.charCodeAt(this.line.length - 1) !== CR) return -1;
    const line = this.line.slice(0, -1);
    this.line = '';
    return this.endOfLine(line) ? lf + 1 : -1;
  }

  private endOfLine(line: string): boolean {
    switch (this.state) {
      case 'size':
        return this.size(line);
      case 'data-end':
        this.state = 'size';
        return line === '';
      default:
        this.trailer += line.length;
        this.done = line === '';
        if (this.trailer > TRAILER_CAP || LENGTH.test(line)) return false;
        return this.done || FIELDS.test(`\r\n${line}`);
    }
  }

  private size(line: string): boolean {
    const match = SIZE_LINE.exec(line);
    if (!match) return false;
    this.left = Number.parseInt(match[1] as string, 16);
    this.state = this.left === 0 ? 'trailer' : 'data';
    return true;
  }
}
