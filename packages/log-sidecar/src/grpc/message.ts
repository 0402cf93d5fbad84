/** Bytes that all unfinished exchanges of the process may hold together. */
export type BodyBudget = { held: number; readonly cap: number };

const PREFIX = 5;
const FIRST_ROOM = 4096;

/**
 * The one message of a unary call's direction: a flag, four octets of length, the message (gRPC over HTTP/2,
 * "Length-Prefixed-Message"). What is kept is copied, so that a few octets never hold the large chunk that they came in.
 */
export class GrpcMessage {
  /** Octets of the message that came. */
  length = 0;
  compressed = false;
  /** A second message, or a prefix that is none: this is no unary call. */
  foreign = false;
  private readonly cap: number;
  private readonly budget: BodyBudget;
  private readonly prefix = Buffer.alloc(PREFIX);
  private prefixLength = 0;
  private announced = 0;
  private buffer: Buffer = Buffer.alloc(0);
  private held = 0;

  constructor(cap: number, budget: BodyBudget) {
    this.cap = cap;
    this.budget = budget;
  }

  add(piece: Buffer): void {
    let at = 0;
    if (this.prefixLength < PREFIX) {
      at = piece.copy(this.prefix, this.prefixLength, 0, PREFIX - this.prefixLength);
      this.prefixLength += at;
      if (this.prefixLength < PREFIX) return;
      this.announced = this.prefix.readUInt32BE(1);
      this.compressed = this.prefix[0] === 1;
      this.foreign = (this.prefix[0] as number) > 1;
    }
    const body = piece.subarray(at, at + this.announced - this.length);
    if (body.length < piece.length - at) this.foreign = true;
    this.length += body.length;
    if (body.length > 0) this.keep(body);
  }

  /** All that was announced has come. */
  get whole(): boolean {
    return this.prefixLength === PREFIX && this.length === this.announced;
  }

  get truncated(): boolean {
    return this.held < this.length;
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.held);
  }

  /** Gives the bytes back to the budget; the message is not used afterwards. */
  release(): void {
    this.budget.held -= this.buffer.length;
    this.buffer = Buffer.alloc(0);
    this.held = 0;
  }

  private keep(body: Buffer): void {
    // Behind a gap nothing is kept.
    if (this.held < this.length - body.length) return;
    const wanted = Math.min(this.held + body.length, this.cap);
    if (wanted > this.buffer.length) this.grow(wanted);
    this.held += body.copy(this.buffer, this.held, 0, Math.max(0, wanted - this.held));
  }

  /** As large as was announced where that is little or most of it is here, else double: nobody reserves by a word alone. */
  private grow(wanted: number): void {
    const most = Math.min(this.announced, this.cap);
    const room = Math.min(most, Math.max(wanted, this.buffer.length * 2, FIRST_ROOM));
    const more = Math.min(room - this.buffer.length, this.budget.cap - this.budget.held);
    if (more <= 0) return;
    const grown = Buffer.allocUnsafeSlow(this.buffer.length + more);
    this.buffer.copy(grown, 0, 0, this.held);
    this.buffer = grown;
    this.budget.held += more;
  }
}
