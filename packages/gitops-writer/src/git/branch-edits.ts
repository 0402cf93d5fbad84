import type { BranchEdits } from '../ports.ts';
import { expectOk } from './failure.ts';
import type { Mirror } from './mirror.ts';
import { pastCommits } from './past.ts';
import { changedPaths } from './tree-diff.ts';
import type { Trees } from './trees.ts';

/** What branches of people change, read from the mirror alone. */
export const branchEdits = (mirror: Mirror, trees: Trees): BranchEdits => ({
  all: () => mirror.branches.all(),
  changed: async (base, commit) => {
    const args = ['merge-base', base, commit];
    const parted = await mirror.ask(args);
    // They have nothing in common; any other code is no answer.
    if (parted.code === 1) return [];
    const from = expectOk(mirror.remote.url, args, parted).trim();
    const roots = await Promise.all([trees.rootOf(from), trees.rootOf(commit)]);
    return changedPaths(trees, roots[0] ?? '', roots[1] ?? '');
  },
  get: async (commit) => (await pastCommits(mirror).find(commit)) !== undefined,
});
