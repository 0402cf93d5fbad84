import type { PackNote, Span, SpooledPack, SpoolRecord } from '../ports.ts';
import type { Segment } from './segment.ts';

/** A pack as the spool keeps it: bytes in one segment's range, or payloads in memory when the disk would not have them. */
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
  readonly payloads: Buffer[];
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
  from: Pick<StoredPack, 'agent' | 'epoch' | 'ordinal' | 'segment' | 'start' | 'openedAt' | 'at'>,
): StoredPack {
  return {
    ...from,
    end: from.start,
    first: 0,
    last: 0,
    exchanges: 0,
    bytes: 0,
    payloads: [],
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
  if (record.span) pack.spans.push(record.span);
}
