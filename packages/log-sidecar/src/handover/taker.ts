import { type Part, SAMPLED_OUT } from '@fairway/core';
import { HOP_LOSSES, type Mark, type Spool, type RawExchange } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { lostAt, RecordReader } from './record.ts';
import { type RingMemory, RingReader, WORD } from './ring.ts';

/** One write to the spool for what came in so long, or for so many bytes (capture reference §4.1). */
const EVERY_MS = 20;
const GROUP_BYTES = 256 * 1024;
const GROUP_EXCHANGES = 500;
/** So many empty looks, and the taker sleeps until the hop wakes it. */
const PATIENCE = 50;

export type TakerParts = {
  readonly spool: Pick<Spool, 'commit'>;
  /** Takes one exchange; its bodies must be copied before it returns. */
  readonly take: (raw: RawExchange, seq: number) => void;
  readonly tally: Tally;
};

/**
 * The capture thread's end of the ring: takes over what the hop left there and has it written in groups. The room is
 * given back only when the group is written. With each group goes a mark of how far the epoch is stored or counted; how
 * far the hop has counted since, it writes down itself.
 */
export class Taker implements Part {
  readonly name = 'taker';
  /** Exchanges taken over. */
  count = 0;
  private readonly ring: RingReader;
  private readonly records: RecordReader;
  private readonly parts: TakerParts;
  private timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  private idle = 0;
  private taken = 0;
  private lost: readonly number[] = HOP_LOSSES.map(() => 0);
  private last: Mark = { high: 0, taken: 0, dropped: {} };
  private stopped = false;

  constructor(memory: RingMemory, parts: TakerParts) {
    this.ring = new RingReader(memory);
    this.records = new RecordReader(this.ring.views);
    this.parts = parts;
  }

  start(): void {
    this.mark();
    this.turn();
  }

  /** Takes everything that is there, and expects no more. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer as NodeJS.Timeout);
    clearImmediate(this.timer as NodeJS.Immediate);
    while (this.group());
    // The hop has stopped before: what it lost last has no record behind it.
    this.taken = this.given();
    this.lost = this.hopLosses();
    this.mark();
  }

  /** Looks at once. */
  wake(): void {
    if (this.stopped) return;
    clearTimeout(this.timer as NodeJS.Timeout);
    clearImmediate(this.timer as NodeJS.Immediate);
    this.turn();
  }

  /** Whether this thread gets too little of the processor. */
  isShort(short: boolean): void {
    Atomics.store(this.ring.views.control, WORD.short, Number(short));
  }

  /** All losses of the epoch so far by reason, and what the sample left out under its own name. */
  losses(): Record<string, number> {
    return this.dropped(this.hopLosses());
  }

  private turn(): void {
    this.timer = undefined;
    const before = this.taken;
    const more = this.group();
    this.idle = this.taken > before ? 0 : this.idle + 1;
    if (more) this.timer = setImmediate(() => this.turn());
    else if (this.idle < PATIENCE) this.timer = setTimeout(() => this.turn(), EVERY_MS);
    else this.sleep();
  }

  /** One group; true when there may be more. */
  private group(): boolean {
    let bytes = 0;
    let last = -1;
    let at = 0;
    for (let i = 0; i < GROUP_EXCHANGES && bytes < GROUP_BYTES && at >= 0; i++) {
      at = this.ring.next();
      if (at < 0) break;
      bytes += this.one(at);
      last = at;
    }
    if (last >= 0) this.lost = lostAt(this.ring.views, last);
    this.finish();
    return at >= 0;
  }

  private one(at: number): number {
    const { seq, raw } = this.records.read(at);
    this.parts.take(raw, seq);
    this.count++;
    this.taken = seq;
    return raw.request.length + raw.response.length;
  }

  private finish(): void {
    if (this.taken > this.last.taken || this.given() !== this.last.high) this.mark();
    this.ring.release();
  }

  private sleep(): void {
    const { control } = this.ring.views;
    Atomics.store(control, WORD.asleep, 1);
    // What came between the last look and the word is taken now: nobody would wake us for it.
    if (Atomics.load(control, WORD.written) !== Atomics.load(control, WORD.read)) {
      Atomics.store(control, WORD.asleep, 0);
      this.timer = setImmediate(() => this.turn());
    }
  }

  /** Commits the group with a mark. */
  private mark(): void {
    this.last = { high: this.given(), taken: this.taken, dropped: this.dropped(this.lost) };
    this.parts.spool.commit(this.last);
    Atomics.store(this.ring.views.control, WORD.taken, this.taken | 0);
  }

  private dropped(byHop: readonly number[]): Record<string, number> {
    const dropped = { ...this.parts.tally.dropped };
    for (const [i, reason] of HOP_LOSSES.entries()) bump(dropped, reason, byHop[i]);
    bump(dropped, SAMPLED_OUT, Atomics.load(this.ring.views.control, WORD.sampledOut) >>> 0);
    return Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0));
  }

  private given(): number {
    // 32 bits of it are shared; it is never behind what was taken.
    return this.taken + ((Atomics.load(this.ring.views.control, WORD.given) - this.taken) >>> 0);
  }

  private hopLosses(): number[] {
    const { control } = this.ring.views;
    return HOP_LOSSES.map((_, i) => Atomics.load(control, WORD.lost + i) >>> 0);
  }
}
