import { ChunkedBody } from './chunked.ts';
import type { BodyFrame } from './head.ts';
import type { UnframedReason } from './unframed.ts';

export const HEAD_CAP = 32 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const CR = 0x0d;

/** What the framer tells of the messages that pass in one direction. */
export type Messages = {
  /** The first byte of a message; a reason stops the framing. */
  first(byte: number): UnframedReason | undefined;
  /** A complete head. `end` is the offset behind it in the chunk being pushed (1 or more). */
  head(head: Buffer, end: number): { body: BodyFrame } | UnframedReason;
  body(piece: Buffer): void;
  end(): void;
};

/**
 * Finds HTTP/1.1 messages in the bytes of one direction, however they are cut:
 *   head → (complete) → length | chunked | eof → (complete) → head → …
 * It looks on and changes nothing. A reason from `push` is final: the caller stops pushing.
 */
export class Framer {
  private readonly messages: Messages;
  private state: 'head' | 'length' | 'chunked' | 'eof' = 'head';
  private left = 0;
  private chunked = new ChunkedBody();
  /** The head so far, when it came in more than one chunk. */
  private kept: Buffer = Buffer.alloc(0);
  private keptLength = 0;

  constructor(messages: Messages) {
    this.messages = messages;
  }

  push(chunk: Buffer): UnframedReason | undefined {
    let at = 0;
    while (at < chunk.length) {
      const next = this.state === 'head' ? this.readHead(chunk, at) : this.readBody(chunk, at);
      if (typeof next === 'string') return next;
      at = next;
    }
    return undefined;
  }

  /** The bytes so far end in the CR of what may be a head's blank line. */
  get endsInBlankLine(): boolean {
    const { kept, keptLength: n } = this;
    return n >= 3 && kept[n - 1] === CR && kept[n - 2] === 0x0a && kept[n - 3] === CR;
  }

  /** Between two messages. */
  get idle(): boolean {
    return this.state === 'head' && this.keptLength === 0;
  }

  /** The direction has ended; a body that lasts until then is complete now. */
  finish(): void {
    if (this.state === 'eof') this.complete();
  }

  private readHead(chunk: Buffer, at: number): number | UnframedReason {
    if (this.keptLength === 0) {
      const reason = this.messages.first(chunk[at] as number);
      if (reason) return reason;
      const found = chunk.indexOf(HEAD_END, at);
      if (found >= 0) return this.startBody(chunk.subarray(at, found + 4), found + 4);
    }
    return this.readCutHead(chunk, at);
  }

  private readCutHead(chunk: Buffer, at: number): number | UnframedReason {
    const before = this.keptLength;
    const end = Math.min(chunk.length, at + HEAD_CAP - before + 1);
    this.keep(chunk, at, end);
    const found = this.kept.subarray(0, this.keptLength).indexOf(HEAD_END, Math.max(0, before - 3));
    if (found < 0) return this.keptLength > HEAD_CAP ? 'head_too_large' : end;
    const head = this.kept.subarray(0, found + 4);
    this.keptLength = 0;
    return this.startBody(head, at + head.length - before);
  }

  private keep(chunk: Buffer, at: number, end: number): void {
    const length = this.keptLength + end - at;
    if (length > this.kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.kept.length * 2, 1024));
      this.kept.copy(grown, 0, 0, this.keptLength);
      this.kept = grown;
    }
    chunk.copy(this.kept, this.keptLength, at, end);
    this.keptLength = length;
  }

  private startBody(head: Buffer, end: number): number | UnframedReason {
    if (head.length > HEAD_CAP) return 'head_too_large';
    const answer = this.messages.head(head, end);
    if (typeof answer === 'string') return answer;
    if (answer.body === 0) this.complete();
    else if (typeof answer.body === 'number') {
      this.state = 'length';
      this.left = answer.body;
    } else {
      this.state = answer.body;
      if (answer.body === 'chunked') this.chunked = new ChunkedBody();
    }
    return end;
  }

  private readBody(chunk: Buffer, at: number): number | UnframedReason {
    if (this.state === 'chunked') return this.readChunked(chunk, at);
    const end = this.state === 'eof' ? chunk.length : Math.min(chunk.length, at + this.left);
    this.messages.body(chunk.subarray(at, end));
    if (this.state === 'length') {
      this.left -= end - at;
      if (this.left === 0) this.complete();
    }
    return end;
  }

  private readChunked(chunk: Buffer, at: number): number | UnframedReason {
    const next = this.chunked.read(chunk, at, (piece) => this.messages.body(piece));
    if (next < 0) return 'malformed';
    if (this.chunked.done) this.complete();
    return next;
  }

  private complete(): void {
    this.state = 'head';
    this.messages.end();
  }
}
