import type { ForgePullRequest } from '../../ports.ts';

/** Of several pull requests of one branch: the open one, else the merged one, else the newest. */
export function choose(found: readonly ForgePullRequest[]): ForgePullRequest | undefined {
  const newest = [...found].sort((a, b) => b.number - a.number);
  return newest.find(({ state }) => state === 'open') ?? newest.find(({ state }) => state === 'merged') ?? newest[0];
}

/** What is to be told of the branch that a pull request goes to: nothing of the default one. */
export const elsewhere = (into: string, base: string): { readonly into?: string } => (into === base ? {} : { into });
