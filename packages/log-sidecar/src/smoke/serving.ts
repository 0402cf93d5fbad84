import { request } from 'node:http';
import {
  type ExactJson,
  type GoldenCase,
  isExactList,
  isExactObject,
  readExactJson,
  writeExactJson,
} from '@fairway/core';

/** What a call came to: an answer, or in words why there is none (`again`: another try may have one). */
export type Answer = { readonly json: ExactJson } | { readonly problem: string; readonly again: boolean };

/** TensorFlow Serving's REST API of one version of one model. */
export type Serving = {
  /** The state of the version (AVAILABLE, LOADING, …), or in words why it is not known. */
  state(): Promise<string>;
  /** Asks exactly this version: another one that still serves cannot answer. */
  predict(asked: GoldenCase): Promise<Answer>;
};

const MOST_BYTES = 16 * 1024 * 1024;
const CALL_MS = 30_000;
/** Answers of a pod that is going or not there yet. */
const AGAIN: readonly number[] = [404, 429, 502, 503, 504];

export function servingAt(url: URL, model: string, version: string): Serving {
  const path = `/v1/models/${encodeURIComponent(model)}/versions/${version}`;
  return {
    state: async () => {
      const answer = await call(url, 'GET', path);
      return 'problem' in answer ? answer.problem : stateIn(answer.json);
    },
    predict: ({ form, request: asked }) => call(url, 'POST', `${path}:predict`, `{"${form}":${writeExactJson(asked)}}`),
  };
}

function stateIn(json: ExactJson): string {
  const list = isExactObject(json) ? json.get('model_version_status') : undefined;
  const first = isExactList(list) ? list[0] : undefined;
  const state = isExactObject(first) ? first.get('state') : undefined;
  return typeof state === 'string' ? state : 'the answer holds no state';
}

/** A connection of its own for each call, so that a Service spreads them over the pods. */
function call(base: URL, method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (problem: string, again = true) => resolve({ problem, again });
    const { hostname, port } = base;
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(CALL_MS);
    const sent = request({ hostname, port, method, path, headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MOST_BYTES) chunks.push(chunk);
        else response.destroy(new Error(`the answer has more than ${MOST_BYTES} bytes`));
      });
      response.on('error', ({ message }) => fail(message));
      response.on('end', () => resolve(read(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'))));
    });
    sent.on('error', ({ message }) =>
      fail(signal.aborted ? `no answer within ${CALL_MS / 1000} s` : message || 'the connection failed'),
    );
    sent.end(body);
  });
}

function read(status: number, text: string): Answer {
  if (status !== 200) return { problem: `HTTP ${status}: ${errorIn(text)}`, again: AGAIN.includes(status) };
  const json = parsed(text);
  return json === undefined ? { problem: `no JSON but ${start(text)}`, again: false } : { json };
}

function errorIn(text: string): string {
  const json = parsed(text);
  const error = isExactObject(json) ? json.get('error') : undefined;
  return start(typeof error === 'string' ? error : text);
}

function parsed(text: string): ExactJson | undefined {
  try {
    return readExactJson(text);
  } catch {
    return undefined;
  }
}

const start = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
