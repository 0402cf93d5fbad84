import type { Mirror } from './mirror.ts';
import { recent } from './recent.ts';

/** A commit and its first parents, newest first: on the default branch, the merges. */
export type Chain = { readonly ids: readonly string[]; readonly placeOf: ReadonlyMap<string, number> };

/** Some 4 MB; older commits are asked of git one by one. */
const MAX_CHAIN = 20_000;

/** Chains of the last few revisions that were asked about: thousands of changes ask about the same. */
export function chains(mirror: Mirror): (revision: string) => Promise<Chain> {
  const kept = recent<Chain>(4);
  const read = async (revision: string): Promise<Chain> => {
    const listed = await mirror.git(['rev-list', '--first-parent', `--max-count=${MAX_CHAIN}`, revision, '--']);
    const ids = listed.split('\n').filter((id) => id !== '');
    return { ids, placeOf: new Map(ids.map((id, i) => [id, i])) };
  };
  return async (revision) => (await kept(revision, () => read(revision))) as Chain;
}

/**
 * The place, seen from the newest (0), of the last commit that still holds when the one after it, at most at `end`, does
 * not. Steps get longer, so what happened lately costs few questions: some fifteen over 3,000 commits, where a log that
 * compares 5,000 models in each commit takes 3 s.
 */
export async function lastThatHolds(end: number, holds: (place: number) => Promise<boolean>): Promise<number> {
  let low = 0;
  let high = 1;
  while (high < end && (await holds(high))) {
    low = high;
    high = Math.min(end, high * 8);
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
