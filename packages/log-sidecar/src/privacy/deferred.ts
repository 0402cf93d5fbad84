import type { Part } from '@fairway/core';
import type { AgentClock, DropReason, Later } from '../ports.ts';
import type { Tally } from '../tally.ts';

const MAX_WAITING = 1000;
const MAX_BYTES = 16 * 1024 * 1024;
/** Then the sockets have their turn. */
const SLICE_MS = 2;

type Task = { readonly bytes: number; readonly run: () => void };

/**
 * Work on captured exchanges that is too slow for the hop: an answer is forwarded only after capture has seen it, and to
 * parse 275 KB takes milliseconds. It runs between the sockets' turns, in order, and waits bounded by count and bytes.
 * What waits is in memory only: a kill loses it, and the gap in the sequence shows how much.
 */
export class Deferred implements Later, Part {
  readonly name = 'redaction';
  private readonly clock: AgentClock;
  private readonly tally: Tally;
  private readonly tasks: Task[] = [];
  private held = 0;
  private stopped = false;

  constructor(clock: AgentClock, tally: Tally) {
    this.clock = clock;
    this.tally = tally;
  }

  start(): void {}

  /** Does what waits; what comes later is done at once. */
  stop(): void {
    this.stopped = true;
    while (this.tasks.length > 0) this.next();
  }

  offer(task: Task): DropReason | undefined {
    if (this.tasks.length >= MAX_WAITING || this.held + task.bytes > MAX_BYTES) return 'redaction_full';
    this.tasks.push(task);
    this.held += task.bytes;
    this.tally.redacting++;
    if (this.stopped) this.next();
    else if (this.tasks.length === 1) setImmediate(() => this.slice());
    return undefined;
  }

  private slice(): void {
    const began = this.clock.monotonic();
    while (this.tasks.length > 0 && this.clock.monotonic() - began < SLICE_MS) this.next();
    if (this.tasks.length > 0) setImmediate(() => this.slice());
  }

  private next(): void {
    const task = this.tasks.shift();
    if (!task) return;
    this.held -= task.bytes;
    this.tally.redacting--;
    try {
      task.run();
    } catch {
      this.tally.captureErrors++;
    }
  }
}
