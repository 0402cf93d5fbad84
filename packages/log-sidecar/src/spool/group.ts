import type { SpoolRecord, Span } from '../ports.ts';
import { Batch } from './batch.ts';
import { FRAME_HEADER, KIND, readFrames } from './frame.ts';
import { Spans } from './spans.ts';

/** Exchanges that were taken together. `bytes`: of their payloads. */
export type Taken = {
  readonly first: number;
  readonly last: number;
  readonly exchanges: number;
  readonly bytes: number;
};

/** What was offered since the last commit. */
export class Group implements Taken {
  readonly batch = new Batch();
  readonly spans = new Spans();
  first = 0;
  last = 0;
  exchanges = 0;
  bytes = 0;

  add({ seq, bytes, span }: SpoolRecord): void {
    this.batch.add({ kind: KIND.exchange, ordinal: 0, seq, payload: bytes });
    if (span) this.spans.add(span);
    if (this.exchanges === 0) this.first = seq;
    this.last = seq;
    this.exchanges++;
    this.bytes += bytes.length;
  }

  /** Bytes with their frames. */
  get size(): number {
    return this.bytes + this.exchanges * FRAME_HEADER;
  }

  /** The exchanges one by one, until `clear`. */
  records(): SpoolRecord[] {
    const spans = new Map<number, Span>();
    for (const span of this.spans) spans.set(span.seq, span);
    const { frames } = readFrames(this.batch.sealed());
    const own = frames.filter(({ kind }) => kind === KIND.exchange);
    return own.map(({ seq, payload }) => ({ seq, bytes: payload, span: spans.get(seq) }));
  }

  clear(): void {
    this.batch.clear();
    this.spans.clear();
    this.exchanges = 0;
    this.bytes = 0;
  }
}
