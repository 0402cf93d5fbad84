import type { Headers } from './answer.ts';

/** What an answer says about the limits of its host; pure. */
export type Limit = {
  /** The answer itself is a refusal for having called too often. */
  readonly limited: boolean;
  /** Part of the API that has to wait (GitHub counts REST and GraphQL apart); undefined = all of it. */
  readonly resource?: string;
  /** How long nothing may be called any more, where it says so. */
  readonly waitMs?: number;
};

/** The longest wait that is believed; published windows are an hour at most. */
const LONGEST_MS = 3_600_000;
/** Resets are told in whole seconds. */
const ROUNDING_MS = 1_000;
/** A delta, not a time of day, where it is smaller than this (2001). */
const EPOCH_FROM = 1e9;
/** Of a 403, which may also be a missing right; and of a 422 by which GitHub slows down who opens many pull requests, though it is within all limits. */
const LIMIT_TEXTS: Readonly<Record<number, RegExp>> = {
  403: /secondary rate limit|rate limit exceeded|abuse detection/i,
  422: /submitted too quickly/i,
};
/** Statuses of which `limitOf` has to know the text. */
export const isTold = (status: number): boolean => LIMIT_TEXTS[status] !== undefined;

/**
 * Reads `retry-after` (seconds or HTTP date), `x-ratelimit-*` (GitHub) and `ratelimit-*` (GitLab). Times are taken
 * relative to the server's own `date`, so that a clock that is off does not shorten the wait.
 */
export function limitOf(status: number, headers: Headers, text: string, now: number): Limit {
  const serverNow = dateOf(headers['date']) ?? now;
  const retryAfterMs = retryAfter(headers['retry-after'], serverNow);
  const quota = quotaOf(headers, serverNow);
  const limited =
    status === 429 ||
    (status === 403 && (retryAfterMs !== undefined || quota.waitMs !== undefined)) ||
    LIMIT_TEXTS[status]?.test(text) === true;
  if (limited && retryAfterMs !== undefined) return { limited, waitMs: retryAfterMs };
  return { limited, ...quota };
}

/** Milliseconds that `retry-after` asks for, undefined when it says nothing usable. */
export function retryAfter(raw: string | undefined, serverNow: number): number | undefined {
  if (raw === undefined) return undefined;
  const seconds = /^\d{1,10}$/.test(raw.trim()) ? Number(raw) : undefined;
  const until = seconds === undefined ? dateOf(raw) : serverNow + seconds * 1_000;
  return until === undefined ? undefined : bounded(until - serverNow);
}

function quotaOf(headers: Headers, serverNow: number): { resource?: string; waitMs?: number } {
  const remaining = headers['x-ratelimit-remaining'] ?? headers['ratelimit-remaining'];
  const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset'] ?? Number.NaN);
  if (remaining === undefined || !(Number(remaining) <= 0) || !Number.isFinite(reset)) return {};
  const waitMs = reset < EPOCH_FROM ? reset * 1_000 : reset * 1_000 - serverNow;
  const resource = headers['x-ratelimit-resource'];
  return { ...(resource === undefined ? {} : { resource }), waitMs: bounded(waitMs + ROUNDING_MS) };
}

const bounded = (ms: number): number => Math.min(LONGEST_MS, Math.max(0, ms));

/** `Date.parse` alone would take "-5" for a year. */
function dateOf(raw: string | undefined): number | undefined {
  const at = raw?.endsWith('GMT') === true ? Date.parse(raw) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
