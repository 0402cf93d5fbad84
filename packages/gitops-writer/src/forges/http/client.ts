import { type Clock, FairwayError, pause, redact, urlOrigin } from '@fairway/core';
import { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse, create } from 'axios';
import type { CallKind, GitCredentials, SharedCalls } from '../../ports.ts';
import type { Answer, Headers } from './answer.ts';
import { saying } from './answer.ts';
import { blockedBy, type Budget, budget, type HostLimits } from './budget.ts';
import { type Etags, etags } from './etags.ts';
import { isTold, limitOf, retryAfter } from './limits.ts';
import { slots } from './slots.ts';

export type ForgeClientOptions = {
  /** Base of the API, without a slash at its end. */
  readonly base: string;
  /** What every call carries beside `accept`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentials: ApiCredentials;
  readonly limits: HostLimits;
  /** Where the windows of `limits` are counted for all replicas; without it they are counted here. */
  readonly shared?: SharedCalls | undefined;
  readonly clock: Clock;
};

/** Where a token comes from. A token may expire earlier than it said: `refused` tells of one, and the next call asks again. */
export type ApiCredentials = {
  readonly current: GitCredentials;
  readonly refused?: ((token: string) => void) | undefined;
  readonly header: (token: string) => Readonly<Record<string, string>>;
};

export type CallOptions = {
  readonly body?: object;
  readonly query?: Readonly<Record<string, string | number>>;
  /** What the call counts as; a POST is a write unless it says otherwise. */
  readonly kind?: CallKind;
};

/**
 * One call of the forge's API. `path` continues the base, or is a URL of the same origin. Answers whatever has a status
 * below 500, refusals included. Throws `forge.unavailable`, with `detail.retryAfterMs` where a wait is known, when there
 * is no answer, a 5xx, or no call left within the limits.
 */
export type ForgeClient = (
  method: 'GET' | 'POST' | 'PATCH' | 'PUT',
  path: string,
  options?: CallOptions,
) => Promise<Answer>;

const ANSWER_MS = 30_000;
const MAX_BYTES = 32 * 2 ** 20;
const KEPT_BYTES = 16 * 2 ** 20;
/** A wait this short is waited for here; for a longer one the caller comes back. */
const SHORT_WAIT_MS = 2_000;

/** The rim of one client: everything a call needs. */
type Rim = ForgeClientOptions & { readonly http: AxiosInstance; readonly budget: Budget; readonly kept: Etags };
type Call = {
  readonly method: string;
  readonly url: string;
  readonly kind: CallKind;
  readonly body: object | undefined;
  /** GitHub counts GraphQL apart. */
  readonly resource: string;
};

export function forgeClient(options: ForgeClientOptions): ForgeClient {
  const http = create({
    headers: { accept: 'application/json', 'user-agent': 'fairway', ...options.headers },
    timeout: ANSWER_MS,
    maxContentLength: MAX_BYTES,
    // A redirect followed would take the token along.
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    validateStatus: () => true,
  });
  // What has no published limits needs no counting.
  const shared = options.limits.windows.length === 0 ? undefined : options.shared;
  const own = budget(shared === undefined ? options.limits : { ...options.limits, windows: [] });
  const rim: Rim = { ...options, shared, http, budget: own, kept: etags(KEPT_BYTES) };
  const slot = slots(options.limits.concurrent);
  return async (method, path, { body, query, kind } = {}) => {
    const url = urlOf(options.base, path, query);
    const call: Call = {
      method,
      url,
      body,
      kind: kind ?? (method === 'GET' ? 'read' : 'write'),
      resource: new URL(url).pathname.endsWith('/graphql') ? 'graphql' : 'core',
    };
    return slot(async () => {
      await admit(rim, call);
      return send(rim, call);
    });
  };
}

function urlOf(base: string, path: string, query: CallOptions['query'] = {}): string {
  const url = new URL(/^https?:/.test(path) ? path : `${base}${path}`);
  if (url.origin !== new URL(base).origin) {
    throw new FairwayError(
      'forge.unavailable',
      `The forge at ${urlOrigin(base)} points to ${urlOrigin(url.href)}, where the token is not sent; set FORGE_URL to the address that the forge gives itself.`,
    );
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url.href;
}

async function admit({ budget, shared, limits, clock, base }: Rim, { kind, resource }: Call): Promise<void> {
  const began = clock.now();
  for (;;) {
    const now = clock.now();
    const paused = budget.take(kind, resource, now);
    const wait = paused > 0 ? paused : ((await shared?.take(base, resource, kind, limits.windows)) ?? 0);
    if (wait === 0) return;
    if (now + wait - began > SHORT_WAIT_MS) {
      throw away(base, `its limits take no more ${kind}s for ${Math.ceil(wait / 1_000)} s`, wait);
    }
    await pause(wait);
  }
}

/** Sends a call, once more with a new token when the forge does not take the one that was kept. */
async function send(rim: Rim, call: Call): Promise<Answer> {
  const { current, refused } = rim.credentials;
  const { token } = await current();
  const answer = await once(rim, call, token);
  if (answer.status !== 401 || refused === undefined) return answer;
  refused(token);
  return once(rim, call, (await current()).token);
}

async function once(rim: Rim, call: Call, token: string): Promise<Answer> {
  const { base, budget, kept, clock } = rim;
  const known = call.method === 'GET' ? kept.get(call.url) : undefined;
  const { status, text, headers } = await request(rim, call, token, known?.etag);
  const now = clock.now();
  const limit = limitOf(status, headers, isTold(status) ? text : '', now);
  const wait = budget.learn(limit, call.resource, now);
  // What was answered counts, whether the others can be told or not: they learn it by themselves.
  if (wait > 0) await rim.shared?.pause(base, blockedBy(limit, call.resource), wait).catch(() => {});
  if (limit.limited) throw away(base, `it asks for a pause (${status}: ${saying(dataOf(text))})`, wait);
  if (status >= 500) {
    throw away(base, `it answered ${status} (${saying(dataOf(text))})`, retryAfter(headers['retry-after'], now));
  }
  if (status === 304 && known !== undefined) return { status: 200, data: dataOf(known.text), headers: known.headers };
  const etag = headers['etag'];
  if (call.method === 'GET' && status === 200 && etag !== undefined) kept.put(call.url, { etag, text, headers });
  return { status, data: dataOf(text), headers };
}

type Raw = { readonly status: number; readonly text: string; readonly headers: Headers };

async function request(rim: Rim, { method, url, body }: Call, token: string, etag: string | undefined): Promise<Raw> {
  const { http, base, credentials } = rim;
  const config: AxiosRequestConfig = {
    method,
    url,
    headers: { ...credentials.header(token), ...(etag === undefined ? {} : { 'if-none-match': etag }) },
    // The time-out of axios begins anew with every byte.
    signal: AbortSignal.timeout(ANSWER_MS),
    ...(body === undefined ? {} : { data: body }),
  };
  try {
    const { status, data, headers }: AxiosResponse<unknown> = await http.request(config);
    return { status, text: typeof data === 'string' ? data : '', headers: plain(headers) };
  } catch (error) {
    throw away(base, redact(reasonOf(error as Error), [token]));
  }
}

const reasonOf = ({ name, message }: Error): string =>
  name === 'CanceledError' ? `no answer came within ${ANSWER_MS / 1_000} s` : message;

function plain(headers: AxiosResponse['headers']): Headers {
  const entries = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function dataOf(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function away(base: string, why: string, retryAfterMs?: number): FairwayError {
  const detail = retryAfterMs === undefined || retryAfterMs === 0 ? {} : { retryAfterMs };
  return new FairwayError('forge.unavailable', `The forge at ${urlOrigin(base)} cannot be used: ${why}.`, { detail });
}
