import { type Clock, redact, urlOrigin } from '@fairway/core';
import type { Answers, NotifierAnswer } from '../../ports.ts';
import { SIGNATURE_HEADERS, signRequest } from '../../signature.ts';

const TIMEOUT_MS = 10_000;

export type HttpAnswers = {
  /** Origins that may be called; an address elsewhere is never asked. */
  readonly origins: readonly string[];
  /** Signs each call; undefined: calls are not signed. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  /** Fresh for each call, 16 to 64 characters. */
  readonly nonce: () => string;
};

/**
 * Posts an answer as JSON to the URL that the approval gave, signed as callers of the writer sign (docs/guide.md). No
 * redirect is followed and nothing of the body is read: the other side could otherwise send us anywhere, or hold us.
 */
export function httpAnswers({ origins, secret, clock, nonce }: HttpAnswers): Answers {
  return {
    answer: async (answer, to) => {
      const url = to === undefined || !URL.canParse(to) ? undefined : new URL(to);
      if (url === undefined || !origins.includes(url.origin)) {
        const origin = url === undefined ? 'The address' : url.origin;
        return { kind: 'dead', reason: `${origin} is not among ANSWER_ORIGINS; add it, and approve again.` };
      }
      const body = JSON.stringify(answer);
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': answer.idempotencyKey,
        ...(secret === undefined ? {} : signature(secret, url, body, clock, nonce())),
      };
      return post(url, headers, body, clock);
    },
  };
}

function signature(secret: string, url: URL, body: string, clock: Clock, nonce: string): Record<string, string> {
  const timestamp = String(Math.floor(clock.now() / 1000));
  const request = { method: 'POST', target: url.pathname + url.search, timestamp, nonce, body: Buffer.from(body) };
  return {
    [SIGNATURE_HEADERS.key]: 'fairway',
    [SIGNATURE_HEADERS.timestamp]: timestamp,
    [SIGNATURE_HEADERS.nonce]: nonce,
    [SIGNATURE_HEADERS.signature]: signRequest(secret, request),
  };
}

async function post(url: URL, headers: Record<string, string>, body: string, clock: Clock): Promise<NotifierAnswer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await answer.body?.cancel();
    return classify(url, answer.status, answer.headers.get('retry-after'), clock.now());
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    const why = name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : (cause?.code ?? message);
    return { kind: 'retry', reason: redact(`${urlOrigin(url.href)} does not answer (${why}).`) };
  }
}

/** 2xx accepted; 408, 429 and 5xx to be tried again, not before `Retry-After`; the rest is final. */
export function classify(url: URL, status: number, retryAfter: string | null, now: number): NotifierAnswer {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  const said = `${url.origin} answered ${status}`;
  if (status === 408 || status === 429 || status >= 500) {
    return { kind: 'retry', reason: `${said}.`, ...waitFor(retryAfter, now) };
  }
  if (status >= 300 && status < 400) {
    return { kind: 'dead', reason: `${said}: redirects are not followed; give the final address as answerTo.` };
  }
  return { kind: 'dead', reason: `${said}, which no retry will mend: check answerTo, and what the workflow takes.` };
}

function waitFor(retryAfter: string | null, now: number): { afterMs?: number } {
  if (retryAfter === null) return {};
  const seconds = /^\d{1,6}$/.test(retryAfter.trim()) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(seconds) ? {} : { afterMs: Math.max(0, seconds) };
}
