import type { FairwayError } from './errors.ts';

/** What a step answers. Waiting is a status, not an error. */
export type StepResult<T> =
  | { readonly status: 'succeeded'; readonly output: T }
  | { readonly status: 'waiting'; readonly retryAfterMs: number; readonly reason: string }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'failed'; readonly error: FairwayError };

export const succeeded = <T>(output: T): StepResult<T> => ({ status: 'succeeded', output });
export const waiting = (retryAfterMs: number, reason: string): StepResult<never> => ({
  status: 'waiting',
  retryAfterMs,
  reason,
});
export const skipped = (reason: string): StepResult<never> => ({ status: 'skipped', reason });
export const failed = (error: FairwayError): StepResult<never> => ({ status: 'failed', error });
