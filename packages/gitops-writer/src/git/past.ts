import type { PastCommit, PastCommits } from '../ports.ts';
import type { Mirror } from './mirror.ts';
import { MAX_COMMIT, OBJECT_ID, readCommit } from './objects.ts';

/** Commits that no branch leads to any more: forges keep those of pull requests and give them by their id. */
export function pastCommits(mirror: Mirror): PastCommits {
  const here = async (commit: string): Promise<PastCommit | undefined> => {
    const found = await mirror.reader.contents(commit, MAX_COMMIT);
    if (found?.type !== 'commit') return undefined;
    const { parents, author, message } = readCommit(found.bytes);
    const [parent] = parents;
    return { date: dateOf(author), message, ...(parent === undefined ? {} : { parent }) };
  };
  return {
    find: async (commit) => {
      if (!OBJECT_ID.test(commit)) return undefined;
      const known = await here(commit);
      if (known !== undefined) return known;
      await mirror.alone(() => mirror.remote.fetchCommit(mirror.folder, commit));
      return here(commit);
    },
  };
}

/** `Name <address> <seconds> <zone>` */
const dateOf = (author: string): string =>
  new Date(Number(/> (\d+) [+-]\d{4}$/.exec(author)?.[1] ?? 0) * 1_000).toISOString();
