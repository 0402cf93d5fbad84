import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, FairwayError } from '@fairway/core';
import type { CommitRequest, Repository } from '../ports.ts';
import type { Mirror } from './mirror.ts';
import { pushError } from './push-error.ts';

export type Committer = { readonly name: string; readonly email: string };

const COMMIT = /^[0-9a-f]{40,64}$/;

/** The GitOps repository through its mirror. `branch` is the default branch. */
export function gitRepository(mirror: Mirror, branch: string, committer: Committer, clock: Clock): Repository {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let index = 0;
  const refresh = async () => {
    const began = clock.now();
    await mirror.refresh();
    lookedAt = began;
  };
  const tip = async (name: string) => {
    const { stdout } = await mirror.ask(['rev-parse', '--verify', '--quiet', `refs/heads/${name}^{commit}`]);
    return COMMIT.test(stdout.trim()) ? stdout.trim() : undefined;
  };
  return {
    head: async (maxAgeMs) => {
      if (clock.now() - lookedAt >= maxAgeMs) await refresh();
      return (await tip(branch)) ?? noBranch(branch);
    },
    branch: tip,
    read: (commit, path) => readBlob(mirror, commit, path),
    folders: (commit, path) => listFolders(mirror, commit, path),
    commit: (request) => {
      index += 1;
      return writeCommit(mirror, request, committer, `${process.pid}-${index}`);
    },
    push: async (name, commit, expected) => {
      const ref = `refs/heads/${name}`;
      await push(mirror, name, [`--force-with-lease=${ref}:${expected ?? ''}`, 'origin', `${commit}:${ref}`]);
    },
    deleteBranch: async (name, expected) => {
      // Gone or moved: somebody else has decided, and it is no business of ours any more.
      if ((await tip(name)) !== expected) return;
      const ref = `refs/heads/${name}`;
      await push(mirror, name, [`--force-with-lease=${ref}:${expected}`, 'origin', `:${ref}`]).catch(ignoreRace);
    },
  };
}

function noBranch(branch: string): never {
  throw new FairwayError(
    'git.unavailable',
    `The GitOps repository has no branch ${branch}; push it, or set GIT_BRANCH to the branch that Argo CD follows.`,
  );
}

async function readBlob(mirror: Mirror, commit: string, path: string): ReturnType<Repository['read']> {
  const found = await mirror.ask(['rev-parse', '--verify', '--quiet', `${commit}:${path}`]);
  const blob = found.stdout.trim();
  if (!COMMIT.test(blob)) return undefined;
  return { text: await mirror.git(['cat-file', 'blob', blob]), blob };
}

async function listFolders(mirror: Mirror, commit: string, path: string): Promise<string[]> {
  const listed = await mirror.ask(['ls-tree', '-d', '-z', '--name-only', `${commit}:${path}`]);
  return listed.code === 0 ? listed.stdout.split('\0').filter((name) => name !== '') : [];
}

/** Blobs, a tree by an index of its own, and the commit: all in the object database, no work tree. */
async function writeCommit(
  mirror: Mirror,
  request: CommitRequest,
  { name, email }: Committer,
  unique: string,
): Promise<string> {
  const { parent, folder, files, message, date } = request;
  const index = join(mirror.folder, `fairway-index-${unique}`);
  const env = { GIT_INDEX_FILE: index };
  try {
    await mirror.git(['read-tree', parent], { env });
    const entries = await Promise.all(
      files.map(async ({ path, text }) => {
        const blob = await mirror.git(['hash-object', '-w', '--no-filters', '--stdin'], { input: text });
        return `100644 ${blob.trim()}\t${path}`;
      }),
    );
    const kept = new Set(files.map(({ path }) => path));
    const present = await mirror.git(['ls-files', '-z', '--cached', '--', `${folder}/`], { env });
    const gone = present.split('\0').filter((path) => path !== '' && !kept.has(path));
    const lines = [...gone.map((path) => `0 ${'0'.repeat(40)}\t${path}`), ...entries];
    await mirror.git(['update-index', '-z', '--add', '--index-info'], { env, input: `${lines.join('\0')}\0` });
    const tree = (await mirror.git(['write-tree'], { env })).trim();
    const person = {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    };
    const dates = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    const commit = await mirror.git(['commit-tree', tree, '-p', parent], {
      env: { ...person, ...dates },
      input: message,
    });
    return commit.trim();
  } finally {
    await rm(index, { force: true });
  }
}

async function push(mirror: Mirror, branch: string, args: readonly string[]): Promise<void> {
  const result = await mirror.push(args);
  if (result.code !== 0) throw pushError(branch, `${result.stdout}\n${result.stderr}`);
}

function ignoreRace(error: FairwayError): void {
  if (error.code !== 'git.race') throw error;
}
