import type { ErrorCode } from '@fairway/core';

/** First delay, ceiling, and how many tries; `Infinity` = until it works, because the change must not be lost. */
type RetryRule = { readonly baseMs: number; readonly capMs: number; readonly tries: number };

const UNTIL_BACK: RetryRule = { baseMs: 500, capMs: 60_000, tries: Number.POSITIVE_INFINITY };
/** Something people have to mend in the GitOps repository. */
const UNTIL_MENDED: RetryRule = { baseMs: 1_000, capMs: 30_000, tries: Number.POSITIVE_INFINITY };
const CAPPED: RetryRule = { baseMs: 1_000, capMs: 60_000, tries: 8 };

/** Retry rules by error code; a retryable code that is not here is capped, as unknown errors are. */
const RETRY: Partial<Record<ErrorCode, RetryRule>> = {
  'git.race': { baseMs: 50, capMs: 5_000, tries: 20 },
  'git.unavailable': UNTIL_BACK,
  'forge.unavailable': UNTIL_BACK,
  'cluster.unavailable': UNTIL_BACK,
  'registry.unavailable': UNTIL_BACK,
  'database.unavailable': UNTIL_BACK,
  'notify.unavailable': UNTIL_BACK,
  // Where it is retryable at all: a token or an address that an operator has to mend.
  'forge.refused': UNTIL_MENDED,
  'git.refused': UNTIL_MENDED,
  'model.unknown': UNTIL_MENDED,
  'model.invalid': UNTIL_MENDED,
  'environment.unknown': UNTIL_MENDED,
  'disk.full': { baseMs: 5_000, capMs: 60_000, tries: Number.POSITIVE_INFINITY },
};

/** No server's wish for a pause is believed for longer. */
const LONGEST_WISH_MS = 3_600_000;

/**
 * Milliseconds until try `attempts + 1` after `attempts` failures (≥ 1), doubling up to the cap, and not before the
 * `wish` (`error.detail.retryAfterMs`) of who refused; undefined = give up.
 */
export function retryDelay(code: ErrorCode, attempts: number, wish?: unknown): number | undefined {
  const { baseMs, capMs, tries } = RETRY[code] ?? CAPPED;
  if (attempts >= tries) return undefined;
  const wishMs = typeof wish === 'number' && wish > 0 ? Math.min(LONGEST_WISH_MS, wish) : 0;
  return Math.max(wishMs, Math.min(capMs, baseMs * 2 ** Math.min(attempts - 1, 30)));
}

const POLL_MIN_MS = 500;
const POLL_MAX_MS = 30_000;

/**
 * How long to wait before the world is looked at again: half a second for what has just begun, a sixtieth of its age
 * for what waits longer (a webhook shortens it anyway), at most half a minute.
 */
export function pollDelay(sinceMs: number): number {
  return Math.min(POLL_MAX_MS, Math.max(POLL_MIN_MS, sinceMs / 60));
}

const REVIEW_MAX_MS = 300_000;

/**
 * The same for a pull request that waits for people: a sixth of its age, and from half an hour on a sixtieth, at most five minutes. A
 * thousand of them may wait for days, the forge's webhook is faster anyway, and GitHub takes 900 questions a minute of all of ours.
 */
export function reviewDelay(sinceMs: number): number {
  return Math.max(pollDelay(sinceMs * 10), Math.min(REVIEW_MAX_MS, sinceMs / 60));
}
