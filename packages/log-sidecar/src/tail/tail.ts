import { FairwayError, type GroundTruth, type Logger, type Pack, type Part, pause, redact } from '@fairway/core';
import { type Cut, cut, type CutRules, packFor, sum } from './cut.ts';
import type { TailCounts, TailState } from './counts.ts';
import { type Incarnation, isLive } from './incarnation.ts';
import type { RefusedLabels } from './labels.ts';
import type { Tracker } from './tracker.ts';
import { Watch } from './watch.ts';

export type TailRules = CutRules & {
  /** Between two looks at all files, ms. */
  readonly pollMs: number;
  /** At stop: how long rows are still sent, ms. */
  readonly graceMs: number;
};

export type TailParts = {
  readonly tracker: Tracker;
  readonly counts: TailCounts;
  readonly log: Logger;
  monotonic(): number;
  random(): number;
  /** Resolves once the queue has taken the pack, and the recorder what it wants of its labels; rejects in time when they do not. */
  deliver(pack: Pack, labels: readonly GroundTruth[]): Promise<RefusedLabels | void>;
  close(): Promise<void>;
};

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5000;
/** Changes of files are looked at together after so long. */
const SETTLE_MS = 200;
const NONE_REFUSED: RefusedLabels = { count: 0, reason: '' };

/**
 * Records the rows of growing files. The files are its spool: a checkpoint moves only when the queue has what lies before
 * it, one pack after the other, and the bounds of a pack are on disk before anything of it is sent. So a pack that is sent
 * again after a crash is the same one, and the recorder's ledger has it once.
 */
export class Tail implements Part {
  readonly name = 'tail';
  private readonly rules: TailRules;
  private readonly parts: TailParts;
  private readonly watch = new Watch(() => this.changed());
  private readonly stopping = new AbortController();
  private stopBy = Number.POSITIVE_INFINITY;
  private nap = new AbortController();
  private loop: Promise<void> | undefined;
  private scanAt = 0;
  private hasLooked = false;
  private earliest = 0;
  private failures = 0;
  private readonly told = new Set<string>();

  constructor(rules: TailRules, parts: TailParts) {
    this.rules = rules;
    this.parts = parts;
  }

  /** Throws `config.invalid` when the checkpoints cannot be read. */
  async start(): Promise<void> {
    await this.parts.tracker.load();
    this.loop = this.run();
  }

  /** Sends what is there as long as the grace and the queue allow; the rest waits in the files. */
  async stop(): Promise<void> {
    this.stopBy = this.parts.monotonic() + this.rules.graceMs;
    this.stopping.abort();
    this.nap.abort();
    this.watch.close();
    await this.loop;
    await this.parts.tracker.close();
    await this.parts.close();
  }

  /** The queue took the last pack that was offered to it (or none was yet). */
  get flowing(): boolean {
    return this.failures === 0;
  }

  state(): TailState {
    const { incarnations } = this.parts.tracker;
    const live = incarnations.filter(isLive);
    const unread = (some: readonly Incarnation[]) =>
      some.reduce((bytes, { size, checkpoint }) => bytes + Math.max(0, size - checkpoint.offset), 0);
    const behind = live.flatMap(({ behindSince }) => behindSince ?? []);
    return {
      files: live.length,
      openFiles: live.filter(({ source }) => source !== undefined).length,
      bytesBehind: unread(live),
      bytesMissing: this.parts.counts.missingBytes + unread(incarnations.filter((one) => !isLive(one))),
      behindSince: behind.length === 0 ? undefined : Math.min(...behind),
    };
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.scanIfDue();
      const one = this.nextDue();
      if (one !== undefined) await this.advance(one);
      else await this.sleep();
    }
    await this.scan();
    for (const one of this.parts.tracker.incarnations) {
      while (one.due < Number.POSITIVE_INFINITY && this.mayGoOn()) await this.advance(one);
    }
  }

  private mayGoOn(): boolean {
    return this.parts.monotonic() < this.stopBy && (this.stopBy === Number.POSITIVE_INFINITY || this.failures === 0);
  }

  private changed(): void {
    this.scanAt = Math.min(this.scanAt, Math.max(this.earliest, this.parts.monotonic() + SETTLE_MS));
    this.nap.abort();
  }

  private async scanIfDue(): Promise<void> {
    if (this.parts.monotonic() >= this.scanAt) await this.scan();
  }

  private async scan(): Promise<void> {
    const began = this.parts.monotonic();
    try {
      const folders = await this.parts.tracker.scan();
      this.watch.look(folders);
      // A pattern that leads nowhere would otherwise be silent for ever.
      if (!this.hasLooked && this.state().files === 0) this.parts.log.info({ folders }, 'nothing to tail yet');
      this.hasLooked = true;
    } catch (error) {
      this.warn('files cannot be looked at', error as Error);
    }
    // A look at thousands of files takes a while: most of the time is for reading them.
    const now = this.parts.monotonic();
    this.earliest = now + (now - began) * 4;
    this.scanAt = Math.max(this.earliest, now + this.rules.pollMs);
  }

  private nextDue(): Incarnation | undefined {
    const now = this.parts.monotonic();
    const due = this.parts.tracker.incarnations.filter((one) => one.due <= now);
    return due.length === 0 ? undefined : due.reduce((first, one) => (one.due < first.due ? one : first));
  }

  private async sleep(): Promise<void> {
    const next = Math.min(this.scanAt, ...this.parts.tracker.incarnations.map(({ due }) => due));
    this.nap = new AbortController();
    await pause(Math.max(1, next - this.parts.monotonic()), AbortSignal.any([this.nap.signal, this.stopping.signal]));
  }

  /** One pack of one file. */
  private async advance(one: Incarnation): Promise<void> {
    try {
      const source = await this.parts.tracker.open(one);
      const stamp = (await source?.facts())?.stamp;
      if (source === undefined) return this.rest(one, undefined);
      const { isLast } = one;
      const piece = await cut(source, one.checkpoint, this.rules, isLast);
      // What was read counts only if the file was still the same afterwards.
      if (!source.isGzip && (await this.parts.tracker.verify(one)) === undefined) return this.changed();
      if (piece.rows > 0) await this.send(one, piece);
      else if (piece.bounds.end > one.checkpoint.offset) await this.move(one, piece);
      if (isLast && !piece.isFull) await this.parts.tracker.end(one, 'gone');
      else if (piece.isFull) one.due = this.parts.monotonic();
      else this.rest(one, stamp);
    } catch (error) {
      // A broken archive is read again when it has changed, anything else soon.
      if (one.source?.isGzip === true && !(error instanceof FairwayError)) this.rest(one, one.file?.stamp);
      else one.due = this.stopping.signal.aborted ? Number.POSITIVE_INFINITY : this.parts.monotonic() + BACKOFF_MAX_MS;
      if (!(error instanceof Interrupted)) this.warn('rows stay where they are', error as Error);
    }
  }

  private rest(one: Incarnation, stamp: string | undefined): void {
    one.tried = stamp;
    one.due = Number.POSITIVE_INFINITY;
    one.behindSince = undefined;
  }

  private async send(one: Incarnation, piece: Cut): Promise<void> {
    await this.parts.tracker.save(one, { ...one.checkpoint, pending: piece.bounds });
    const pack = packFor(one.checkpoint, piece);
    let refused = await this.offer(pack, piece.labels);
    while (refused === undefined) {
      if (!this.mayGoOn()) throw new Interrupted();
      await pause(this.backoff(), this.stopping.signal);
      // Files are renamed and new ones come while the queue is away.
      if (this.stopBy === Number.POSITIVE_INFINITY) await this.scanIfDue();
      refused = await this.offer(pack, piece.labels);
    }
    await this.move(one, piece);
    const { counts } = this.parts;
    counts.rows += piece.rows;
    counts.sent += piece.exchanges.length;
    counts.packs++;
    counts.labels += piece.labels.length - refused.count;
    counts.labelsRefused += refused.count;
    Object.assign(counts.refused, sum(counts.refused, piece.refused));
    for (const { refusal, problem, offset } of piece.examples) {
      const { path, epoch } = one.checkpoint;
      if (this.told.has(`${epoch} ${refusal}`)) continue;
      this.told.add(`${epoch} ${refusal}`);
      this.parts.log.warn(
        { file: path, byte: offset, refusal, reason: problem },
        'row refused, others like it are counted',
      );
    }
  }

  private async move(one: Incarnation, { bounds, seq, print, refused }: Cut): Promise<void> {
    const { pending: _, ...rest } = one.checkpoint;
    await this.parts.tracker.save(one, {
      ...rest,
      offset: bounds.end,
      seq,
      print,
      dropped: sum(rest.dropped, refused),
    });
  }

  /** undefined: not delivered. Labels that are refused for good hold up nothing. */
  private async offer(pack: Pack, labels: readonly GroundTruth[]): Promise<RefusedLabels | undefined> {
    try {
      const refused = (await this.parts.deliver(pack, labels)) ?? NONE_REFUSED;
      const { count, reason } = refused;
      if (count > 0) this.parts.log.warn({ labels: count, reason: redact(reason) }, 'labels refused, rows go on');
      if (this.failures > 0) this.parts.log.info({ failures: this.failures }, 'packs are taken again');
      this.failures = 0;
      return refused;
    } catch (error) {
      this.parts.counts.failures++;
      if (this.failures++ === 0) this.warn('packs are not taken, the files hold them', error as Error);
      return undefined;
    }
  }

  /** Doubles up to 5 s, with jitter so that the pods of a deployment do not come back together. */
  private backoff(): number {
    const ms = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(this.failures - 1, 10));
    return ms * (0.5 + this.parts.random() / 2);
  }

  private warn(what: string, error: Error): void {
    this.parts.log.warn({ reason: redact(error.message) }, what);
  }
}

/** The process stops while a pack waits. */
class Interrupted extends FairwayError {
  constructor() {
    super('queue.unavailable', 'The tail was stopped while the queue was away.');
  }
}
