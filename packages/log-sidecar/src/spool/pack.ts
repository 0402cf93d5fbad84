import type { Mark, PackNote, SpooledPack, SpoolRecord } from '../ports.ts';
import type { Taken } from './group.ts';
import type { Segment } from './segment.ts';
import type { Pieces } from './pieces.ts';
import type { Spans } from './spans.ts';

/** A pack as the spool keeps it: frames in one segment's range, exchanges in memory, or both until it is sent. */
export type StoredPack = SpooledPack & {
  readonly ordinal: number;
  readonly segment: Segment | undefined;
  /** Range of the segment that holds its frames, others among them. */
  readonly start: number;
  end: number;
  first: number;
  last: number;
  exchanges: number;
  bytes: number;
  /** Its exchanges, one behind the other in a few pieces, as long as they are kept in memory; undefined: they are on the disk only. */
  kept: Buffer[] | undefined;
  readonly openedAt: number;
  /** Wall clock of its oldest exchange, ms. */
  readonly at: number;
  closedAt: number;
  spans: Spans;
  note: PackNote | undefined;
  /** On the disk as far as it can be: it may be sent. */
  ready: boolean;
};

export function emptyPack(
  from: Pick<
    StoredPack,
    'agent' | 'epoch' | 'model' | 'ordinal' | 'segment' | 'start' | 'openedAt' | 'at' | 'kept' | 'spans'
  >,
): StoredPack {
  return {
    ...from,
    end: from.start,
    first: 0,
    last: 0,
    exchanges: 0,
    bytes: 0,
    closedAt: 0,
    earlierDropped: undefined,
    note: undefined,
    ready: false,
  };
}

/** `end`: of the segment, behind what was taken. */
export function extend(pack: StoredPack, { first, last, exchanges, bytes }: Taken, end: number): void {
  if (pack.exchanges === 0) pack.first = first;
  pack.last = last;
  pack.exchanges += exchanges;
  pack.bytes += bytes;
  pack.end = end;
}

/** The exchanges of a pack in one piece, which is used again as the others are: made anew for each pack, it would be most of what is collected. */
export function joined(pack: StoredPack, kept: readonly Buffer[], pieces: Pieces): Buffer {
  if (kept.length < 2) return kept[0] ?? Buffer.alloc(0);
  const whole = pieces.take(pack.bytes);
  let end = 0;
  for (const piece of kept) end += piece.copy(whole, end);
  // Those of a pack that is in memory only are as long as their exchange.
  if (pack.segment) for (const piece of kept) pieces.give(piece);
  const bytes = whole.subarray(0, end);
  pack.kept = [bytes];
  return bytes;
}

/** Takes a record into a pack that is in memory only. */
export function hold(pack: StoredPack, { seq, bytes, span }: SpoolRecord): void {
  extend(pack, { first: seq, last: seq, exchanges: 1, bytes: bytes.length }, 0);
  pack.kept?.push(Buffer.from(bytes));
  if (span) pack.spans.add(span);
}

/** A pack that has taken something takes a group only when all of it fits in. */
export const isFull = (
  pack: StoredPack,
  group: Pick<Taken, 'exchanges' | 'bytes'>,
  limit: { readonly exchanges: number; readonly bytes: number },
): boolean => pack.exchanges + group.exchanges > limit.exchanges || pack.bytes + group.bytes > limit.bytes;

/** Exchanges in all packs, in those of other epochs, and in those that are in memory only. */
export function countsOf(
  packs: readonly StoredPack[],
  epoch: string,
): { exchanges: number; earlier: number; inMemory: number } {
  const counts = { exchanges: 0, earlier: 0, inMemory: 0 };
  for (const pack of packs) {
    counts.exchanges += pack.exchanges;
    if (pack.epoch !== epoch) counts.earlier += pack.exchanges;
    if (!pack.segment) counts.inMemory += pack.exchanges;
  }
  return counts;
}

/** What a mark tells of packs in memory: how many exchanges of the epoch a kill would take although they were taken over. */
export function heldOf(packs: readonly StoredPack[], open: StoredPack | undefined): Pick<Mark, 'held'> {
  let first = 0;
  let count = 0;
  for (const pack of open ? [...packs, open] : packs) {
    if (pack.segment || pack.exchanges === 0) continue;
    first ||= pack.first;
    count += pack.exchanges;
  }
  return count === 0 ? {} : { held: { first, count } };
}

const KEPT_BYTES = 8 * 1024 * 1024;
const KEPT_MS = 3000;

/**
 * Whether exchanges on the disk are kept in memory too, so that sending them reads nothing: up to so many bytes, and while the
 * oldest pack is young, for where the queue is away memory must not fill with what waits for long.
 */
export const isKept = (oldest: StoredPack | undefined, keptBytes: number, now: number): boolean =>
  keptBytes < KEPT_BYTES && (oldest === undefined || now - oldest.openedAt < KEPT_MS);
