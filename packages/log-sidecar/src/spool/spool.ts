import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError, type Logger, type Part } from '@fairway/core';
import type { AgentClock, DropReason, Mark, PackNote, Spool, SpooledPack, SpoolRecord, SpoolState } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { Backlog } from './backlog.ts';
import { framed } from './batch.ts';
import { FRAME_HEADER, jsonFrame, KIND, NOTHING, exchangesOf } from './frame.ts';
import { Group, type Taken } from './group.ts';
import { removeHigh } from './high-file.ts';
import { countsOf, emptyPack, extend, hold, isFull, isKept, joined, type StoredPack } from './pack.ts';
import { Pieces } from './pieces.ts';
import { recover, SEGMENT_SUFFIX, type SegmentHeader } from './recover.ts';
import { type DiskProblem, diskProblem, Segment } from './segment.ts';
import type { SpoolConfig, SpoolParts } from './settings.ts';

export const PACK_EXCHANGES = 500;
const PACK_BYTES = 1024 * 1024;
const DISK_RETRY_MS = 1000;

/**
 * The journal between the hop and the queue. What was offered is in the page cache when `commit` returns, so it survives
 * a kill of the process; fdatasync follows. A pack is one or more commits. Segments go when the queue has all of their
 * packs.
 */
export class FileSpool implements Spool, Part {
  readonly name = 'spool';
  private readonly config: SpoolConfig;
  private readonly clock: AgentClock;
  private readonly tally: Tally;
  private readonly log: Logger;
  private readonly onReady: () => void;
  private readonly segments = new Set<Segment>();
  private current: Segment | undefined;
  /** The last one made stays until there is another: it says how far the epoch has come. */
  private newest: Segment | undefined;
  private open: StoredPack | undefined;
  private ordinal = 0;
  private segmentNumber = 0;
  private readonly group = new Group();
  private readonly pieces = new Pieces();
  private readonly backlog: Backlog;
  private memoryBytes = 0;
  /** What the disk said last; undefined while it works. */
  private problem: DiskProblem | undefined;
  private diskRetryAt = Number.NEGATIVE_INFINITY;

  constructor(config: SpoolConfig, { clock, tally, log, onReady }: SpoolParts) {
    this.config = config;
    this.clock = clock;
    this.tally = tally;
    this.log = log;
    this.onReady = onReady;
    this.backlog = new Backlog(config.epoch, this.pieces, tally);
  }

  /** Takes over what earlier epochs left. A folder that cannot be used means memory only, never a failed start. */
  start(): void {
    try {
      mkdirSync(this.config.directory, { recursive: true, mode: 0o700 });
      const { segments, packs, torn, killed } = recover(this.config, this.clock.monotonic());
      for (const segment of segments) this.segments.add(segment);
      this.backlog.add(...packs);
      this.tally.torn += torn;
      this.tally.killed += killed;
      if (killed > 0) this.log.warn({ atMost: killed }, 'an earlier agent was killed with exchanges in memory');
      if (packs.length > 0 || torn > 0) this.log.info({ packs: packs.length, tornBytes: torn }, 'spool recovered');
    } catch (error) {
      this.diskFailed(diskProblem(error));
    }
  }

  async stop(): Promise<void> {
    this.commit();
    this.closeOpen();
    this.retireCurrent();
    await Promise.all([...this.segments].map((segment) => segment.retire()));
    const { exchanges, inMemory } = this.state();
    if (inMemory === 0) this.leave();
    if (exchanges > 0) this.log.info({ exchanges, inMemory }, 'spool keeps exchanges for the next start');
  }

  offer(record: SpoolRecord): DropReason | undefined {
    const { diskCap, memoryCap } = this.config;
    const { group } = this;
    const wanted = group.size + record.bytes.length + FRAME_HEADER;
    if (this.problem && this.clock.monotonic() < this.diskRetryAt) {
      if (this.memoryBytes + wanted > memoryCap) return 'memory_full';
    } else if (this.diskBytes() + wanted > diskCap && !this.backlog.makeRoom([this.current, this.newest]))
      return 'spool_full';
    group.add(record);
    if (group.exchanges >= PACK_EXCHANGES || wanted >= PACK_BYTES) this.commit();
    return undefined;
  }

  commit(mark?: Mark): void {
    const { group } = this;
    try {
      if (!this.write(group, mark)) for (const record of group.records()) this.remember(record);
    } catch {
      bump(this.tally.dropped, 'spool_error', group.exchanges);
    }
    group.clear();
  }

  closeOlder(ageMs: number): void {
    if (ageMs === 0) this.commit();
    this.backlog.expire(this.clock.monotonic() - this.config.maxAge);
    if (this.open && this.clock.monotonic() - this.open.openedAt >= ageMs) this.closeOpen();
  }

  unsettled(): readonly SpooledPack[] {
    return this.backlog.unsettled();
  }

  settle(pack: SpooledPack, note: PackNote): void {
    const stored = pack as StoredPack;
    stored.note = note;
    this.backlog.settle(stored);
    const ready = () => {
      stored.ready = true;
      this.onReady();
    };
    if (!stored.segment) return ready();
    stored.segment.append(framed([jsonFrame(KIND.note, stored.ordinal, stored.last, note)]));
    // A pack that was sent must still be whole after a power cut, or its resend would have other bounds.
    void stored.segment.sync().then(ready);
  }

  next(): SpooledPack | undefined {
    return this.backlog.next();
  }

  async read(pack: SpooledPack): Promise<Buffer> {
    const { segment, start, end, ordinal, kept, exchanges, epoch } = pack as StoredPack;
    if (kept) return joined(pack as StoredPack, kept, this.pieces);
    const { bytes, count } = exchangesOf(segment ? await segment.read(start, end) : Buffer.alloc(0), ordinal);
    if (count === exchanges) return bytes;
    throw new FairwayError(
      'pack.invalid',
      `The spool holds ${count} of ${exchanges} exchanges of pack ${ordinal}, epoch ${epoch}: the file was damaged.`,
    );
  }

  done(pack: SpooledPack): void {
    const stored = pack as StoredPack;
    if (!this.backlog.remove(stored)) return;
    if (stored.segment) this.release(stored.segment, stored);
    else this.memoryBytes -= stored.bytes;
  }

  state(): SpoolState {
    const open = this.open ? [this.open] : [];
    const counts = countsOf([...this.backlog.packs, ...open], this.config.epoch);
    const bytes = this.diskBytes() + this.memoryBytes + this.group.size;
    const exchanges = counts.exchanges + this.group.exchanges;
    return {
      ...counts,
      exchanges,
      packs: this.backlog.packs.length,
      bytes,
      oldestAt: (this.backlog.packs[0] ?? this.open)?.at,
    };
  }

  /** One write for the whole group. false: the disk has none of it. */
  private write(group: Group, mark: Mark | undefined): boolean {
    if (group.exchanges === 0 && (mark === undefined || this.current === undefined)) return true;
    if (this.problem && this.clock.monotonic() < this.diskRetryAt) return false;
    const segment = this.writable();
    if (!segment) return false;
    const pack = group.exchanges === 0 ? undefined : this.packOn(segment, group);
    const kept = pack?.kept && group.batch.payloads(this.pieces.take(group.batch.length));
    if (mark) group.batch.add(jsonFrame(KIND.mark, 0, mark.high, this.backlog.told(mark, this.open)));
    const problem = segment.append(group.batch.sealed(pack?.ordinal));
    if (problem) {
      this.diskFailed(problem);
      return false;
    }
    this.problem = undefined;
    if (mark) for (const { segment, ...lost } of this.backlog.buried()) if (segment) this.release(segment, lost);
    if (!pack) return true;
    extend(pack, group, segment.size);
    pack.spans.addAll(group.spans);
    if (kept) {
      pack.kept?.push(kept);
      this.backlog.keptBytes += group.bytes;
    }
    void segment.sync();
    return true;
  }

  private writable(): Segment | undefined {
    if (this.current && this.current.size >= this.config.segmentBytes) this.retireCurrent();
    return (this.current ??= this.createSegment());
  }

  private createSegment(): Segment | undefined {
    const { directory, agent, epoch, model, synced } = this.config;
    const name = `${epoch}-${String(this.segmentNumber++).padStart(8, '0')}${SEGMENT_SUFFIX}`;
    const header: SegmentHeader = { v: 1, agent, epoch, model };
    try {
      const segment = Segment.create(join(directory, name), synced);
      this.segments.add(segment);
      const problem = segment.append(framed([jsonFrame(KIND.header, 0, 0, header)]));
      if (!problem) {
        if (this.newest?.packs === 0) this.forget(this.newest);
        this.newest = segment;
        return segment;
      }
      this.diskFailed(problem);
      void segment.retire().then(() => this.forget(segment));
    } catch (error) {
      this.diskFailed(diskProblem(error));
    }
    return undefined;
  }

  private remember(record: SpoolRecord): void {
    if (this.memoryBytes + record.bytes.length > this.config.memoryCap) {
      bump(this.tally.dropped, 'memory_full');
      return;
    }
    const { length } = record.bytes;
    hold(this.packOn(undefined, { exchanges: 1, bytes: length }), record);
    this.memoryBytes += length;
    bump(this.tally.unspooled, this.problem ?? 'disk_error');
  }

  /** The open pack, or a new one where the group does not go with what is in it. */
  private packOn(segment: Segment | undefined, group: Pick<Taken, 'exchanges' | 'bytes'>): StoredPack {
    const { open } = this;
    if (open && (open.segment !== segment || isFull(open, group, { exchanges: PACK_EXCHANGES, bytes: PACK_BYTES })))
      this.closeOpen();
    const { agent, epoch, model } = this.config;
    const openedAt = this.clock.monotonic();
    this.open ??= emptyPack({
      agent,
      epoch,
      model,
      ordinal: ++this.ordinal,
      segment,
      start: segment?.size ?? 0,
      openedAt,
      at: this.clock.now(),
      spans: this.pieces.takeSpans(),
      kept: segment && !isKept(this.backlog.packs[0], this.backlog.keptBytes, openedAt) ? undefined : [],
    });
    return this.open;
  }

  private closeOpen(): void {
    const pack = this.open;
    this.open = undefined;
    if (!pack || pack.exchanges === 0) return;
    pack.closedAt = this.clock.monotonic();
    if (pack.segment) pack.segment.packs++;
    this.backlog.add(pack);
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
  }

  /** Nothing is in memory: the next start has nothing to tell of this epoch. */
  private leave(): void {
    removeHigh(this.config.directory, this.config.epoch);
    if (this.newest && this.backlog.packs.length === 0) this.forget(this.newest);
  }

  private release(segment: Segment, pack: Pick<StoredPack, 'ordinal' | 'last'>): void {
    segment.packs--;
    if (segment.packs === 0 && segment !== this.newest) this.forget(segment);
    else segment.append(framed([{ kind: KIND.done, ordinal: pack.ordinal, seq: pack.last, payload: NOTHING }]));
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
}
