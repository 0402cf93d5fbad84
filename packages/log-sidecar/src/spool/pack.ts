import type { Mark, PackNote, Span, SpooledPack, SpoolRecord } from '../ports.ts';
import type { Segment } from './segment.ts';

/** A pack as the spool keeps it: bytes in one segment's range, payloads in memory, or both until it is sent. */
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
  /** Its exchanges, as long as they are kept in memory; undefined: they are on the disk only. */
  payloads: Buffer[] | undefined;
  readonly openedAt: number;
  /** Wall clock of its oldest exchange, ms. */
  readonly at: number;
  closedAt: number;
  spans: Span[];
  note: PackNote | undefined;
  /** On the disk as far as it can be: it may be sent. */
  ready: boolean;
};

export function emptyPack(
  from: Pick<StoredPack, 'agent' | 'epoch' | 'ordinal' | 'segment' | 'start' | 'openedAt' | 'at' | 'payloads'>,
): StoredPack {
  return {
    ...from,
    end: from.start,
    first: 0,
    last: 0,
    exchanges: 0,
    bytes: 0,
    closedAt: 0,
    spans: [],
    earlierDropped: undefined,
    note: undefined,
    ready: false,
  };
}

export function extend(pack: StoredPack, record: SpoolRecord, end: number): void {
  if (pack.exchanges === 0) pack.first = record.seq;
  pack.last = record.seq;
  pack.exchanges++;
  pack.bytes += record.bytes.length;
  pack.end = end;
  pack.payloads?.push(record.bytes);
  if (record.span) pack.spans.push(record.span);
}

/** A pack that has taken something takes a group only when all of it fits in. */
export function isFull(
  pack: StoredPack,
  group: readonly SpoolRecord[],
  limit: { readonly exchanges: number; readonly bytes: number },
): boolean {
  let more = 0;
  for (const record of group) more += record.bytes.length;
  return pack.exchanges + group.length > limit.exchanges || pack.bytes + more > limit.bytes;
}

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
