import { readFileSync } from 'node:fs';
import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { Readable } from 'node:stream';
import { FairwayError, pause, redact, urlOrigin } from '@fairway/core';
import { type AxiosInstance, type AxiosResponse, create } from 'axios';
import { askedPause, isPassing, pauses } from './repeats.ts';

/** A JSON body, a form (`application/x-www-form-urlencoded`), bytes, or a stream that is made anew for each try. */
type Body =
  | { readonly json: unknown }
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly bytes: Uint8Array; readonly type: string }
  | { readonly stream: () => Readable; readonly length: number; readonly type: string };

export type RemoteCall = {
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Whether it may be sent again when no answer came or the server was busy; GET, HEAD, PUT and DELETE are, others not. */
  readonly repeat?: boolean;
  readonly signal?: AbortSignal;
};

/** `data`: the JSON of `text`; undefined when the body is empty or no JSON. Header names are lower case. */
export type RemoteAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly data: unknown;
};
export type RemoteBytes = Omit<RemoteAnswer, 'text' | 'data'> & { readonly body: Readable };

export type RemoteOptions = {
  /** Base of the API, without a slash at its end. */
  readonly base: string;
  /** As sentences name it, e.g. `The MLflow server`. */
  readonly name: string;
  /** Setting that holds its address. */
  readonly setting: string;
  /** PEM file of certificate authorities that are trusted instead of the system ones. */
  readonly caFile?: string | undefined;
  /** What each call carries, asked for before each: `authorization` and the like. */
  readonly headers?: () => Promise<Readonly<Record<string, string>>>;
  /** Told of a 401 and of our headers it was the answer to; true: the call is sent once more, with headers that are asked for anew. */
  readonly unauthorized?: (answer: RemoteAnswer, sent: Readonly<Record<string, string>>) => Promise<boolean>;
  /** What must never be seen in an error. */
  readonly secrets?: () => readonly string[];
  /** How long an answer to begin with is waited for, ms; bytes that stop for so long end a download as well. */
  readonly answerMs?: number;
  /** Tries of a call that may be repeated. */
  readonly tries?: number;
};

/**
 * A server of somebody else. A path continues the base, or is a URL of the same origin. `call` answers whatever has a status,
 * refusals included; `download` the bytes as they come, and follows redirects, to other origins without our headers. Both throw
 * `registry.unavailable` when there is no answer, or none but 429, 502, 503 and 504 in all tries (`detail.retryAfterMs` where known).
 */
export type Remote = {
  readonly call: (method: string, path: string, call?: RemoteCall) => Promise<RemoteAnswer>;
  readonly download: (path: string, call?: Omit<RemoteCall, 'body'>) => Promise<RemoteBytes>;
  /** Closes the connections that are kept. */
  readonly close: () => void;
};

const ANSWER_MS = 30_000;
const MAX_BYTES = 32 * 2 ** 20;
const MOST_REDIRECTS = 3;

type Rim = RemoteOptions & { readonly http: AxiosInstance; readonly answerMs: number };
type Sent = { readonly method: string; readonly url: string; readonly call: RemoteCall; readonly bare?: boolean };

export function remote(options: RemoteOptions): Remote {
  const keep: AgentOptions = { keepAlive: true, ...trust(options) };
  const agents = { httpAgent: new HttpAgent({ keepAlive: true }), httpsAgent: new HttpsAgent(keep) };
  const http = create({
    ...agents,
    proxy: false,
    maxRedirects: 0,
    responseType: 'stream',
    decompress: true,
    maxBodyLength: Number.POSITIVE_INFINITY,
    validateStatus: () => true,
  });
  const rim: Rim = { ...options, http, answerMs: options.answerMs ?? ANSWER_MS };
  return {
    call: async (method, path, call = {}) => {
      const sent = { method, url: urlOf(rim, path, call.query), call };
      return repeated(rim, sent, async (response) => whole(rim, response));
    },
    download: async (path, call = {}) => follow(rim, { method: 'GET', url: urlOf(rim, path, call.query), call }),
    close: () => {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

async function follow(rim: Rim, sent: Sent, hops = 0): Promise<RemoteBytes> {
  const answer = await repeated(rim, sent, (response) =>
    Promise.resolve({ status: response.status, headers: plain(response), body: response.data }),
  );
  const to = answer.headers['location'];
  if (![301, 302, 303, 307, 308].includes(answer.status) || to === undefined) return answer;
  answer.body.destroy();
  if (hops >= MOST_REDIRECTS || !URL.canParse(to, sent.url)) throw away(rim, 'its redirects lead nowhere');
  const url = new URL(to, sent.url);
  if (!/^https?:$/.test(url.protocol)) throw away(rim, `it redirects to ${url.protocol}`);
  // Storage behind a registry: its address has its own proof in it, and ours is none of its business.
  const bare = sent.bare === true || url.origin !== new URL(rim.base).origin;
  return follow(rim, { ...sent, url: url.href, bare }, hops + 1);
}

type Streamed = AxiosResponse<Readable>;

/** Sends until there is an answer that counts; `read` takes it. */
async function repeated<T extends { readonly status: number; readonly headers: Readonly<Record<string, string>> }>(
  rim: Rim,
  sent: Sent,
  read: (response: Streamed) => Promise<T>,
): Promise<T> {
  const mayRepeat = sent.call.repeat ?? ['GET', 'HEAD', 'PUT', 'DELETE'].includes(sent.method);
  const waits = pauses(mayRepeat ? (rim.tries ?? 3) : 1);
  for (let turn = 0; ; turn += 1) {
    const wait = waits[turn];
    try {
      const response = await authorized(rim, sent);
      if (!isPassing(response.status)) return await read(response);
      const { text, headers } = await whole(rim, response);
      const asked = askedPause(headers['retry-after']);
      if (wait === undefined || (asked ?? 0) > 5_000) throw busy(rim, response.status, text, asked);
      await pause(asked ?? wait);
    } catch (error) {
      if (error instanceof FairwayError || wait === undefined) throw asAway(rim, error);
      await pause(wait);
    }
  }
}

async function authorized(rim: Rim, sent: Sent): Promise<Streamed> {
  const own = sent.bare === true ? {} : ((await rim.headers?.()) ?? {});
  const response = await once(rim, sent, own);
  if (response.status !== 401 || rim.unauthorized === undefined || sent.bare === true) return response;
  const answer = await whole(rim, response);
  if (await rim.unauthorized(answer, own)) return once(rim, sent, (await rim.headers?.()) ?? {});
  return { ...response, data: Readable.from([Buffer.from(answer.text)]) };
}

async function once(
  rim: Rim,
  { method, url, call, bare }: Sent,
  own: Readonly<Record<string, string>>,
): Promise<Streamed> {
  const [data, type, length] = bodyOf(call.body);
  const stop = new AbortController();
  const timer = setTimeout(
    () => stop.abort(new Error(`no answer came within ${rim.answerMs / 1_000} s`)),
    rim.answerMs,
  );
  const signals = [stop.signal, ...(call.signal === undefined ? [] : [call.signal])];
  try {
    const response = await rim.http.request<Readable>({
      method,
      url,
      data,
      headers: {
        'user-agent': 'fairway',
        accept: 'application/json',
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(length === undefined ? {} : { 'content-length': String(length) }),
        ...own,
        ...(bare === true ? harmless(call.headers) : call.headers),
      },
      // A body may take longer than an answer: the time-out is for silence, which axios sees by the socket.
      timeout: rim.answerMs,
      ...(call.body !== undefined && 'stream' in call.body ? {} : { signal: AbortSignal.any(signals) }),
    });
    response.data.on('error', () => undefined);
    endOnSilence(response, rim.answerMs);
    return response;
  } catch (error) {
    throw stop.signal.aborted ? (stop.signal.reason as Error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** What a call may carry to another origin: nothing that could prove who we are. */
function harmless(headers: RemoteCall['headers'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(accept(-.*)?|range)$/i.test(name)));
}

/** Axios looks at the time-out of the socket only until the answer begins. What is not read yet is our silence, not theirs. */
function endOnSilence({ request, data }: Streamed, answerMs: number): void {
  (request as ClientRequest).on('timeout', () => {
    if (data.readableLength === 0) data.destroy(new Error(`no more of the answer came within ${answerMs / 1_000} s`));
  });
}

function bodyOf(body: Body | undefined): [data: unknown, type?: string, length?: number] {
  if (body === undefined) return [undefined];
  if ('json' in body) return [JSON.stringify(body.json), 'application/json'];
  if ('form' in body) return [new URLSearchParams(body.form).toString(), 'application/x-www-form-urlencoded'];
  if ('bytes' in body) return [Buffer.from(body.bytes), body.type];
  return [body.stream(), body.type, body.length];
}

async function whole(rim: Rim, response: Streamed): Promise<RemoteAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.data as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw away(rim, `its answer is longer than ${MAX_BYTES / 2 ** 20} MiB`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.status, headers: plain(response), text, data: json(text) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function plain({ headers }: Streamed): Record<string, string> {
  const entries = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function urlOf(rim: Rim, path: string, query: RemoteCall['query'] = {}): string {
  const url = new URL(/^https?:/.test(path) ? path : `${rim.base}${path}`);
  if (url.origin !== new URL(rim.base).origin) {
    throw away(
      rim,
      `it points to ${urlOrigin(url.href)}, where our credentials are not sent; set ${rim.setting} to the address that it gives itself`,
    );
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url.href;
}

function trust({ caFile, setting }: RemoteOptions): AgentOptions {
  if (caFile === undefined) return {};
  try {
    return { ca: readFileSync(caFile) };
  } catch (error) {
    throw new FairwayError(
      'config.invalid',
      `The certificate authorities for ${setting} (${caFile}) cannot be read: ${(error as Error).message}`,
    );
  }
}

const firstLine = (text: string): string =>
  text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 200);

function busy(rim: Rim, status: number, text: string, retryAfterMs?: number): FairwayError {
  return away(rim, `it answered ${status} (${firstLine(text) || 'no reason given'})`, retryAfterMs);
}

function asAway(rim: Rim, error: unknown): FairwayError {
  return error instanceof FairwayError ? error : away(rim, reasonOf(error as NodeJS.ErrnoException));
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (/wrong version number/.test(message)) return 'it does not speak TLS there, as https wants it';
  const isTrust = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code ?? '');
  return isTrust ? `its certificate is not trusted (${message}); name its certificate authority in a file` : message;
}

function away(rim: Rim, why: string, retryAfterMs?: number): FairwayError {
  const words = redact(why, [...(rim.secrets?.() ?? [])]);
  return new FairwayError(
    'registry.unavailable',
    `${rim.name} at ${urlOrigin(rim.base)} (${rim.setting}) cannot be used: ${words}.`,
    retryAfterMs === undefined ? {} : { detail: { retryAfterMs } },
  );
}
