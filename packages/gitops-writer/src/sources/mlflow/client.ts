import { FairwayError, redact, urlOrigin } from '@fairway/core';
import { type Remote, type RemoteAnswer, remote } from '@fairway/remote';
import type { z } from 'zod';
import type { MlflowSettings } from './settings.ts';
import { REFUSAL } from './shapes.ts';

/** `code`: MLflow's own, e.g. RESOURCE_DOES_NOT_EXIST; `NO_SUCH_ENDPOINT` is ours, for a 404 that MLflow did not write. */
export type Refusal = { readonly status: number; readonly code: string; readonly message: string };
export type Told<T> = { readonly data: T } | { readonly refusal: Refusal };

type Query = Readonly<Record<string, string | number>>;

export type MlflowClient = {
  readonly remote: Remote;
  /** Of the server, for sentences. */
  readonly at: string;
  /** Throws what is no answer of MLflow, and refused credentials; other refusals are the caller's to read. */
  get<S extends z.ZodType>(path: string, shape: S, query?: Query): Promise<Told<z.output<S>>>;
  post(path: string, json: unknown): Promise<Told<unknown>>;
  /** A refusal that nobody expected, as an error. */
  unexpected(refusal: Refusal): FairwayError;
};

const API = '/api/2.0';
export const NO_SUCH_ENDPOINT = 'NO_SUCH_ENDPOINT';

/** The tracking server's REST API 2.0, which MLflow 2.x and 3.x both speak. */
export function mlflowClient({ url, authorization, caFile, secrets }: MlflowSettings): MlflowClient {
  const server = remote({
    base: url,
    name: 'The MLflow server',
    setting: 'MLFLOW_URL',
    caFile,
    headers: () => Promise.resolve(authorization === undefined ? {} : { authorization }),
    secrets: () => secrets,
  });
  const at = urlOrigin(url);
  const away = (why: string) =>
    new FairwayError('registry.unavailable', `The MLflow server at ${at} (MLFLOW_URL) cannot be used: ${why}.`);
  const told = (answer: RemoteAnswer): Told<unknown> => {
    const found = readAnswer(answer);
    if ('problem' in found) throw away(found.problem);
    return found;
  };
  return {
    remote: server,
    at,
    get: async (path, shape, query = {}) => {
      const answer = told(await server.call('GET', `${API}${path}`, { query }));
      if ('refusal' in answer) return answer;
      const parsed = shape.safeParse(answer.data);
      if (parsed.success) return { data: parsed.data };
      const field = parsed.error.issues[0]?.path.join('.') ?? '';
      throw away(`its answer to ${API}${path} has no usable ${field || 'content'}`);
    },
    post: async (path, json) => told(await server.call('POST', `${API}${path}`, { body: { json }, repeat: true })),
    unexpected: (refusal) => away(redact(refusalWords(refusal), [...secrets])),
  };
}

/** `problem`: why it is no answer of MLflow that says anything. */
function readAnswer(answer: RemoteAnswer): Told<unknown> | { readonly problem: string } {
  const { status, data } = answer;
  if (status === 401)
    return { problem: 'it refuses our credentials; correct MLFLOW_USERNAME and MLFLOW_PASSWORD, or MLFLOW_TOKEN' };
  const refusal = refusalOf(answer);
  if (refusal !== undefined) return { refusal };
  if (status === 200 && isObject(data)) return { data };
  return { problem: status >= 500 ? `it answered ${status}` : notMlflow(answer) };
}

function refusalWords({ status, code, message }: Refusal): string {
  const words = message.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
  if (code === 'PERMISSION_DENIED' || status === 403)
    return `it does not let our user do this (${words}); give the user the right, in MLflow`;
  if (code === NO_SUCH_ENDPOINT)
    return 'it has no model registry at this address (404); MLFLOW_URL must be the address of the tracking server';
  return `it answered ${status} ${code}${words === '' ? '' : ` (${words})`}`;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** MLflow's error, also where a gateway has made its status 200; a bare 404 is a path that this server does not have. */
function refusalOf({ status, data, text }: RemoteAnswer): Refusal | undefined {
  const parsed = REFUSAL.safeParse(data);
  if (parsed.success) return { status, code: parsed.data.error_code, message: parsed.data.message };
  if (status === 404) return { status, code: NO_SUCH_ENDPOINT, message: 'it has no such path' };
  return status === 403 ? { status, code: 'PERMISSION_DENIED', message: text.slice(0, 200) } : undefined;
}

function notMlflow({ status, headers, text }: RemoteAnswer): string {
  const isPage = headers['content-type']?.includes('html') === true || /^\s*<(!doctype|html)/i.test(text);
  const what =
    status >= 300 && status < 400
      ? `redirects (${status})`
      : `answered ${status} with ${isPage ? 'a web page' : 'no JSON'}`;
  return `it ${what}; MLFLOW_URL must be the address of the tracking server itself, with no login page before it`;
}
