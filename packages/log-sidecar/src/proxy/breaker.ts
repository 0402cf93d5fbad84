import type { AgentClock } from '../ports.ts';
import type { Tally } from '../tally.ts';

const LIMIT = 20;
const PERIOD_MS = 60_000;

/** Switches capture of new connections off for a minute when its code threw 20 times within one. */
export class Breaker {
  private readonly clock: AgentClock;
  private readonly tally: Tally;
  private since = 0;
  private failures = 0;

  constructor(clock: AgentClock, tally: Tally) {
    this.clock = clock;
    this.tally = tally;
  }

  failed(): void {
    this.refresh();
    this.tally.captureErrors++;
    this.failures++;
    this.tally.captureOff = this.failures >= LIMIT;
    if (this.failures === LIMIT) this.since = this.clock.monotonic();
  }

  get open(): boolean {
    this.refresh();
    return this.tally.captureOff;
  }

  private refresh(): void {
    const now = this.clock.monotonic();
    if (now - this.since < PERIOD_MS) return;
    this.since = now;
    this.failures = 0;
    this.tally.captureOff = false;
  }
}
