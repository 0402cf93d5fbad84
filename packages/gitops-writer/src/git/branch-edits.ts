import type { BranchEdits } from '../ports.ts';
import { expectOk } from './failure.ts';
import { getForeign } from './foreign.ts';
import type { Mirror } from './mirror.ts';
import type { RunProgram } from './process.ts';
import { changedPaths } from './tree-diff.ts';
import type { Trees } from './trees.ts';

/** What branches of people change, read from the mirror alone. `shell` runs `sh`. */
export const branchEdits = (mirror: Mirror, trees: Trees, shell: RunProgram): BranchEdits => ({
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
  get: (commit) => getForeign(mirror, shell, commit),
});
