import { type Exchange, type GroundTruth, hashFields, type Pack, timedId } from '@fairway/core';
import { packOf, predictCall } from '../rows/exchange.ts';
import type { Bounds, Checkpoint } from './checkpoints.ts';
import { type FileRecord, RecordReader, type Refusal } from './records.ts';
import { type ByteSource, printBefore } from './source.ts';
import { tableReader, type TailMapping } from './table.ts';

/** Packs of all tails are kept in the ledger under this name: a pod that is replaced goes on with the same packs. */
export const AGENT = 'tail';

const CHUNK = 64 * 1024;
const PACK_ROWS = 500;
const PACK_BYTES = 1024 * 1024;

/** The first row that was refused for a reason. */
export type Example = { readonly refusal: Refusal; readonly problem: string; readonly offset: number };

/** Rows of a file behind its checkpoint. */
export type Cut = {
  readonly bounds: Bounds;
  /** Sequence number of the last row, and how many there are; blank lines are none. */
  readonly seq: number;
  readonly rows: number;
  /** Hash of the bytes before the end. */
  readonly print: string;
  readonly exchanges: readonly Exchange[];
  readonly labels: readonly GroundTruth[];
  readonly refused: Readonly<Record<string, number>>;
  readonly examples: readonly Example[];
  /** More may follow at once. */
  readonly isFull: boolean;
};

export type CutRules = {
  readonly mapping: TailMapping;
  readonly longest: number;
  prepare(exchange: Exchange): Exchange;
};

/**
 * Reads the rows behind the checkpoint up to a pack full of them. Where a pack ends is a matter of the bytes alone, or of
 * the pending bounds, so that the same pack can be made again. `isLast`: nothing will be appended any more.
 */
export async function cut(source: ByteSource, checkpoint: Checkpoint, rules: CutRules, isLast: boolean): Promise<Cut> {
  const { offset, pending } = checkpoint;
  const batch = new Batch(checkpoint, rules);
  const reader = new RecordReader(checkpoint.delimiter ?? undefined, rules.longest, offset);
  const until = pending?.end ?? Number.POSITIVE_INFINITY;
  for (let position = offset; ; ) {
    const chunk = await source.read(position, Math.min(CHUNK, until - position));
    position += chunk.length;
    const isEnd = chunk.length === 0;
    const records = isEnd && (isLast || pending !== undefined) ? reader.end() : reader.push(chunk);
    for (const record of records) if (pending !== undefined || !batch.isFull) batch.take(record);
    if (isEnd || (pending === undefined && batch.isFull)) break;
  }
  const bounds = pending ?? { end: batch.end, isLast };
  // The file may have been truncated meanwhile; whoever asked looks whether it is still the same.
  const print = (await printBefore(source, bounds.end)) ?? '';
  const { seq, exchanges, labels, refused } = batch;
  const examples = [...batch.examples.values()];
  const rows = seq - checkpoint.seq;
  return {
    bounds,
    seq,
    rows,
    print,
    exchanges,
    labels,
    refused,
    examples,
    isFull: batch.isFull || pending !== undefined,
  };
}

/** The pack of a cut, with the losses of its epoch up to its end. */
export function packFor(checkpoint: Checkpoint, { seq, exchanges, refused }: Cut): Pack {
  const { epoch, dropped } = checkpoint;
  return packOf(
    { agent: AGENT, epoch, first: checkpoint.seq + 1, last: seq, dropped: sum(dropped, refused) },
    exchanges,
  );
}

export function sum(counts: Readonly<Record<string, number>>, more: Readonly<Record<string, number>>) {
  const all: Record<string, number> = { ...counts };
  for (const [reason, n] of Object.entries(more)) all[reason] = (all[reason] ?? 0) + n;
  return all;
}

class Batch {
  readonly exchanges: Exchange[] = [];
  readonly labels: GroundTruth[] = [];
  readonly refused: Record<string, number> = {};
  readonly examples = new Map<Refusal, Example>();
  end: number;
  seq: number;
  private readonly checkpoint: Checkpoint;
  private readonly rules: CutRules;
  private readonly read: ReturnType<typeof tableReader>;

  constructor(checkpoint: Checkpoint, rules: CutRules) {
    this.checkpoint = checkpoint;
    this.rules = rules;
    this.end = checkpoint.offset;
    this.seq = checkpoint.seq;
    this.read = tableReader(rules.mapping, checkpoint);
  }

  get isFull(): boolean {
    const { offset, seq } = this.checkpoint;
    return this.seq - seq >= PACK_ROWS || this.end - offset >= PACK_BYTES;
  }

  take(record: FileRecord): void {
    this.end = record.end;
    if (record.kind === 'blank') return;
    this.seq++;
    const row = record.kind === 'refused' ? record : this.read(record);
    if ('refusal' in row) return this.refuse({ ...row, offset: record.start });
    const text = record.kind === 'text' ? record.text : '';
    const id = timedId(row.at, hashFields([this.checkpoint.epoch, String(record.start), text]));
    const { exchange, labels } = predictCall(row.mapping, { id, seq: this.seq, at: row.at }, [row.scored]);
    this.exchanges.push(this.rules.prepare(exchange));
    this.labels.push(...labels);
  }

  private refuse({ refusal, problem, offset }: Example): void {
    this.refused[refusal] = (this.refused[refusal] ?? 0) + 1;
    if (!this.examples.has(refusal)) this.examples.set(refusal, { refusal, problem, offset });
  }
}
