import type { Body } from '../ports.ts';

/** Bytes that all unfinished exchanges of the process may hold together. */
export type BodyBudget = { held: number; readonly cap: number };

const NOTHING: readonly Buffer[] = [];

/** Keeps the first bytes of one body as references to the chunks that came in, and counts the rest. */
export class Tape {
  private readonly cap: number;
  private readonly budget: BodyBudget;
  /** Most bodies come in one piece, and need no list. */
  private first: Buffer | undefined;
  private pieces: Buffer[] | undefined;
  private held = 0;
  /** Nothing more is kept, only counted. */
  isShut = false;
  length = 0;

  constructor(cap: number, budget: BodyBudget) {
    this.cap = cap;
    this.budget = budget;
  }

  add(piece: Buffer): void {
    const room = this.isShut || this.truncated ? 0 : Math.min(this.cap - this.held, this.budget.cap - this.budget.held);
    this.length += piece.length;
    if (room <= 0) return;
    const kept = piece.length <= room ? piece : piece.subarray(0, room);
    if (this.first === undefined) this.first = kept;
    else if (this.pieces) this.pieces.push(kept);
    else this.pieces = [this.first, kept];
    this.held += kept.length;
    this.budget.held += kept.length;
  }

  get truncated(): boolean {
    return this.held < this.length;
  }

  /** What is kept, until it is released. */
  body(): Body {
    return this.pieces ?? this.first ?? NOTHING;
  }

  /** Gives the bytes back to the budget; the tape is not used afterwards. */
  release(): void {
    this.budget.held -= this.held;
    this.held = 0;
    this.first = undefined;
    this.pieces = undefined;
  }
}

/** A body as one buffer of its own. */
export const joined = (body: Body): Buffer => Buffer.concat(body instanceof Uint8Array ? [body] : body);
