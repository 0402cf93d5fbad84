import { type Capture, HOP_LOSSES, type HopLoss, type Reach, type SeenExchange } from '../ports.ts';
import { beginEpoch, bump, type Tally } from '../tally.ts';
import type { Allowance } from './pace.ts';
import { roomFor, writeRecord } from './record.ts';
import { type RingMemory, RingWriter, WORD } from './ring.ts';

export type HandoverConfig = {
  /** Probability that an exchange is recorded. */
  readonly sampling: number;
};

export type HandoverParts = {
  readonly tally: Tally;
  readonly ids: () => string;
  readonly isSampled: (id: string, probability: number) => boolean;
  /** Has the reader look at the ring now. */
  readonly wake: () => void;
  /** Of large bodies, while the reader gets too little of the processor. */
  readonly allowance: Allowance;
  /** Where the numbers of an epoch are written down. `taken`: up to where the reader has taken over. */
  readonly reach: (epoch: string, taken: () => number) => Reach;
};

type Epoch = { readonly epoch: string; readonly memory: RingMemory };

/**
 * The hop's end of the ring. Every exchange of the sample gets a number here, so that whatever becomes of it behind the
 * hop shows as a gap; what the sample leaves out is counted and gets none: a gap is always a loss.
 */
export class Handover implements Capture {
  readonly nextId: () => string;
  private readonly sampling: number;
  private readonly parts: HandoverParts;
  private ring: RingWriter;
  private given = 0;
  private lost = HOP_LOSSES.map(() => 0);
  private written: Reach;

  constructor(config: HandoverConfig, parts: HandoverParts, { epoch, memory }: Epoch) {
    this.sampling = config.sampling;
    this.parts = parts;
    this.nextId = parts.ids;
    this.ring = new RingWriter(memory);
    this.written = parts.reach(epoch, () => this.taken());
  }

  /** A new epoch: numbers begin again, in another ring. Answers how many the last one gave. */
  begin({ epoch, memory }: Epoch): number {
    const { given } = this;
    const { tally, reach } = this.parts;
    this.written.end();
    this.ring = new RingWriter(memory);
    this.given = 0;
    this.lost = HOP_LOSSES.map(() => 0);
    this.written = reach(epoch, () => this.taken());
    beginEpoch(tally);
    return given;
  }

  completed(raw: SeenExchange): void {
    const { tally } = this.parts;
    tally.captured++;
    if (this.isOut(raw.id)) return;
    if (raw.truncated) tally.truncated++;
    const seq = this.give();
    const at = this.ring.claim(roomFor(raw));
    if (at < 0) this.lose('ring_full');
    else {
      writeRecord(this.ring.views, at, raw, seq, this.lost);
      this.ring.publish(at);
    }
    this.wakeReader();
  }

  /** Of a large body. */
  hasRoom(length: number): boolean {
    if (this.ring.free < length) return false;
    return Atomics.load(this.ring.views.control, WORD.short) === 0 || this.parts.allowance.take(length);
  }

  missed(reason: HopLoss, id?: string): void {
    this.parts.tally.captured++;
    if (id !== undefined && this.isOut(id)) return;
    this.lose(reason);
    this.give();
  }

  /** Outside the sample: counted, and that is all. */
  private isOut(id: string): boolean {
    const { tally, isSampled } = this.parts;
    if (this.sampling >= 1 || isSampled(id, this.sampling)) return false;
    Atomics.store(this.ring.views.control, WORD.sampledOut, ++tally.sampledOut | 0);
    return true;
  }

  private give(): number {
    const seq = ++this.given;
    Atomics.store(this.ring.views.control, WORD.given, seq | 0);
    this.written.reach(seq);
    return seq;
  }

  private taken(): number {
    // 32 bits of it are shared; it is never ahead of what was given.
    return this.given - ((this.given - Atomics.load(this.ring.views.control, WORD.taken)) >>> 0);
  }

  private wakeReader(): void {
    const { control } = this.ring.views;
    if (Atomics.load(control, WORD.asleep) === 1 && Atomics.exchange(control, WORD.asleep, 0) === 1) this.parts.wake();
  }

  private lose(reason: HopLoss): void {
    const index = HOP_LOSSES.indexOf(reason);
    const count = (this.lost[index] as number) + 1;
    this.lost[index] = count;
    bump(this.parts.tally.dropped, reason);
    Atomics.store(this.ring.views.control, WORD.lost + index, count | 0);
  }
}
