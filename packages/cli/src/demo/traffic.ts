import { CATEGORICAL, type Loan, NUMERIC } from '@fairway/example-home-equity';
import { FairwayError, iso, pause } from '@fairway/core';
import { isPassing } from '../stack/http.ts';
import type { Quarter } from './periods.ts';

/** What the scoring client knows after a quarter: each prediction's id beside the row it was made for. */
export type Sent = { readonly predictions: ReadonlyArray<{ readonly id: string; readonly row: Loan }> };

/** Predictions in a call. */
export const INSTANCES_PER_REQUEST = 20;
const CONNECTIONS = 4;
/** A scoring client of a bank keeps trying for a while when a pod restarts. */
const GIVE_UP_MS = 60_000;

/**
 * Scores rows through the model's Service, spread evenly over the quarter's business time.
 * A request that gets no answer, or a 5xx, is sent again: only answered requests count as sent.
 */
export async function sendQuarter(
  serviceUrl: () => Promise<string>,
  model: string,
  rows: readonly Loan[],
  quarter: Quarter,
  onProgress: (done: number) => void,
): Promise<Sent> {
  const batches: { at: number; rows: readonly Loan[] }[] = [];
  for (let i = 0; i < rows.length; i += INSTANCES_PER_REQUEST) {
    const at = quarter.start + Math.floor(((quarter.end - quarter.start) * i) / rows.length);
    batches.push({ at, rows: rows.slice(i, i + INSTANCES_PER_REQUEST) });
  }
  const predictions: { id: string; row: Loan }[] = [];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < batches.length; n = next++) {
      const batch = batches[n] as (typeof batches)[number];
      const id = await score(serviceUrl, model, batch, `${quarter.period}-${n}`);
      batch.rows.forEach((row, i) => predictions.push({ id: `${id}-${i}`, row }));
      onProgress(predictions.length);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return { predictions };
}

/** One request; answers the exchange id that the agent gave back. */
async function score(
  serviceUrl: () => Promise<string>,
  model: string,
  batch: { at: number; rows: readonly Loan[] },
  requestId: string,
): Promise<string> {
  const body = `{"instances":[${batch.rows.map(instance).join(',')}]}`;
  const headers = { 'content-type': 'application/json', 'x-request-id': requestId, 'x-fairway-time': iso(batch.at) };
  const deadline = Date.now() + GIVE_UP_MS;
  let reason = 'no answer';
  while (Date.now() < deadline) {
    try {
      const url = `${await serviceUrl()}/v1/models/${model}:predict`;
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
      const text = await answer.text();
      const id = answer.headers.get('x-fairway-id');
      if (answer.ok && id !== null) return id;
      if (answer.ok)
        throw new FairwayError(
          'stack.failed',
          'A prediction came back without x-fairway-id: the agent does not stand in front of the model.',
        );
      if (answer.status < 500)
        throw new FairwayError(
          'input.invalid',
          `The model refused a request (${answer.status}): ${text.slice(0, 200)}`,
        );
      reason = `it answered ${answer.status}`;
    } catch (error) {
      if (!isPassing(error)) throw error;
      reason = (error as Error).message;
    }
    await pause(200);
  }
  throw new FairwayError('stack.failed', `The model did not answer for ${GIVE_UP_MS / 1000} s (${reason}).`);
}

/** A row as TF Serving's JSON dialect takes it: missing numbers as bare NaN, missing text as the empty string. */
function instance(row: Loan): string {
  const numbers = NUMERIC.map((name) => `"${name}":${row[name] ?? 'NaN'}`);
  const texts = CATEGORICAL.map((name) => `"${name}":${JSON.stringify(row[name] ?? '')}`);
  return `{${[...numbers, ...texts].join(',')}}`;
}
