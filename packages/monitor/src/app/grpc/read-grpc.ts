import { gunzipSync, inflateSync } from 'node:zlib';
import type { Exchange } from '@fairway/core';
import { type Document, type Json, put } from '../read-json.ts';
import { eachMessage, readClasses, readInput, readValues } from './examples.ts';
import { readTensor } from './tensor.ts';
import { nameOf, type Source } from './values.ts';

/** What was asked and answered, in REST's form: what splits its bodies splits these. */
export type Bodies = {
  readonly method: 'predict' | 'classify' | 'regress';
  readonly request: Document;
  readonly response: Document;
};

export type Unread =
  | 'not_a_prediction'
  | 'unsupported_multiinference'
  | 'undecodable'
  | 'request_unreadable'
  | 'response_unreadable';

const METHOD = /^\/tensorflow\.serving\.PredictionService\/(Predict|Classify|Regress|MultiInference)$/;
/** As for REST: what is larger stays bytes. */
const MAX_INFLATED = 32 * 1024 * 1024;

/**
 * PredictRequest with its answer as columns (`inputs`, `outputs`), ClassificationRequest and RegressionRequest as
 * `examples` and `results`. Never throws: what cannot be read answers with its reason.
 */
export function readGrpc({ head, request, response }: Exchange): Bodies | Unread {
  const method = METHOD.exec(head.target)?.[1]?.toLowerCase();
  if (method === undefined) return 'not_a_prediction';
  if (method === 'multiinference') return 'unsupported_multiinference';
  const known = method as Bodies['method'];
  const asked = inflated(request, head.requestEncoding);
  // No head says it of an answer; but no message begins with what every gzip begins with.
  const answered = inflated(response, response[0] === 0x1f && response[1] === 0x8b ? 'gzip' : undefined);
  if (asked === undefined || answered === undefined) return 'undecodable';
  const read =
    known === 'predict'
      ? [askedTensors, toldTensors]
      : [askedExamples, known === 'classify' ? toldClasses : toldValues];
  const [ask, tell] = read as [Reader, Reader];
  const questions = document(asked, ask);
  if (questions === undefined) return 'request_unreadable';
  const answers = document(answered, tell);
  return answers === undefined ? 'response_unreadable' : { method: known, request: questions, response: answers };
}

function inflated(bytes: Uint8Array, encoding: string | undefined): Uint8Array | undefined {
  const limit = { maxOutputLength: MAX_INFLATED };
  try {
    if (encoding === undefined || encoding === 'identity') return bytes;
    if (encoding === 'gzip') return gunzipSync(bytes, limit);
    return encoding === 'deflate' ? inflateSync(bytes, limit) : undefined;
  } catch {
    return undefined;
  }
}

type Reader = (source: Source) => Record<string, Json>;

function document(bytes: Uint8Array, read: Reader): Document | undefined {
  const source: Source = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), sanitised: false };
  try {
    const root = read(source);
    return { root, sanitised: source.sanitised };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const askedTensors: Reader = (source) => ({ ...signature(source), inputs: tensors(source, 2) });
const toldTensors: Reader = (source) => ({ outputs: tensors(source, 1) });

/** The entries of a map of tensors; of two with one name the later counts. */
function tensors(source: Source, field: number): Json {
  const found: Record<string, Json> = {};
  eachMessage(source, 0, source.bytes.length, (id, start, end) => {
    if (id !== field) return;
    let name = '';
    let tensor: Json = 0;
    eachMessage(source, start, end, (id, start, end) => {
      if (id === 1) name = nameOf(source, start, end);
      if (id === 2) tensor = readTensor(source, start, end);
    });
    put(found, name, tensor);
  });
  return found;
}

/** `signature_name` of the ModelSpec, where there is one. */
function signature(source: Source): Record<string, Json> {
  const found: Record<string, Json> = {};
  eachMessage(source, 0, source.bytes.length, (id, start, end) => {
    if (id !== 1) return;
    eachMessage(source, start, end, (id, start, end) => {
      if (id === 3) found['signature_name'] = nameOf(source, start, end);
    });
  });
  return found;
}

const askedExamples: Reader = (source) => {
  let input: Record<string, Json> = { examples: [] };
  eachMessage(source, 0, source.bytes.length, (id, start, end) => {
    if (id === 2) input = readInput(source, start, end);
  });
  return { ...signature(source), ...input };
};

const results =
  (read: (source: Source, start: number, end: number) => Json[]): Reader =>
  (source) => {
    const found: Json[] = [];
    eachMessage(source, 0, source.bytes.length, (id, start, end) => {
      if (id === 1) found.push(...read(source, start, end));
    });
    return { results: found };
  };
const toldClasses = results(readClasses);
const toldValues = results(readValues);
