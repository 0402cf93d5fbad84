import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { asFairwayError, FairwayError } from '@fairway/core';
import type { LabelOutcome, Refusal } from '../app/labels.ts';
import { csvRows, labelBatches, type LabelBatch, ndjsonRows } from './labels-body.ts';

/** What became of all labels of a body; `refused` lists the first ones, `refusedTotal` counts all. */
export type LabelSummary = LabelOutcome & { readonly refusedTotal: number };

const LISTED = 1000;
const LONGEST_SOURCE = 200;
const DELIMITERS: Readonly<Record<string, string>> = { ',': ',', ';': ';', '|': '|', '\t': '\t', tab: '\t' };

type Book = (batch: LabelBatch) => Promise<LabelOutcome>;

/** Who gives the labels, for the history of corrections: header `x-fairway-source`. */
export function sourceOf({ headers }: IncomingMessage): string | undefined {
  const given = headers['x-fairway-source'];
  const text = (Array.isArray(given) ? given.join(', ') : (given ?? '')).trim();
  return text === '' ? undefined : text.slice(0, LONGEST_SOURCE);
}

/** undefined: the body is not a stream of labels but one JSON label. Throws `input.invalid` for another kind of body. */
export function labelStream(request: IncomingMessage, delimiter: unknown): AsyncIterable<LabelBatch> | undefined {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return undefined;
  if (type === 'application/x-ndjson' || type === 'application/jsonl')
    return labelBatches(inflated(request), ndjsonRows());
  if (type === 'text/csv') return labelBatches(inflated(request), csvRows(delimiterOf(delimiter)));
  throw new FairwayError(
    'input.invalid',
    'Send labels as application/json (one), application/x-ndjson or text/csv (many).',
  );
}

/** A delimiter as a query gives it; undefined: to be found in the header. */
export function delimiterOf(given: unknown): string | undefined {
  if (given === undefined) return undefined;
  const found = typeof given === 'string' ? DELIMITERS[given] : undefined;
  if (found !== undefined) return found;
  throw new FairwayError('input.invalid', 'The delimiter must be a comma, a semicolon, a bar or "tab".');
}

function inflated(request: IncomingMessage): AsyncIterable<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip') {
    throw new FairwayError('input.invalid', 'Send the body as it is, or compressed with Content-Encoding: gzip.');
  }
  // Errors of either end come out where the labels are read.
  return wholeGzip(pipeline(request, createGunzip(), () => {}));
}

/** What is no gzip, or ends in the middle of one, is the sender's mistake. */
async function* wholeGzip(inflated: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* inflated;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') !== true) throw error;
    throw new FairwayError('input.invalid', `The body is no gzip, or not all of one (${message}).`, { cause: error });
  }
}

/**
 * Books batch after batch; the next one is read while one is booked. A failure in the middle says how many are booked: those of
 * earlier batches stay booked.
 */
export async function bookAll(batches: AsyncIterable<LabelBatch>, book: Book): Promise<LabelSummary> {
  const total = { joined: 0, early: 0, unchanged: 0, corrected: 0 };
  const refused: Refusal[] = [];
  let refusedTotal = 0;
  try {
    for await (const batch of oneAhead(batches)) {
      const outcome = await book(batch);
      for (const key of ['joined', 'early', 'unchanged', 'corrected'] as const) total[key] += outcome[key];
      refusedTotal += outcome.refused.length;
      refused.push(...outcome.refused.slice(0, LISTED - refused.length));
    }
  } catch (error) {
    const booked = Object.values(total).reduce((sum, count) => sum + count, refusedTotal);
    if (booked === 0) throw error;
    const { code, message, disposition } = asFairwayError(error);
    const rest = `The first ${booked} labels are booked; send the whole body again, they will change nothing.`;
    throw new FairwayError(code, `${message} ${rest}`, { cause: error, disposition });
  }
  return { ...total, refused, refusedTotal };
}

/** Asks for the next item before one is handed on. What is asked for when the reader leaves is waited for by nobody. */
async function* oneAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  const ask = () => {
    const asked = iterator.next();
    // Told below; a failure meanwhile has somebody to hear it.
    asked.catch(() => {});
    return asked;
  };
  try {
    for (let next = ask(); ; ) {
      const { done, value } = await next;
      if (done) return;
      next = ask();
      yield value;
    }
  } finally {
    iterator.return?.()?.catch(() => {});
  }
}
