import { type Exchange, type GroundTruth, hashFields, type Pack, timedId } from '@fairway/core';
import { type Mapping, packOf, predictCall, type Scored, spread, usable } from '@fairway/log-sidecar';
import { readRows, type Source } from './import-source.ts';

/** Packs of an import are kept in the ledger under this name. */
export const AGENT = 'import';
const ROWS_PER_EXCHANGE = 100;
const ROWS_PER_PACK = 500;
/** A checked file with its identity: the same bytes under the same mapping give the same ids, packs and ledger rows. */
export type History = {
  readonly source: Source;
  readonly mapping: Mapping;
  readonly epoch: string;
  readonly rows: number;
  /** What a call becomes before it leaves this process. */
  readonly prepare: (exchange: Exchange) => Exchange;
};

/**
 * Identity of an import. The label column is no part of it: labels may be brought later, by importing once more. Redaction is none
 * either: what is stored stays as it is, and does not come in a second time.
 */
export function identity(sha256: string, { delimiter }: Source, mapping: Mapping): string {
  const { modelVersion, environment, time, score } = mapping;
  const period = 'column' in time ? ['column', time.column] : ['period', String(time.from), String(time.to)];
  const fields = ['import-1', sha256, delimiter ?? 'json', modelVersion.model, modelVersion.version, environment];
  return hashFields([...fields, ...period, score]).slice(0, 32);
}

/** One predict call made of rows, and the labels of its predictions. */
export type Call = { readonly exchange: Exchange; readonly rows: number; readonly labels: readonly GroundTruth[] };

type Timed = { readonly line: number; readonly at: number; readonly scored: Scored };

/** The predict calls that a file amounts to: rows that follow each other and have the same time share one, up to 100. */
export async function* calls(history: History, most = ROWS_PER_EXCHANGE): AsyncGenerator<Call> {
  let seq = 0;
  let batch: Timed[] = [];
  for await (const row of timed(history)) {
    const first = batch[0];
    if (first !== undefined && (first.at !== row.at || batch.length === most)) {
      yield call(history, batch, ++seq);
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) yield call(history, batch, ++seq);
}

async function* timed({ source, mapping, rows }: History): AsyncGenerator<Timed> {
  const { time } = mapping;
  let index = 0;
  for await (const row of readRows(source)) {
    const found = usable(row, mapping);
    if ('problem' in found) continue;
    const at = 'column' in time ? found.scored.time : spread(time, index, rows);
    index++;
    if (at !== undefined) yield { line: found.line, at, scored: found.scored };
  }
}

function call({ mapping, epoch, prepare }: History, batch: readonly Timed[], seq: number): Call {
  const at = batch[0]?.at ?? 0;
  const id = timedId(at, hashFields([epoch, String(batch[0]?.line)]));
  const rows = batch.map(({ scored }) => scored);
  const { exchange, labels } = predictCall(mapping, { id, seq, at }, rows);
  return { exchange: prepare(exchange), labels, rows: rows.length };
}

/** The packs of a file, in order, as the agent's pump makes them. */
export async function* packs(history: History): AsyncGenerator<{ readonly pack: Pack; readonly rows: number }> {
  let exchanges: Exchange[] = [];
  let rows = 0;
  for await (const next of calls(history)) {
    if (rows > 0 && rows + next.rows > ROWS_PER_PACK) {
      yield { pack: closed(history.epoch, exchanges), rows };
      exchanges = [];
      rows = 0;
    }
    exchanges.push(next.exchange);
    rows += next.rows;
  }
  if (rows > 0) yield { pack: closed(history.epoch, exchanges), rows };
}

function closed(epoch: string, exchanges: readonly Exchange[]): Pack {
  const [first, last] = [exchanges[0]?.head.seq ?? 0, exchanges.at(-1)?.head.seq ?? 0];
  return packOf({ agent: AGENT, epoch, first, last, dropped: {} }, exchanges);
}
