import type { FairwayError } from '@fairway/core';
import type { RemoteAnswer } from '@fairway/remote';
import { imageError } from '../errors.ts';

type Answer = Pick<RemoteAnswer, 'status' | 'headers' | 'text' | 'data'>;

/** ` (DENIED: …)` from the errors of the distribution API, or from the words that other servers use; empty without any. */
export function reasonOf({ data, text, headers }: Answer): string {
  if (isHtml(headers)) return ' (an HTML page)';
  const { errors, details, error_description: description, error } = (data ?? {}) as Record<string, unknown>;
  const first = Array.isArray(errors) ? (errors[0] as Record<string, unknown> | undefined) : undefined;
  const coded =
    first === undefined ? undefined : [first['code'], first['message']].filter((one) => typeof one === 'string');
  const plain = [description, details, error].find((one) => typeof one === 'string');
  const words = coded?.join(': ') ?? plain ?? text;
  const short = words.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
  return short === '' ? '' : ` (${short})`;
}

export const isHtml = (headers: Answer['headers']): boolean => /^\s*text\/html/i.test(headers['content-type'] ?? '');

/** An answer that the distribution API does not have, or that says no. `what`: as in "when it was asked for …". */
export function refusal(place: string, what: string, answer: Answer): FairwayError {
  const { status, headers } = answer;
  if (isHtml(headers)) {
    return imageError(
      `${place} answered ${status} with an HTML page when ${what}: something else stands at this address, such as a login page or a proxy. Correct the address.`,
    );
  }
  const why = `${place} answered ${status}${reasonOf(answer)} when ${what}`;
  if (status === 401 || status === 403) return imageError(`${why}: the credentials are missing, wrong or not enough.`);
  if (status === 413) return imageError(`${why}: it, or a proxy before it, takes no such large bodies.`);
  return imageError(`${why}.`, status >= 500 ? 'retryable' : 'terminal');
}
