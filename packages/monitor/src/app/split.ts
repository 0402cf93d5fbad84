import { gunzipSync } from 'node:zlib';
import { canonicalJson, type Exchange, type ModelVersion, type PredictionRecord, type Scalar } from '@fairway/core';
import { type Json, type JsonObject, readJson, storable } from './read-json.ts';

/** What an exchange gave: predictions, or the reason (a short code) why it stands as one record of its own. */
export type Split = { readonly records: readonly PredictionRecord[] } | { readonly reason: string };

/** TF Serving inflates requests to at most 100 MiB; so do we. */
const MAX_INFLATED = 100 * 1024 * 1024;
const PREDICT = /^\/v1\/models\/[^/:]+(?:\/(?:versions|labels)\/[^/:]+)?:(predict|classify|regress)$/i;

/**
 * Splits one captured exchange into a record per instance (row and columnar predict form; id = exchange id + index).
 * An exchange that failed, was cut or cannot be read answers with its reason; nothing is ever thrown.
 */
export function splitExchange(exchange: Exchange, modelVersion: ModelVersion | undefined): Split {
  const { head } = exchange;
  const method = PREDICT.exec(head.target)?.[1]?.toLowerCase();
  if (Number.isNaN(Date.parse(head.time))) return { reason: 'time_unreadable' };
  if (head.outcome !== 'complete') return { reason: head.outcome };
  if (head.status !== 200) return { reason: `status_${head.status}` };
  if (head.truncated) return { reason: 'truncated' };
  if (head.redacted?.request) return { reason: `withheld_request_${head.redacted.request}` };
  if (head.redacted?.response) return { reason: `withheld_response_${head.redacted.response}` };
  if (method !== 'predict') return { reason: method === undefined ? 'not_a_prediction' : `unsupported_${method}` };
  let request: Json;
  let response: Json;
  try {
    request = readJson(requestText(exchange));
  } catch (error) {
    return { reason: error instanceof SyntaxError ? 'request_unreadable' : 'request_undecodable' };
  }
  try {
    response = readJson(text(exchange.response));
  } catch {
    return { reason: 'response_unreadable' };
  }
  if (!isObject(request) || !isObject(response)) return { reason: 'not_an_object' };
  const rows = pair(request, response, modelVersion);
  if (typeof rows === 'string') return { reason: rows };
  return { records: rows.map(([inputs, outputs], index) => record(exchange, index, inputs, outputs)) };
}

type Row = Readonly<Record<string, Scalar>>;

function pair(request: JsonObject, response: JsonObject, known: ModelVersion | undefined): Array<[Row, Row]> | string {
  const names = {
    input: known?.signature.inputs[0]?.name ?? 'input',
    output: known?.signature.outputs[0]?.name ?? 'output',
  };
  const inputs = rowsOf(request['instances'], request['inputs'], names.input);
  const outputs = rowsOf(response['predictions'], response['outputs'], names.output);
  if (inputs === undefined || outputs === undefined) return 'no_predictions';
  if (inputs.length !== outputs.length) return 'lengths_differ';
  return inputs.map((row, index) => [row, outputs[index] ?? {}]);
}

/** Rows of the row form, or of the columnar form when every column has the same 0th dimension. */
function rowsOf(rows: Json | undefined, columns: Json | undefined, soleName: string): Row[] | undefined {
  if (rows !== undefined && isArray(rows)) return rows.map((row) => namedRow(row, soleName));
  if (columns === undefined) return undefined;
  const named: Array<[string, Json]> =
    isObject(columns) && !isBytes(columns) ? Object.entries(columns) : [[soleName, columns]];
  const lists: Array<[string, readonly Json[]]> = [];
  for (const [name, column] of named) {
    if (!isArray(column)) return undefined;
    lists.push([name, column]);
  }
  const length = lists[0]?.[1].length;
  if (length === undefined || lists.some(([, list]) => list.length !== length)) return undefined;
  return Array.from({ length }, (_, index) => rowOf(lists.map(([name, list]) => [name, list[index] ?? null])));
}

const namedRow = (row: Json, soleName: string): Row =>
  rowOf(isObject(row) && !isBytes(row) ? Object.entries(row) : [[soleName, row]]);

const rowOf = (cells: ReadonlyArray<readonly [string, Json]>): Row =>
  Object.fromEntries(cells.map(([name, cell]) => [name, scalar(cell)]));

/** One cell: a tensor of one element is its element; bytes are read as UTF-8; larger tensors become canonical JSON text. */
function scalar(cell: Json): Scalar {
  if (isArray(cell)) return cell.length === 1 ? scalar(cell[0] ?? null) : tensorText(cell);
  if (isObject(cell))
    return isBytes(cell) ? storable(Buffer.from(cell['b64'] as string, 'base64').toString('utf8')) : tensorText(cell);
  return typeof cell === 'bigint' ? String(cell) : cell;
}

const tensorText = (cell: Json): string => canonicalJson(plain(cell));

function plain(cell: Json): unknown {
  if (typeof cell === 'bigint' || (typeof cell === 'number' && !Number.isFinite(cell))) return String(cell);
  if (isArray(cell)) return cell.map(plain);
  return isObject(cell) ? Object.fromEntries(Object.entries(cell).map(([key, item]) => [key, plain(item)])) : cell;
}

// `Array.isArray` does not narrow readonly arrays.
const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

const isObject = (value: Json): value is JsonObject => value !== null && typeof value === 'object' && !isArray(value);

const isBytes = (value: JsonObject): boolean => typeof value['b64'] === 'string' && Object.keys(value).length === 1;

function requestText({ head, request }: Exchange): string {
  const inflate = head.requestEncoding?.toLowerCase().includes('gzip');
  return text(inflate ? gunzipSync(request, { maxOutputLength: MAX_INFLATED }) : request);
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

function record({ head }: Exchange, index: number, inputs: Row, outputs: Row): PredictionRecord {
  return {
    id: `${head.id}-${index}`,
    model: head.model,
    version: head.version,
    versionSource: head.versionSource,
    environment: head.environment,
    time: head.time,
    inputs,
    outputs,
    latencyMs: head.latencyMs,
    status: head.status,
    ...(head.correlationId === undefined ? {} : { correlationId: storable(head.correlationId) }),
  };
}
