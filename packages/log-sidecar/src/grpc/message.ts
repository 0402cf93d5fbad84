/** Bytes that all unfinished exchanges of the process may hold together. */
export type BodyBudget = { held: number; readonly cap: number };

const PREFIX = 5;
/** Small pieces are gathered in blocks of at most so many octets. */
const BLOCK = 4096;
/** A piece is kept as it came while it holds no more memory than this times its own length. */
const MOST_PINNED = 4;

/**
 * The one message of a unary call's direction: a flag, four octets of length, the message (gRPC over HTTP/2,
 * "Length-Prefixed-Message"). Large pieces are kept as they came; small ones are copied together, so that a few octets
 * never hold the large chunk that they came in.
 */
export class GrpcMessage {
  /** Octets of the message that came. */
  length = 0;
  /** Those of them that are kept: the first. */
  held = 0;
  compressed = false;
  /** A second message, or a prefix that is none: this is no unary call. */
  foreign = false;
  /** Nothing more is kept, only counted. */
  isShut = false;
  readonly pieces: Buffer[] = [];
  private readonly cap: number;
  private readonly budget: BodyBudget;
  private readonly begins: (length: number) => void;
  private prefix: Buffer | undefined;
  private prefixLength = 0;
  private announced = 0;
  private block: Buffer | undefined;
  private used = 0;
  private charged = 0;

  /** `begins`: told how long the message will be, before any of it is kept. */
  constructor(cap: number, budget: BodyBudget, begins: (length: number) => void) {
    this.cap = cap;
    this.budget = budget;
    this.begins = begins;
  }

  add(piece: Buffer): void {
    const at = this.prefixLength < PREFIX ? this.readPrefix(piece) : 0;
    if (this.prefixLength < PREFIX) return;
    const body = piece.subarray(at, at + this.announced - this.length);
    if (body.length < piece.length - at) this.foreign = true;
    // Behind a gap nothing is kept.
    const isNext = this.held === this.length;
    this.length += body.length;
    if (isNext && body.length > 0 && !this.isShut) this.keep(body);
  }

  /** All that was announced has come. */
  get whole(): boolean {
    return this.prefixLength === PREFIX && this.length === this.announced;
  }

  get truncated(): boolean {
    return this.held < this.length;
  }

  /** What is kept between two offsets. Meant for few octets: those of several pieces are copied. */
  slice(start: number, end: number): Buffer {
    const parts: Buffer[] = [];
    let before = 0;
    for (const piece of this.pieces) {
      if (before >= end) break;
      if (before + piece.length > start) parts.push(piece.subarray(Math.max(0, start - before), end - before));
      before += piece.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Gives the bytes back to the budget; the message is not used afterwards. */
  release(): void {
    this.budget.held -= this.charged;
    this.charged = 0;
    this.held = 0;
    this.pieces.length = 0;
    this.block = undefined;
  }

  private readPrefix(piece: Buffer): number {
    const from = this.prefixLength;
    let prefix = piece;
    if (from > 0 || piece.length < PREFIX) {
      this.prefix ??= Buffer.alloc(PREFIX);
      prefix = this.prefix;
      this.prefixLength += piece.copy(prefix, from, 0, PREFIX - from);
    } else this.prefixLength = PREFIX;
    if (this.prefixLength < PREFIX) return piece.length;
    this.announced = prefix.readUInt32BE(1);
    this.compressed = prefix[0] === 1;
    this.foreign = (prefix[0] as number) > 1;
    this.begins(this.announced);
    return PREFIX - from;
  }

  private keep(body: Buffer): void {
    const room = Math.min(this.cap - this.held, this.budget.cap - this.budget.held);
    if (room <= 0) return;
    const part = body.length <= room ? body : body.subarray(0, room);
    if (part.buffer.byteLength > part.length * MOST_PINNED) return this.gather(part);
    this.block = undefined;
    this.pieces.push(part);
    this.held += part.length;
    this.charge(part.length);
  }

  private gather(part: Buffer): void {
    for (let at = 0; at < part.length; ) {
      if (this.block === undefined || this.used === this.block.length) {
        this.block = Buffer.allocUnsafeSlow(Math.min(BLOCK, this.cap - this.held, this.announced - this.held));
        this.used = 0;
        this.pieces.push(this.block);
        this.charge(this.block.length);
      }
      const copied = part.copy(this.block, this.used, at);
      this.used += copied;
      this.held += copied;
      this.pieces[this.pieces.length - 1] = this.block.subarray(0, this.used);
      at += copied;
    }
  }

  private charge(octets: number): void {
    this.charged += octets;
    this.budget.held += octets;
  }
}
