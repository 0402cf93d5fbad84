import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError, type Logger, type Part } from '@fairway/core';
import type { AgentClock, DropReason, PackNote, Spool, SpooledPack, SpoolRecord, SpoolState } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { FRAME_HEADER, KIND, readFrames } from './frame.ts';
import { emptyPack, extend, type StoredPack } from './pack.ts';
import { recover, SEGMENT_SUFFIX, type SegmentHeader } from './recover.ts';
import { type DiskProblem, diskProblem, Segment } from './segment.ts';

export const PACK_EXCHANGES = 500;
const PACK_BYTES = 1024 * 1024;
const SEGMENT_BYTES = 8 * 1024 * 1024;
const SYNC_MS = 20;
/** One append that takes longer means that the disk would slow the hop: memory only, until the disk is tried again. */
const SLOW_MS = 50;
const DISK_RETRY_MS = 1000;

export type SpoolConfig = {
  readonly directory: string;
  readonly agent: string;
  readonly epoch: string;
  /** Bytes of all segments together; at the cap the newest records are dropped. */
  readonly diskCap: number;
  /** Bytes held in memory while the disk takes nothing. */
  readonly memoryCap: number;
};

export type SpoolParts = {
  readonly clock: AgentClock;
  readonly tally: Tally;
  readonly log: Logger;
  /** A pack can be sent. */
  readonly onReady: () => void;
};

/**
 * The journal between the hop and the queue. A record is in the page cache when `offer` returns, so it survives a kill
 * of the process; fdatasync follows in groups. Segments go when the queue has all of their packs.
 */
export class FileSpool implements Spool, Part {
  readonly name = 'spool';
  private readonly config: SpoolConfig;
  private readonly clock: AgentClock;
  private readonly tally: Tally;
  private readonly log: Logger;
  private readonly onReady: () => void;
  private readonly segments = new Set<Segment>();
  private readonly packs: StoredPack[] = [];
  private waiting: StoredPack[] = [];
  private current: Segment | undefined;
  private open: StoredPack | undefined;
  private ordinal = 0;
  private segmentNumber = 0;
  private memoryBytes = 0;
  /** What the disk said last; undefined while it works. */
  private problem: DiskProblem | undefined;
  private diskRetryAt = Number.NEGATIVE_INFINITY;
  private syncTimer: NodeJS.Timeout | undefined;

  constructor(config: SpoolConfig, { clock, tally, log, onReady }: SpoolParts) {
    this.config = config;
    this.clock = clock;
    this.tally = tally;
    this.log = log;
    this.onReady = onReady;
  }

  /** Takes over what earlier epochs left. A folder that cannot be used means memory only, never a failed start. */
  start(): void {
    try {
      mkdirSync(this.config.directory, { recursive: true, mode: 0o700 });
      const { segments, packs, torn } = recover(this.config.directory, this.clock.monotonic());
      for (const segment of segments) this.segments.add(segment);
      this.packs.push(...packs);
      this.waiting.push(...packs.filter(({ note }) => note === undefined));
      this.tally.torn += torn;
      if (packs.length > 0 || torn > 0) this.log.info({ packs: packs.length, tornBytes: torn }, 'spool recovered');
    } catch (error) {
      this.diskFailed(diskProblem(error));
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.syncTimer);
    this.closeOpen();
    this.retireCurrent();
    await Promise.all([...this.segments].map((segment) => segment.retire()));
    const { exchanges, inMemory } = this.state();
    if (exchanges > 0) this.log.info({ exchanges, inMemory }, 'spool keeps exchanges for the next start');
  }

  offer(record: SpoolRecord): DropReason | undefined {
    try {
      return this.store(record);
    } catch {
      return 'spool_error';
    }
  }

  closeOlder(ageMs: number): void {
    if (this.open && this.clock.monotonic() - this.open.openedAt >= ageMs) this.closeOpen();
  }

  unsettled(): readonly SpooledPack[] {
    return [...this.waiting];
  }

  settle(pack: SpooledPack, note: PackNote): void {
    const stored = pack as StoredPack;
    this.waiting = this.waiting.filter((other) => other !== stored);
    stored.note = note;
    stored.spans = [];
    const ready = () => {
      stored.ready = true;
      this.onReady();
    };
    if (!stored.segment) return ready();
    stored.segment.append(KIND.note, stored.ordinal, stored.last, Buffer.from(JSON.stringify(note)));
    // A pack that was sent must still be whole after a power cut, or its resend would have other bounds.
    void stored.segment.sync().then(ready);
  }

  next(): SpooledPack | undefined {
    const [pack] = this.packs;
    return pack?.ready ? pack : undefined;
  }

  async read(pack: SpooledPack): Promise<Buffer[]> {
    const { segment, start, end, ordinal, payloads, exchanges, epoch } = pack as StoredPack;
    if (!segment) return payloads;
    const { frames } = readFrames(await segment.read(start, end));
    const found = frames.filter((frame) => frame.kind === KIND.exchange && frame.ordinal === ordinal);
    if (found.length === exchanges) return found.map(({ payload }) => payload);
    throw new FairwayError(
      'pack.invalid',
      `The spool holds ${found.length} of ${exchanges} exchanges of pack ${ordinal}, epoch ${epoch}: the file was damaged.`,
    );
  }

  done(pack: SpooledPack): void {
    const stored = pack as StoredPack;
    const index = this.packs.indexOf(stored);
    if (index < 0) return;
    this.packs.splice(index, 1);
    if (!stored.segment) this.memoryBytes -= stored.bytes;
    else this.release(stored.segment, stored);
  }

  state(): SpoolState {
    const all = this.open ? [...this.packs, this.open] : this.packs;
    let exchanges = 0;
    let earlier = 0;
    let inMemory = 0;
    for (const pack of all) {
      exchanges += pack.exchanges;
      if (pack.epoch !== this.config.epoch) earlier += pack.exchanges;
      if (!pack.segment) inMemory += pack.exchanges;
    }
    const bytes = this.diskBytes() + this.memoryBytes;
    return { packs: this.packs.length, exchanges, earlier, bytes, oldestAt: all[0]?.at, inMemory };
  }

  private store(record: SpoolRecord): DropReason | undefined {
    if (this.open && (this.open.exchanges >= PACK_EXCHANGES || this.open.bytes >= PACK_BYTES)) this.closeOpen();
    if (this.clock.monotonic() >= this.diskRetryAt) {
      if (this.diskBytes() + record.bytes.length + FRAME_HEADER > this.config.diskCap) return 'spool_full';
      const segment = this.writable();
      if (segment && this.write(segment, record)) return undefined;
    }
    return this.remember(record);
  }

  private writable(): Segment | undefined {
    if (this.current && this.current.size >= SEGMENT_BYTES) this.retireCurrent();
    return (this.current ??= this.createSegment());
  }

  private createSegment(): Segment | undefined {
    const { directory, agent, epoch } = this.config;
    const name = `${epoch}-${String(this.segmentNumber++).padStart(8, '0')}${SEGMENT_SUFFIX}`;
    const header: SegmentHeader = { v: 1, agent, epoch };
    try {
      const segment = Segment.create(join(directory, name));
      this.segments.add(segment);
      const problem = segment.append(KIND.header, 0, 0, Buffer.from(JSON.stringify(header)));
      if (!problem) return segment;
      this.diskFailed(problem);
      void segment.retire().then(() => this.forget(segment));
    } catch (error) {
      this.diskFailed(diskProblem(error));
    }
    return undefined;
  }

  private write(segment: Segment, record: SpoolRecord): boolean {
    const pack = this.packOn(segment);
    const began = this.clock.monotonic();
    const problem = segment.append(KIND.exchange, pack.ordinal, record.seq, record.bytes);
    if (!problem) extend(pack, record, segment.size);
    const slow = this.clock.monotonic() - began > SLOW_MS;
    if (problem || slow) this.diskFailed(problem ?? 'disk_slow');
    else this.problem = undefined;
    this.syncTimer ??= setTimeout(() => this.syncCurrent(), SYNC_MS);
    return !problem;
  }

  private remember(record: SpoolRecord): DropReason | undefined {
    if (this.memoryBytes + record.bytes.length > this.config.memoryCap) return 'ring_full';
    const pack = this.packOn(undefined);
    pack.payloads.push(record.bytes);
    extend(pack, record, 0);
    this.memoryBytes += record.bytes.length;
    bump(this.tally.unspooled, this.problem ?? 'disk_error');
    return undefined;
  }

  private packOn(segment: Segment | undefined): StoredPack {
    if (this.open && this.open.segment !== segment) this.closeOpen();
    const { agent, epoch } = this.config;
    this.open ??= emptyPack({
      agent,
      epoch,
      ordinal: ++this.ordinal,
      segment,
      start: segment?.size ?? 0,
      openedAt: this.clock.monotonic(),
      at: this.clock.now(),
    });
    return this.open;
  }

  private closeOpen(): void {
    const pack = this.open;
    this.open = undefined;
    if (!pack || pack.exchanges === 0) return;
    pack.closedAt = this.clock.monotonic();
    if (pack.segment) pack.segment.packs++;
    this.packs.push(pack);
    this.waiting.push(pack);
  }

  private diskFailed(problem: DiskProblem): void {
    if (this.problem !== problem) this.log.warn({ problem }, 'spool disk takes nothing: exchanges stay in memory');
    this.problem = problem;
    this.diskRetryAt = this.clock.monotonic() + DISK_RETRY_MS;
    this.retireCurrent();
  }

  private retireCurrent(): void {
    const segment = this.current;
    if (!segment) return;
    this.closeOpen();
    this.current = undefined;
    void segment.retire();
    if (segment.packs === 0) this.forget(segment);
  }

  private release(segment: Segment, pack: StoredPack): void {
    segment.packs--;
    if (segment.packs === 0 && segment !== this.current) this.forget(segment);
    else segment.append(KIND.done, pack.ordinal, pack.last, Buffer.alloc(0));
  }

  private forget(segment: Segment): void {
    this.segments.delete(segment);
    segment.remove();
  }

  private diskBytes(): number {
    let bytes = 0;
    for (const { size } of this.segments) bytes += size;
    return bytes;
  }

  private syncCurrent(): void {
    this.syncTimer = undefined;
    void this.current?.sync();
  }
}
