import { FairwayError } from '@fairway/core';
import type { Repository } from '../ports.ts';
import type { CommitWriter } from './commits.ts';
import type { Mirror } from './mirror.ts';
import { pusher } from './pushes.ts';
import type { Trees } from './trees.ts';

/** The GitOps repository through its mirror. `branch` is the default branch. */
export function gitRepository(mirror: Mirror, trees: Trees, commits: CommitWriter, branch: string): Repository {
  const push = pusher(mirror);
  return {
    head: async (maxAgeMs) => {
      await mirror.refresh(maxAgeMs);
      return mirror.branches.tip(branch) ?? noBranch(branch, mirror.defaultBranch());
    },
    branch: (name) => Promise.resolve(mirror.branches.tip(name)),
    read: (commit, path) => trees.text(commit, path),
    folders: (commit, path) => trees.folders(commit, path),
    files: (commit, folder) => trees.files(commit, folder),
    commit: (request) => commits.commit(request),
    carries: (commit, request) => commits.carries(commit, request),
    push: (name, commit, expected) => push({ branch: name, commit, expected }),
  };
}

function noBranch(branch: string, theirs: string | undefined): never {
  const other =
    theirs === undefined || theirs === branch
      ? 'set GIT_BRANCH to the branch that Argo CD follows'
      : `set GIT_BRANCH to the branch that Argo CD follows (the default branch there is ${theirs})`;
  throw new FairwayError('git.unavailable', `The GitOps repository has no branch ${branch}; push it, or ${other}.`);
}
