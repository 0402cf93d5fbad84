import { ChunkedBody } from './chunked.ts';
import { type BodyFrame, HEAD_CAP } from './head.ts';
import type { UnframedReason } from './unframed.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
const CR = 0x0d;

/** What the framer tells of the messages that pass in one direction. */
export type Messages = {
  /** Reads the common head at `at`: bytes of body behind it, or -1 when it is not one of those, and must be read in full. */
  common(chunk: Buffer, at: number): number;
  /** Offset behind the head that `common` read. */
  readonly commonEnd: number;
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
  private chunked: ChunkedBody | undefined;
  /** The head so far, when it came in more than one chunk. */
  private kept: Buffer = NOTHING;
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
      const length = this.messages.common(chunk, at);
      if (length >= 0) return this.startLength(length, this.messages.commonEnd);
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
    if (typeof answer.body === 'number') return this.startLength(answer.body, end);
    this.state = answer.body;
    if (answer.body === 'chunked') this.chunked = new ChunkedBody();
    return end;
  }

  private startLength(length: number, end: number): number {
    this.left = length;
    if (length === 0) this.complete();
    else this.state = 'length';
    return end;
  }

  private readBody(chunk: Buffer, at: number): number | UnframedReason {
    if (this.state === 'chunked') return this.readChunked(chunk, at);
    const end = this.state === 'eof' ? chunk.length : Math.min(chunk.length, at + this.left);
    this.messages.body(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
    if (this.state === 'length') {
      this.left -= end - at;
      if (this.left === 0) this.complete();
    }
    return end;
  }

  private readChunked(chunk: Buffer, at: number): number | UnframedReason {
    const chunked = (this.chunked ??= new ChunkedBody());
    const next = chunked.read(chunk, at, (piece) => this.messages.body(piece));
    if (next < 0) return 'malformed';
    if (chunked.done) this.complete();
    return next;
  }

  private complete(): void {
    this.state = 'head';
    this.messages.end();
  }
}
