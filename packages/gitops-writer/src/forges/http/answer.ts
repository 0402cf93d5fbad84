import { FairwayError, redact, urlOrigin } from '@fairway/core';
import type { z } from 'zod';

/** Names in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** An answer below 500: status and parsed body (text when it is not JSON, undefined when empty). */
export type Answer = { readonly status: number; readonly data: unknown; readonly headers: Headers };

/** The body as `schema` says, of an answer that is a success. `doing` completes "The forge refused …". */
export function parsed<T>(schema: z.ZodType<T>, doing: string, answer: Answer): T {
  expectOk(doing, answer);
  const result = schema.safeParse(answer.data);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join('.') ?? '';
  throw new FairwayError(
    'forge.unavailable',
    `The forge answered ${doing} with something that its API does not say (at "${at}"); check FORGE and FORGE_URL, or a proxy before it.`,
  );
}

export const isOk = ({ status }: Answer): boolean => status >= 200 && status < 300;

export function expectOk(doing: string, answer: Answer): void {
  if (!isOk(answer)) throw refused(doing, answer);
}

/**
 * A refusal in the forge's own words. What an operator has to mend (token, rights, address) is retryable, for no
 * change must be lost by it; anything else is terminal.
 */
export function refused(doing: string, answer: Answer): FairwayError {
  const mend = mendOf(answer);
  const message = `The forge refused ${doing} (${answer.status}: ${saying(answer.data)}); ${mend ?? 'see the forge for the rule that says so'}.`;
  return new FairwayError('forge.refused', message, mend === undefined ? {} : { disposition: 'retryable' });
}

/** A branch is pushed a moment before its pull request is opened, and a forge may notice it later; one that is gone is pushed again. */
export const unnoticed = (branch: string, answer: Answer): FairwayError =>
  new FairwayError(
    'forge.unavailable',
    `The forge has not noticed branch ${branch} yet (${answer.status}: ${saying(answer.data)}).`,
  );

function mendOf({ status, headers }: Answer): string | undefined {
  if (status === 401) return 'give FORGE_TOKEN (or the GitHub App) a token or key that is valid';
  if (status === 403) return 'give the token the rights that docs/guide.md names';
  if (status === 404) return 'check FORGE_URL and FORGE_REPOSITORY, and that the token may see the repository';
  if (status >= 300 && status < 400) {
    const to = headers['location'] === undefined ? '' : ` (it points to ${urlOrigin(headers['location'])})`;
    return `the repository or the forge has moved${to}: set FORGE_URL and FORGE_REPOSITORY to where it is now`;
  }
  return undefined;
}

const LONGEST = 300;

/** What the forge says about a refusal: `message` (text, list or by field), `errors` (GitHub) or `error` (GitLab). */
export function saying(data: unknown): string {
  const words = wordsOf(data).join('; ').replaceAll(/\s+/g, ' ').trim();
  return words === '' ? 'no reason given' : redact(words.slice(0, LONGEST));
}

function wordsOf(data: unknown): string[] {
  if (typeof data === 'string') return [data];
  if (Array.isArray(data)) return data.flatMap(wordsOf);
  if (typeof data !== 'object' || data === null) return [];
  const { message, error, errors, error_description: described, field, code } = data as Record<string, unknown>;
  const said = [...new Set([message, error, described, errors].flatMap(wordsOf))];
  if (said.length > 0) return said;
  if (field !== undefined || code !== undefined) return [[field, code].filter(Boolean).join(' ')];
  return Object.entries(data).flatMap(([key, value]) => wordsOf(value).map((word) => `${key} ${word}`));
}
