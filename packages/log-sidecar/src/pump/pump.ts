import { type Logger, type Part, pause, redact } from '@fairway/core';
import type { AgentClock, PackQueue, Spool, SpooledPack } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { toPack } from './encode.ts';
import { within } from './within.ts';

const ADD_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 1000;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5000;

export type PumpConfig = {
  /** This process's epoch; packs of others were left by an earlier one. */
  readonly epoch: string;
  /** At stop: how long packs are still sent. */
  readonly graceMs: number;
};

/**
 * Moves packs from the spool to the queue, one at a time and in order. Everything that can wait waits here: a queue
 * that is away, slow, frozen or refusing costs a back-off and nothing else. A pack leaves the spool only when the
 * queue has taken it; an add that timed out may have been executed, and is repeated under the same id.
 */
export class Pump implements Part {
  readonly name = 'pump';
  private readonly config: PumpConfig;
  private readonly spool: Spool;
  private readonly queue: PackQueue;
  private readonly tally: Tally;
  private readonly clock: AgentClock;
  private readonly log: Logger;
  private readonly random: () => number;
  private loop: Promise<void> | undefined;
  private stopBy = Number.POSITIVE_INFINITY;
  private nap = new AbortController();
  private failures = 0;

  constructor(
    config: PumpConfig,
    ports: { spool: Spool; queue: PackQueue; tally: Tally; clock: AgentClock; log: Logger },
    random: () => number,
  ) {
    this.config = config;
    this.spool = ports.spool;
    this.queue = ports.queue;
    this.tally = ports.tally;
    this.clock = ports.clock;
    this.log = ports.log;
    this.random = random;
  }

  start(): void {
    this.loop = this.run();
  }

  /** A pack is ready: wakes the pump, unless it backs off from a queue that refused. */
  wake(): void {
    if (this.failures === 0) this.nap.abort();
  }

  /** The queue took the last pack that was offered to it (or none was yet). */
  get flowing(): boolean {
    return this.failures === 0;
  }

  /** Sends what the grace allows. With the queue away only exchanges in memory are worth waiting for. */
  async stop(): Promise<void> {
    this.stopBy = this.clock.monotonic() + this.config.graceMs;
    this.nap.abort();
    await this.loop;
    // A connection that is stuck may never finish closing.
    await within(CLOSE_TIMEOUT_MS, this.queue.close(), 'The queue did not close.').catch(() => {});
  }

  private async run(): Promise<void> {
    while (!this.finished()) {
      const pack = this.spool.next();
      if (!pack) await this.sleep(BACKOFF_MAX_MS);
      else if (await this.send(pack)) this.failures = 0;
      else await this.sleep(this.backoff());
    }
  }

  private finished(): boolean {
    if (this.stopBy === Number.POSITIVE_INFINITY) return false;
    const { packs, inMemory } = this.spool.state();
    const worthwhile = packs > 0 && (this.failures === 0 || inMemory > 0);
    return !worthwhile || this.clock.monotonic() >= this.stopBy;
  }

  private async send(pack: SpooledPack): Promise<boolean> {
    const exchanges = await this.spool.read(pack).catch((error: Error) => this.unreadable(pack, error));
    if (!exchanges) return true;
    try {
      const job = toPack(pack, exchanges);
      await within(ADD_TIMEOUT_MS, this.queue.add(job), 'The queue did not answer in time.');
    } catch (error) {
      this.failed(error as Error);
      return false;
    }
    if (this.failures > 0) this.log.info({ failures: this.failures }, 'queue takes packs again');
    this.spool.done(pack);
    this.tally.packs++;
    if (pack.epoch === this.config.epoch) this.tally.sent += pack.exchanges;
    else this.tally.recovered += pack.exchanges;
    return true;
  }

  private unreadable(pack: SpooledPack, error: Error): undefined {
    this.log.error({ reason: error.message, exchanges: pack.exchanges }, 'pack cannot be read from the spool');
    bump(this.tally.dropped, 'spool_corrupt', pack.exchanges);
    this.spool.done(pack);
  }

  private failed(error: Error): void {
    this.tally.addFailures++;
    if (this.failures++ > 0) return;
    this.log.warn({ reason: redact(error.message) }, 'queue does not take packs, spool holds them');
  }

  /** Doubles up to 5 s, with jitter so that the pods of a deployment do not come back together. */
  private backoff(): number {
    return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (this.failures - 1)) * (0.5 + this.random() / 2);
  }

  private async sleep(ms: number): Promise<void> {
    if (this.nap.signal.aborted) this.nap = new AbortController();
    if (this.stopBy < Number.POSITIVE_INFINITY) return pause(Math.min(ms, 50));
    await pause(ms, this.nap.signal);
  }
}
