import type { UnframedReason } from './unframed.ts';

/** Frame types and flags of RFC 9113 §6. */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PUSH_PROMISE = 5;
const GOAWAY = 7;
const CONTINUATION = 9;
const END_STREAM = 0x01;
const ACK = 0x01;
const END_HEADERS = 0x04;
const PADDED = 0x08;
const PRIORITY = 0x20;

const FRAME_HEAD = 9;
const DEFAULT_FRAME = 16_384;
/** One block of header fields with all its continuations. */
export const BLOCK_CAP = 64 * 1024;
/** What is kept of a GOAWAY: the rest is for people. */
const GOAWAY_KEPT = 8;

export type Setting = 'table' | 'frame';

/** What the reader tells of the frames that pass in one direction. A reason ends the reading. */
export type Frames = {
  headers(stream: number, block: Buffer, ends: boolean): UnframedReason | undefined;
  data(stream: number, piece: Buffer): void;
  ends(stream: number): void;
  reset(stream: number): void;
  /** The sender's limit for what it is sent. */
  setting(name: Setting, value: number): void;
  /** The sender takes no stream above `last`. */
  goaway(last: number): void;
};

/**
 * Finds HTTP/2 frames in the bytes of one direction, however they are cut:
 *   preface (the client's) → frame head → payload → frame head → …
 * DATA goes on in the pieces that come in; of the other frames only those that matter are put together, within a cap.
 * It looks on and changes nothing. A reason from `push` is final: the caller stops pushing.
 */
export class FrameReader {
  /** The largest frame that the receiver has ever allowed. */
  maxFrame = DEFAULT_FRAME;
  private readonly frames: Frames;
  private preface: Buffer;
  private begun = false;
  private readonly head = Buffer.alloc(FRAME_HEAD);
  private headLength = 0;
  private type = 0;
  private flags = 0;
  private stream = 0;
  /** Octets of the payload that have not come yet. */
  private left = 0;
  /** Octets of padding at the end of a DATA frame; undefined until its length was read. */
  private padding: number | undefined = 0;
  private kept: Buffer[] = [];
  private keptLength = 0;
  private wanted = 0;
  /** The block of header fields that is not complete yet. */
  private open:
    | { readonly stream: number; readonly ends: boolean; readonly pieces: Buffer[]; length: number }
    | undefined;

  constructor(preface: Buffer, frames: Frames) {
    this.preface = preface;
    this.frames = frames;
  }

  /** Between two frames, and between two blocks of header fields. */
  get idle(): boolean {
    return this.headLength === 0 && this.open === undefined;
  }

  push(chunk: Buffer): UnframedReason | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.preface.length > 0) {
        const length = Math.min(this.preface.length, chunk.length - at);
        if (chunk.compare(this.preface, 0, length, at, at + length) !== 0)
          return chunk[at] === 0x16 ? 'tls' : 'not_http2';
        this.preface = this.preface.subarray(length);
        at += length;
        continue;
      }
      const next = this.headLength < FRAME_HEAD ? this.readHead(chunk, at) : this.readPayload(chunk, at);
      if (typeof next === 'string') return next;
      at = next;
    }
    return undefined;
  }

  private readHead(chunk: Buffer, at: number): number | UnframedReason {
    const length = Math.min(FRAME_HEAD - this.headLength, chunk.length - at);
    chunk.copy(this.head, this.headLength, at, at + length);
    this.headLength += length;
    if (this.headLength < FRAME_HEAD) return at + length;
    return this.begin() ?? at + length;
  }

  private begin(): UnframedReason | undefined {
    const { head } = this;
    this.left = head.readUIntBE(0, 3);
    this.type = head[3] as number;
    this.flags = head[4] as number;
    this.stream = head.readUInt32BE(5) & 0x7fff_ffff;
    // Both sides begin with SETTINGS: anything else is another protocol, or a connection that was joined half-way.
    if (!this.begun && (this.type !== SETTINGS || this.flags & ACK)) return 'not_http2';
    this.begun = true;
    if (this.left > this.maxFrame) return 'frame_too_large';
    if (this.open && (this.type !== CONTINUATION || this.stream !== this.open.stream)) return 'malformed';
    if (!this.open && this.type === CONTINUATION) return 'malformed';
    const wanted = this.wantedOf();
    if (typeof wanted === 'string') return wanted;
    this.wanted = wanted;
    this.padding = this.type === DATA && this.flags & PADDED ? undefined : 0;
    return this.left === 0 ? this.complete() : undefined;
  }

  /** How much of the payload is to be put together, or what is wrong with the frame. */
  private wantedOf(): number | UnframedReason {
    const onConnection = this.stream === 0;
    switch (this.type) {
      case DATA:
        return onConnection ? 'malformed' : 0;
      case HEADERS:
      case CONTINUATION:
        if (onConnection) return 'malformed';
        return (this.open?.length ?? 0) + this.left > BLOCK_CAP ? 'headers_too_large' : this.left;
      case RST_STREAM:
        return onConnection || this.left !== 4 ? 'malformed' : 0;
      case SETTINGS:
        return onConnection && this.left % 6 === 0 ? this.left : 'malformed';
      case PUSH_PROMISE:
        return 'server_push';
      case GOAWAY:
        return onConnection && this.left >= GOAWAY_KEPT ? GOAWAY_KEPT : 'malformed';
      default:
        return 0;
    }
  }

  private readPayload(chunk: Buffer, at: number): number | UnframedReason {
    const end = Math.min(chunk.length, at + this.left);
    const piece = chunk.subarray(at, end);
    this.left -= piece.length;
    const reason = this.type === DATA ? this.readData(piece) : this.keep(piece);
    return reason ?? (this.left === 0 ? this.complete() : undefined) ?? end;
  }

  private readData(piece: Buffer): UnframedReason | undefined {
    let start = 0;
    if (this.padding === undefined) {
      this.padding = piece[0] as number;
      start = 1;
      if (this.padding > this.left + piece.length - 1) return 'malformed';
    }
    // The padding comes last: what is left of it tells how much of this piece it takes.
    const end = Math.min(piece.length, piece.length + this.left - this.padding);
    if (end > start) this.frames.data(this.stream, piece.subarray(start, end));
    return undefined;
  }

  private keep(piece: Buffer): undefined {
    const room = this.wanted - this.keptLength;
    if (room <= 0) return;
    const part = piece.subarray(0, room);
    this.kept.push(part);
    this.keptLength += part.length;
  }

  private complete(): UnframedReason | undefined {
    this.headLength = 0;
    const payload = this.kept.length === 1 ? (this.kept[0] as Buffer) : Buffer.concat(this.kept, this.keptLength);
    this.kept = [];
    this.keptLength = 0;
    switch (this.type) {
      case DATA:
        if (this.padding === undefined) return 'malformed';
        if (this.flags & END_STREAM) this.frames.ends(this.stream);
        return undefined;
      case HEADERS:
        return this.openBlock(payload);
      case CONTINUATION:
        return this.addToBlock(payload);
      case RST_STREAM:
        this.frames.reset(this.stream);
        return undefined;
      case SETTINGS:
        this.readSettings(payload);
        return undefined;
      case GOAWAY:
        this.frames.goaway(payload.readUInt32BE(0) & 0x7fff_ffff);
        return undefined;
      default:
        return undefined;
    }
  }

  private openBlock(payload: Buffer): UnframedReason | undefined {
    const padded = (this.flags & PADDED) !== 0;
    const start = (padded ? 1 : 0) + (this.flags & PRIORITY ? 5 : 0);
    const end = payload.length - (padded ? (payload[0] ?? 0) : 0);
    if (end < start) return 'malformed';
    this.open = { stream: this.stream, ends: (this.flags & END_STREAM) !== 0, pieces: [], length: 0 };
    return this.addToBlock(payload.subarray(start, end));
  }

  private addToBlock(piece: Buffer): UnframedReason | undefined {
    const { open } = this;
    if (!open) return 'malformed';
    const isLast = (this.flags & END_HEADERS) !== 0;
    // What has to wait must not be what a later chunk overwrites, nor keep a large chunk for a few octets.
    open.pieces.push(isLast ? piece : Buffer.from(piece));
    open.length += piece.length;
    if (!isLast) return undefined;
    this.open = undefined;
    const block = open.pieces.length === 1 ? piece : Buffer.concat(open.pieces, open.length);
    return this.frames.headers(open.stream, block, open.ends);
  }

  private readSettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const id = payload.readUInt16BE(at);
      if (id === 1) this.frames.setting('table', payload.readUInt32BE(at + 2));
      if (id === 5) this.frames.setting('frame', payload.readUInt32BE(at + 2));
    }
  }
}
