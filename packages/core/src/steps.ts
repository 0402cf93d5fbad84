import type { FairwayError } from './errors.ts';

/** What a step answers. Waiting is a status, not an error. */
export type StepResult<T> =
  | { readonly status: 'succeeded'; readonly output: T }
  | { readonly status: 'waiting'; readonly retryAfterMs: number; readonly reason: string; readonly learned?: T }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'failed'; readonly error: FairwayError };

export const succeeded = <T>(output: T): StepResult<T> => ({ status: 'succeeded', output });
/** `learned`: what the look has found out all the same. */
export const waiting = <T = never>(retryAfterMs: number, reason: string, learned?: T): StepResult<T> => ({
  status: 'waiting',
  retryAfterMs,
  reason,
  ...(learned === undefined ? {} : { learned }),
});
export const skipped = (reason: string): StepResult<never> => ({ status: 'skipped', reason });
export const failed = (error: FairwayError): StepResult<never> => ({ status: 'failed', error });
