import { FairwayError, pause, redact, urlOrigin } from '@fairway/core';

export type Call = {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
};

/** The answer of a JSON API: its status and parsed body (undefined when empty). */
export type Answer<T> = { readonly status: number; readonly body: T };

/** Calls a JSON API. A refused or lost connection is a sentence that names the host, never the whole URL. */
export async function callJson<T>(what: string, url: string, call: Call = {}): Promise<Answer<T>> {
  const init: RequestInit = {
    method: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
    headers: {
      accept: 'application/json',
      // A kept connection may be closed by the other side just when it is used again, on a machine that is busy.
      connection: 'close',
      ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    signal: AbortSignal.timeout(call.timeoutMs ?? 15_000),
    ...(call.body === undefined ? {} : { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
  };
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(url, init);
    text = await answer.text();
  } catch (error) {
    const sentence = `${what} at ${urlOrigin(url)} does not answer: ${whyNoAnswer(error)}`;
    throw new FairwayError('stack.failed', sentence, { disposition: 'retryable' });
  }
  return { status: answer.status, body: parse(text) as T };
}

const REFUSED = 'it refused the connection: is it running?';
const CLOSED = 'it closed the connection before it had answered; it may be stopping or starting, so try again.';
const SLOW = 'it took too long: it may be busy or hang.';
const UNKNOWN_HOST = 'no address is known for this host name: is it spelled right?';
const UNREACHABLE = 'no way leads to this host: are network and firewall in order?';

/** By the code of what `fetch` gives as the cause. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: REFUSED,
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CLOSED,
  ETIMEDOUT: SLOW,
  UND_ERR_CONNECT_TIMEOUT: SLOW,
  UND_ERR_HEADERS_TIMEOUT: SLOW,
  UND_ERR_BODY_TIMEOUT: SLOW,
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: UNKNOWN_HOST,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
};

/** Why a `fetch` ended without an answer, as the end of a sentence; a code without words is given itself. */
export function whyNoAnswer(error: unknown): string {
  const { name, message, cause } = error as Error & { readonly cause?: { readonly code?: string } };
  if (name === 'TimeoutError') return SLOW;
  const code = cause?.code ?? message;
  return CAUSES[code] ?? `${redact(code)}.`;
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

/** As {@link callJson}, but an answer of 400 or more becomes an error with the API's own sentence; 5xx is retryable. */
export async function expectJson<T>(what: string, url: string, call: Call = {}): Promise<T> {
  const { status, body } = await callJson<T & { detail?: string; message?: string }>(what, url, call);
  if (status < 400) return body;
  const reason = body?.detail ?? body?.message ?? `${what} answered ${status}.`;
  const detail = { status };
  if (status >= 500) throw new FairwayError('stack.failed', reason, { detail, disposition: 'retryable' });
  throw new FairwayError(status === 404 ? 'model.unknown' : 'input.invalid', reason, { detail });
}

/** As {@link expectJson}, but asks again for a while when the service is just restarting. For calls that may be sent twice. */
export async function patientJson<T>(what: string, url: string, call: Call = {}, patienceMs = 30_000): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await expectJson<T>(what, url, call);
    } catch (error) {
      if (!isPassing(error) || Date.now() > deadline) throw error;
      await pause(200);
    }
  }
}

/** Whether an error may be gone at the next try. */
export const isPassing = (error: unknown): boolean =>
  !(error instanceof FairwayError) || error.disposition === 'retryable';
