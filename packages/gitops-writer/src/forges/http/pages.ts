import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import { type Answer, parsed } from './answer.ts';
import type { ForgeClient } from './client.ts';

/** How a forge says where the next page is: a URL or further query values; undefined = this was the last. */
export type NextPage = (
  answer: Answer,
  page: number,
  items: number,
) => string | Readonly<Record<string, number>> | undefined;

/** RFC 8288: `Link: <https://…?page=2>; rel="next"`. */
export const byLink: NextPage = ({ headers }) => nextLink(headers['link']);

/** GitLab: `x-next-page`, empty on the last page; keyset lists have a Link only. */
export const byNextPage: NextPage = (answer) => {
  const next = answer.headers['x-next-page'];
  if (next === undefined) return nextLink(answer.headers['link']);
  return /^\d+$/.test(next) ? { page: Number(next) } : undefined;
};

/** Gitea: some lists have no links, and its links carry its own idea of its address. Until a page is empty. */
export const untilEmpty: NextPage = (_answer, page, items) => (items === 0 ? undefined : { page: page + 1 });

/** More would be a server that runs in circles. */
const MOST_PAGES = 10_000;

/** All items of a list, page by page; counts that a forge sends are not believed. */
export async function* itemsOf<T>(
  call: ForgeClient,
  next: NextPage,
  schema: z.ZodType<T>,
  doing: string,
  path: string,
  query: Readonly<Record<string, string | number>>,
): AsyncGenerator<T> {
  let at: { path: string; query: Readonly<Record<string, string | number>> } = { path, query };
  for (let page = 1; page <= MOST_PAGES; page++) {
    const answer = await call('GET', at.path, { query: at.query });
    const items = parsed(z.array(schema), doing, answer);
    yield* items;
    const following = next(answer, page, items.length);
    if (following === undefined) return;
    at = typeof following === 'string' ? { path: following, query: {} } : { path, query: { ...query, ...following } };
  }
  throw new FairwayError('forge.unavailable', `The forge goes on and on with pages of ${doing}; check FORGE_URL.`);
}

/** The URL of `rel="next"` of a Link header. */
export function nextLink(header: string | undefined): string | undefined {
  for (const [, url, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;[^,;"]*(?:"[^"]*")?)*)/g)) {
    if (/;\s*rel\s*=\s*"?([^";]*\s)?next(\s[^";]*)?"?\s*(;|$)/i.test(parameters ?? '')) return url;
  }
  return undefined;
}
