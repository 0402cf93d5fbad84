import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Git, gitEnvironment, gitIn } from '../../../packages/cli/src/stack/forge/git.ts';
import {
  branches,
  countCommits,
  mergeTree,
  moveRef,
  writeCommit,
} from '../../../packages/cli/src/stack/forge/objects.ts';

export type FakeComment = { id: number; author: string; text: string; system: boolean };
export type FakeStatus = { context: string; state: string; description: string; url: string };

export type FakePull = {
  number: number;
  title: string;
  body: string;
  author: string;
  head: string;
  base: string;
  /** Owner of a fork that it comes from. */
  fork?: string;
  headSha: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  labels: string[];
  reviewers: string[];
  comments: FakeComment[];
  approvedBy: string[];
  createdAt: string;
  endedBy?: string;
  endedAt?: string;
  mergeCommit?: string;
  /** Place in the merge queue or train, from 1. */
  queued?: number;
};

/** What both fakes keep of a repository; the truth about commits is a bare Git repository on disk. */
export type FakeRepository = {
  /** Path with its owner or groups. */
  readonly full: string;
  readonly id: number;
  readonly dir: string;
  readonly git: Git;
  readonly pulls: FakePull[];
  /** Commit → statuses, oldest first. */
  readonly statuses: Map<string, FakeStatus[]>;
  readonly labels: Set<string>;
  /** Rules of the base branch. */
  readonly rules: { approvals: number; queue: boolean };
  /** Pairs of base and head whose mergeability was asked for, hence is computed. */
  readonly looked: Set<string>;
  /** Base and head → the commit that a merge of them would be, undefined on a conflict. */
  readonly tests: Map<string, string | undefined>;
};

let nextId = 1;
export const newId = (): number => nextId++;

/** A bare repository with one commit on main. */
export async function newFakeRepository(root: string, full: string): Promise<FakeRepository> {
  const id = newId();
  const dir = join(root, `${id}.git`);
  mkdirSync(dir, { recursive: true });
  const git = gitIn(dir, gitEnvironment(process.env['PATH'] ?? '', root));
  await git.run(['init', '--quiet', '--bare', '--initial-branch=main']);
  const blob = await git.text(['hash-object', '-w', '--stdin'], { input: `# ${full}\n` });
  const tree = await git.text(['mktree'], { input: `100644 blob ${blob}\tREADME.md\n` });
  const by = person('forge');
  const commit = await writeCommit(git, { tree, parents: [], author: by, committer: by, message: 'Begin\n' });
  await moveRef(git, 'refs/heads/main', commit);
  return {
    full,
    id,
    dir,
    git,
    pulls: [],
    statuses: new Map(),
    labels: new Set(),
    rules: { approvals: 0, queue: false },
    looked: new Set(),
    tests: new Map(),
  };
}

const person = (name: string) => ({ name, email: `${name}@noreply.example.com`, date: new Date().toISOString() });

/** Brings open pull requests up to date with the branches: heads follow, and one whose branch is gone is closed. */
export async function refresh({ git, pulls }: FakeRepository): Promise<Readonly<Record<string, string>>> {
  const heads = await branches(git);
  for (const pull of pulls.filter(({ state, fork }) => state === 'open' && fork === undefined)) {
    const head = heads[pull.head];
    if (head === undefined) Object.assign(pull, { state: 'closed', endedAt: new Date().toISOString() });
    else pull.headSha = head;
  }
  return heads;
}

export type Opening = { readonly title: string; readonly body: string; readonly head: string; readonly base: string };

/** Why a pull request cannot be opened, in words of the fakes' own; undefined when it can. */
export async function openingProblem(
  repository: FakeRepository,
  { head, base }: Opening,
): Promise<'no head' | 'no base' | 'exists' | 'no commits' | undefined> {
  const heads = await refresh(repository);
  if (heads[base] === undefined) return 'no base';
  if (heads[head] === undefined) return 'no head';
  const twin = repository.pulls.find(
    (pull) => pull.state === 'open' && pull.head === head && pull.base === base && pull.fork === undefined,
  );
  if (twin !== undefined) return 'exists';
  return (await countCommits(repository.git, `${heads[base]}..${heads[head]}`)) === 0 ? 'no commits' : undefined;
}

export async function openPull(
  repository: FakeRepository,
  { title, body, head, base }: Opening,
  author: string,
  fork?: string,
): Promise<FakePull> {
  const headSha = (await branches(repository.git))[head] ?? '';
  const pull: FakePull = {
    number: repository.pulls.length + 1,
    title,
    body,
    author,
    head,
    base,
    ...(fork === undefined ? {} : { fork }),
    headSha,
    state: 'open',
    draft: false,
    labels: [],
    reviewers: [],
    comments: [],
    approvedBy: [],
    createdAt: new Date(Date.UTC(2026, 0, 1) + repository.pulls.length * 1_000).toISOString(),
  };
  repository.pulls.push(pull);
  return pull;
}

export type Mergeability = 'unknown' | 'clean' | 'conflict';

/** Computed in the background: who asks first for a pair of commits is told that it is not known yet. */
export async function mergeability(repository: FakeRepository, pull: FakePull): Promise<Mergeability> {
  const base = (await branches(repository.git))[pull.base] ?? '';
  const pair = `${base}..${pull.headSha}`;
  if (!repository.looked.has(pair)) {
    repository.looked.add(pair);
    return 'unknown';
  }
  return (await testMerge(repository, pull)) === undefined ? 'conflict' : 'clean';
}

/** The commit of the test merge that a forge makes beforehand; it is on no branch. Undefined on a conflict. */
export async function testMerge(repository: FakeRepository, pull: FakePull): Promise<string | undefined> {
  const base = (await branches(repository.git))[pull.base] ?? '';
  const pair = `${base}..${pull.headSha}`;
  if (!repository.tests.has(pair)) repository.tests.set(pair, await mergeCommit(repository, pull, base, 'Test merge'));
  return repository.tests.get(pair);
}

async function mergeCommit(
  { git }: FakeRepository,
  { headSha }: FakePull,
  base: string,
  message: string,
): Promise<string | undefined> {
  const tree = await mergeTree(git, base, headSha);
  if (tree === undefined) return undefined;
  const by = person('forge');
  return writeCommit(git, { tree, parents: [base, headSha], author: by, committer: by, message: `${message}\n` });
}

/** Merges, or answers false on a conflict or when the base moved meanwhile. */
export async function mergePull(
  repository: FakeRepository,
  pull: FakePull,
  by: string,
  message: string,
): Promise<boolean> {
  const base = (await branches(repository.git))[pull.base] ?? '';
  const commit = await mergeCommit(repository, pull, base, message);
  if (commit === undefined || !(await moveRef(repository.git, `refs/heads/${pull.base}`, commit, base))) return false;
  Object.assign(pull, { state: 'merged', mergeCommit: commit, endedBy: by, endedAt: new Date().toISOString() });
  delete pull.queued;
  return true;
}

export function closePull(pull: FakePull, by: string): void {
  if (pull.state !== 'open') return;
  Object.assign(pull, { state: 'closed', endedBy: by, endedAt: new Date().toISOString() });
}
