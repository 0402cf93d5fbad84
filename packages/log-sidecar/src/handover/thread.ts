import type { Worker } from 'node:worker_threads';
import { type Logger, type Part, pause } from '@fairway/core';
import { createTally, ofEpoch, type Tally, together } from '../tally.ts';
import type { RingMemory } from './ring.ts';

/** One life of the capture thread. */
export type Session = {
  readonly epoch: string;
  readonly memory: RingMemory;
  /** The session that ended before, and how many numbers it gave. */
  readonly predecessor: { readonly epoch: string; readonly given: number } | undefined;
};

export type Question = 'metrics' | 'account';
/** What the capture thread is told. `hop`: the counters of the forwarding thread; `past`: all that ended epochs counted. */
export type Order =
  | { readonly kind: 'wake' }
  | { readonly kind: 'stop' }
  | { readonly kind: Question; readonly call: number; readonly hop: Tally; readonly past: Tally };
/** What it tells. `tally`: its own counters, with every answer and now and then, for what is counted after it. */
export type Report =
  | { readonly kind: 'ready' | 'stopped' }
  | { readonly kind: 'counted'; readonly tally: Tally }
  | { readonly kind: 'answer'; readonly call: number; readonly body: string; readonly tally: Tally };

const READY_MS = 10_000;
const ANSWER_MS = 2000;
const STOP_MS = 9500;
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 10_000;
/** A thread that lived so long did not die of its start. */
const STEADY_MS = 60_000;

export type ThreadParts = {
  /** Starts the thread; it gets the session as its workerData. */
  readonly open: (session: Session) => Worker;
  /** The first session, and those that follow. */
  readonly begin: (predecessor: string | undefined) => Session;
  readonly tally: Tally;
  readonly log: Logger;
  readonly now: () => number;
};

/**
 * The capture thread as the forwarding thread sees it. When it dies the hop goes on: a new epoch begins at once in a new
 * ring, and a new thread takes it over after a pause that doubles up to 10 s. What the dead one counted is kept as far as it
 * told: a total that was shown never falls while the process lives.
 */
export class CaptureThread implements Part {
  readonly name = 'capture';
  session: Session;
  private readonly parts: ThreadParts;
  private worker: Worker | undefined;
  private startedAt = 0;
  private deaths = 0;
  private calls = 0;
  private past = createTally();
  private counted = createTally();
  private readonly waiting = new Map<number, (body: string | undefined) => void>();
  private readonly stopping = new AbortController();
  private onReady: () => void = () => {};

  constructor(parts: ThreadParts) {
    this.parts = parts;
    this.session = parts.begin(undefined);
  }

  /** Resolves when capture is there, or has not come in time: predictions do not wait for it any longer. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.onReady = resolve;
    });
    this.spawn();
    await Promise.race([ready, pause(READY_MS)]);
  }

  /** Has everything taken over, sent as far as the grace allows, and written down. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const { worker } = this;
    if (!worker) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.tell({ kind: 'stop' });
    await Promise.race([exited, pause(STOP_MS)]);
    await worker.terminate();
  }

  wake(): void {
    this.tell({ kind: 'wake' });
  }

  /** What the thread says, or undefined when it does not say anything in time. */
  async ask(kind: Question): Promise<string | undefined> {
    if (!this.worker) return undefined;
    const call = ++this.calls;
    const answer = new Promise<string | undefined>((resolve) => this.waiting.set(call, resolve));
    this.tell({ kind, call, hop: this.parts.tally, past: this.past });
    const patience = new AbortController();
    try {
      return await Promise.race([answer, pause(ANSWER_MS, patience.signal).then(() => undefined)]);
    } finally {
      patience.abort();
      this.waiting.delete(call);
    }
  }

  private tell(order: Order): void {
    this.worker?.postMessage(order);
  }

  private spawn(): void {
    this.startedAt = this.parts.now();
    try {
      const worker = this.parts.open(this.session);
      this.worker = worker;
      worker.on('message', (report: Report) => this.hear(report));
      worker.on('error', ({ message }) => this.parts.log.error({ reason: message }, 'capture thread failed'));
      worker.once('exit', () => this.died());
    } catch (error) {
      this.parts.log.error({ reason: (error as Error).message }, 'capture thread cannot be started');
      this.died();
    }
  }

  private hear(report: Report): void {
    if (report.kind === 'ready') this.onReady();
    if (report.kind === 'counted' || report.kind === 'answer') this.counted = report.tally;
    if (report.kind === 'answer') this.waiting.get(report.call)?.(report.body);
  }

  private died(): void {
    this.worker = undefined;
    for (const answer of this.waiting.values()) answer(undefined);
    if (this.stopping.signal.aborted) return;
    const { log, now, begin, tally } = this.parts;
    this.deaths = now() - this.startedAt > STEADY_MS ? 1 : this.deaths + 1;
    const wait = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** (this.deaths - 1));
    log.error({ epoch: this.session.epoch, waitMs: wait }, 'capture thread ended, predictions go on without it');
    this.past = together(this.past, together(ofEpoch(tally), this.counted));
    this.counted = createTally();
    this.session = begin(this.session.epoch);
    void pause(wait, this.stopping.signal).then(() => {
      if (!this.stopping.signal.aborted) this.spawn();
    });
  }
}
