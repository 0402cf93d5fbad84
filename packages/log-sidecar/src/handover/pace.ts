import { readFileSync } from 'node:fs';
import type { Part } from '@fairway/core';

/** Large bodies a second that are handed over while the processor is short: bytes. */
const PER_SECOND = 8 * 1024 * 1024;
const LOOK_MS = 100;

/** Bytes that may be taken: `perSecond`, and those of a quarter of a second at once. */
export class Allowance {
  private readonly now: () => number;
  private readonly perSecond: number;
  private left: number;
  private at: number;

  /** `now`: monotonic ms. */
  constructor(now: () => number, perSecond = PER_SECOND) {
    this.now = now;
    this.perSecond = perSecond;
    this.left = perSecond / 4;
    this.at = now();
  }

  take(bytes: number): boolean {
    const now = this.now();
    this.left = Math.min(this.perSecond / 4, this.left + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    if (this.left < bytes) return false;
    this.left -= bytes;
    return true;
  }
}

/**
 * Says whether the thread that starts it wants more of the processor than it gets: it has waited for longer than it has run,
 * by the system's own count (schedstat). A body of 300 KB costs capture ten times what it costs the hop, so that large ones
 * would take a third of a shared core from forwarding. Where the system does not count, the processor is never short.
 */
export class Shortage implements Part {
  readonly name = 'pace';
  private readonly tell: (isShort: boolean) => void;
  private readonly read: () => string;
  private timer: NodeJS.Timeout | undefined;
  private last = { ran: 0, waited: 0 };

  constructor(tell: (isShort: boolean) => void, read = () => readFileSync('/proc/thread-self/schedstat', 'latin1')) {
    this.tell = tell;
    this.read = read;
  }

  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.tell(false);
  }

  private look(): void {
    try {
      const [ran = 0, waited = 0] = this.read().split(' ').map(Number);
      const { last } = this;
      this.last = { ran, waited };
      const [runs, waits] = [ran - last.ran, waited - last.waited];
      // Of less than a tenth of a look nothing can be told.
      this.tell(waits > runs && runs + waits > LOOK_MS * 1e5);
    } catch {
      clearInterval(this.timer);
    }
  }
}
