import type { Exchange, ExchangeHead, ModelVersion } from '@fairway/core';
import { type Bodies, readGrpc } from './grpc/read-grpc.ts';
import { examplePairs } from './rows-examples.ts';
import { recordsOf, type SplitRecord, viewsOf } from './rows-record.ts';
import { isObject, predictPairs } from './rows.ts';
import type { Forms } from './split-forms.ts';
import { readRequest, readResponse } from './split-body.ts';

/**
 * What an exchange gave: predictions, or the reason (a short code) why it stands as one record of its own, and as what.
 * `failed`: there is no answer, or it is an error. `whole`: it was answered, and is kept as a whole. Both are stored;
 * `quarantined`: answered, and we cannot read it.
 */
export type Split = { readonly records: readonly SplitRecord[] } | Whole;

type Whole = { readonly reason: string; readonly as: 'failed' | 'whole' | 'quarantined' };

const INFERENCE = /^\/v1\/models\/[^/:]+(?:\/(?:versions|labels)\/[^/:]+)?:(predict|classify|regress)$/i;

/**
 * Splits one captured exchange into a record per instance of predict (row and columnar form), classify and regress; ids
 * are the exchange's with the index. Nothing is ever thrown: what cannot be split answers with its reason. `forms`: what
 * was learnt from exchanges before this one; the result is the same without.
 */
export function splitExchange(exchange: Exchange, modelVersion: ModelVersion | undefined, forms?: Forms): Split {
  const unsplit = beforeReading(exchange.head);
  if (unsplit !== undefined) return unsplit;
  const formed = forms?.read(exchange, modelVersion);
  if (formed !== undefined) return { records: recordsOf(exchange.head, formed) };
  const split = splitBodies(exchange, modelVersion);
  if ('records' in split) {
    forms?.learn(exchange, modelVersion, (marked) => {
      const again = splitBodies(marked, modelVersion);
      return 'records' in again ? again.records : undefined;
    });
  }
  return split;
}

function splitBodies(exchange: Exchange, modelVersion: ModelVersion | undefined): Split {
  const { head } = exchange;
  const bodies = head.protocol === 'grpc' ? readGrpc(exchange) : readRest(exchange);
  if (typeof bodies === 'string') {
    return { reason: bodies, as: bodies === 'unsupported_multiinference' ? 'whole' : 'quarantined' };
  }
  const { method, request, response } = bodies;
  if (!isObject(request.root) || !isObject(response.root)) return { reason: 'not_an_object', as: 'quarantined' };
  const pairs =
    method === 'predict'
      ? predictPairs(request.root, response.root, modelVersion)
      : examplePairs(method, request.root, response.root, modelVersion);
  if (typeof pairs === 'string') return { reason: pairs, as: pairs === 'lengths_differ' ? 'whole' : 'quarantined' };
  return { records: recordsOf(head, viewsOf(pairs, { inputs: request.sanitised, outputs: response.sanitised })) };
}

/** Both bodies of a REST exchange, or why they cannot be read. */
function readRest(exchange: Exchange): Bodies | string {
  const method = INFERENCE.exec(exchange.head.target)?.[1]?.toLowerCase();
  if (method === undefined) return 'not_a_prediction';
  const request = readRequest(exchange);
  if (typeof request === 'string') return request;
  const response = readResponse(exchange);
  return typeof response === 'string' ? response : { method: method as Bodies['method'], request, response };
}

/** As the agent writes times, which the parser takes twice as long for. */
const AGENT_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** What the head alone says. */
function beforeReading({ time, outcome, status, truncated, redacted }: ExchangeHead): Whole | undefined {
  if (!AGENT_TIME.test(time) && Number.isNaN(Date.parse(time))) return { reason: 'time_unreadable', as: 'quarantined' };
  if (outcome !== 'complete') return { reason: outcome, as: 'failed' };
  if (status !== 200) return { reason: `status_${status}`, as: 'failed' };
  if (truncated) return { reason: 'truncated', as: 'whole' };
  if (redacted?.request) return { reason: `withheld_request_${redacted.request}`, as: 'whole' };
  return redacted?.response ? { reason: `withheld_response_${redacted.response}`, as: 'whole' } : undefined;
}
