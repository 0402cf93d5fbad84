import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import { accepted, parsed, type SasServer } from './client.ts';
import { senseless } from './refusal.ts';
import { links } from './wire.ts';

/** Where a list is no list any more: SAS shows 10 to 100 items a page. */
const MOST_PAGES = 500;
const MOST_ITEMS = 10_000;

const page = z.looseObject({ items: z.array(z.unknown()).nullish(), links });

export type Listing<T extends z.ZodType> = {
  /** Path without a query. */
  readonly path: string;
  readonly filter?: string;
  readonly item: T;
  /** As in {@link SasServer}. */
  readonly what: string;
};

/**
 * All items of a collection, each id once. Follows the links to the next page as they stand, because the server puts things
 * into them that it needs, until there is none or a page is empty: counts are wrong on some lists and missing on others, and
 * `prev` of a page past the end leads to the beginning.
 */
export async function collect<T extends z.ZodType<{ readonly id: string }>>(
  server: Pick<SasServer, 'call'>,
  { path, filter, item, what }: Listing<T>,
): Promise<Array<z.infer<T>>> {
  const found = new Map<string, z.infer<T>>();
  const seen = new Set<string>();
  let next: string | undefined = filtered(path, filter);
  while (next !== undefined && !seen.has(next)) {
    if (seen.size >= MOST_PAGES || found.size > MOST_ITEMS) throw endless(what);
    seen.add(next);
    const answer = accepted(await server.call('GET', next), what);
    const { items, links } = parsed(page, answer, what);
    if (items === undefined) throw senseless(what, answer, 'its answer is no list');
    if (items === null || items.length === 0) break;
    // A list may change while it is read: what has moved to the next page comes twice.
    for (const one of items.map((raw) => parsed(item, { ...answer, data: raw }, what))) found.set(one.id, one);
    const link = links.find(({ rel }) => rel?.toLowerCase() === 'next');
    const to = link?.uri ?? link?.href;
    next = to === undefined || to === null || to === '' ? undefined : filtered(to, filter);
  }
  return [...found.values()];
}

/** `to` with the filter, when that is not in it: Viya 3.5 forgets filters in the links of a list. */
function filtered(to: string, filter: string | undefined): string {
  const path = to.startsWith('/') || /^https?:/.test(to) ? to : `/${to}`;
  if (filter === undefined || /[?&]filter=/.test(path)) return path;
  return `${path}${path.includes('?') ? '&' : '?'}filter=${encodeURIComponent(filter)}`;
}

/** A value in a filter. How SAS wants quotes inside quotes is not known, so such a value is not asked for. */
export const quoted = (value: string): string | undefined => (/["'\\]/.test(value) ? undefined : `"${value}"`);

const endless = (what: string): FairwayError =>
  new FairwayError(
    'registry.unavailable',
    `SAS Viya (SAS_URL) was asked ${what}, and its list does not end after ${MOST_PAGES} pages or ${MOST_ITEMS} items; give source.projectId in model.yaml.`,
    { disposition: 'terminal' },
  );
