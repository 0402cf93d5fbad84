import type { Clock } from '@fairway/core';
import type { BranchEdits, History, Repository } from '../ports.ts';
import { branchEdits } from './branch-edits.ts';
import { commitWriter } from './commits.ts';
import { gitEnvironment } from './environment.ts';
import { gitHistory } from './history.ts';
import { type Mirror, openMirror } from './mirror.ts';
import type { Person } from './objects.ts';
import { gitProcess, programOf } from './process.ts';
import { type GitAccess, gitRemote } from './remote.ts';
import { gitRepository } from './repository.ts';
import { commitSigner, type Signing } from './signing.ts';
import { gitTrees } from './trees.ts';

export type GitSettings = {
  readonly access: GitAccess;
  /** The branch that Argo CD follows. */
  readonly branch: string;
  readonly dataDir: string;
  readonly person: Person;
  readonly signOff?: boolean;
  readonly signing?: Signing | undefined;
  readonly clock: Clock;
  /** PATH of the process, to find git and ssh. */
  readonly path: string | undefined;
  readonly silenceMs?: number;
};

export type GitEngine = {
  readonly mirror: Mirror;
  readonly repository: Repository;
  readonly history: History;
  readonly branches: BranchEdits;
};

/** The GitOps repository: mirror, commits, pushes and history. Nothing runs before the first question. */
export function gitEngine(settings: GitSettings): GitEngine {
  const { access, branch, dataDir, person, signOff = false, signing, clock, path, silenceMs } = settings;
  const git = gitProcess(gitEnvironment(path));
  const shell = programOf('sh', gitEnvironment(path), 'put a POSIX shell on the PATH of the writer');
  const signer = signing === undefined ? undefined : commitSigner(signing, path);
  const opened = openMirror({ git, remote: gitRemote(git.run, access, silenceMs), branch, dataDir, clock });
  const close = async () => {
    shell.stop();
    await Promise.all([opened.close(), signer?.close()]);
  };
  const mirror = { ...opened, close };
  const trees = gitTrees(mirror.reader);
  return {
    mirror,
    repository: gitRepository(mirror, trees, commitWriter(mirror, trees, { person, signOff, signer }), branch),
    history: gitHistory(mirror, trees),
    branches: branchEdits(mirror, trees, shell.run),
  };
}
