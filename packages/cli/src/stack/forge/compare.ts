import type { Git } from './git.ts';
import { countCommits, mergeBase, mergeTree } from './objects.ts';

/** How a head stands to a base: facts of two commits, so they never change. */
export type Comparison = {
  readonly mergeBase: string;
  /** Commits of the head that the base has not, and the other way round. */
  readonly ahead: number;
  readonly behind: number;
  /** Tree of the merge; undefined on a conflict. */
  readonly tree: string | undefined;
};

export type Compare = (git: Git, base: string, head: string) => Promise<Comparison>;

/** Remembers the last `size` pairs: four Git calls (about 15 ms) become none while neither side moves. */
export function rememberingCompare(size = 2_000): Compare {
  const known = new Map<string, Promise<Comparison>>();
  return (git, base, head) => {
    const key = `${base} ${head}`;
    const found = known.get(key) ?? compare(git, base, head);
    known.delete(key);
    known.set(key, found);
    found.catch(() => known.delete(key));
    const oldest = known.keys().next().value;
    if (known.size > size && oldest !== undefined) known.delete(oldest);
    return found;
  };
}

async function compare(git: Git, base: string, head: string): Promise<Comparison> {
  const [common, ahead, behind, tree] = await Promise.all([
    mergeBase(git, base, head),
    countCommits(git, `${base}..${head}`),
    countCommits(git, `${head}..${base}`),
    mergeTree(git, base, head),
  ]);
  return { mergeBase: common ?? '', ahead, behind, tree: common === undefined ? undefined : tree };
}
