import { FairwayError } from '@fairway/core';
import type { Git } from './git.ts';

/** Questions to, and writes into, one bare repository's object database. */

export type Person = { readonly name: string; readonly email: string; readonly date: string };
export type Commit = {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
};

/** Branch name → commit; without a prototype, for a branch may be called `constructor`. */
export type Heads = Record<string, string>;

export const branches = (git: Git): Promise<Heads> => heads(git, 'refs/heads');

/** The same for the named ones alone, of thousands. */
export const branchesNamed = (git: Git, names: readonly string[]): Promise<Heads> =>
  heads(git, ...names.map((name) => `refs/heads/${name}`));

/** Branches by exact names or by the folder that they are in (git-for-each-ref(1)). */
async function heads(git: Git, ...patterns: readonly string[]): Promise<Heads> {
  const found = Object.create(null) as Heads;
  // Without a pattern git would list every ref.
  if (patterns.length === 0) return found;
  const text = await git.text(['for-each-ref', '--format=%(refname:lstrip=2) %(objectname)', '--', ...patterns]);
  const lines = text === '' ? [] : text.split('\n');
  return Object.assign(found, Object.fromEntries(lines.map((line) => line.split(' ') as [string, string])));
}

/** The commit that a branch, tag or id names; undefined when there is none. */
export async function resolve(git: Git, ref: string): Promise<string | undefined> {
  if (ref === '' || ref.startsWith('-')) return undefined;
  for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}`, ref]) {
    const found = await git.run(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], { ok: [0, 1, 128] });
    if (found.code === 0) return found.stdout.toString('utf8').trim();
  }
  return undefined;
}

const FORMAT = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x00');

/** Commits of a revision range (`main`, `a..b`), newest first. */
export async function commits(git: Git, range: string, limit: number): Promise<Commit[]> {
  const out = await git.run(['log', '-z', `--max-count=${limit}`, `--format=${FORMAT}%x00`, '--end-of-options', range]);
  const fields = out.stdout.toString('utf8').split('\0');
  const found: Commit[] = [];
  // Ten fields and the empty one between -z's terminator and the format's own last NUL.
  for (let i = 0; i + 9 < fields.length; i += 11) {
    const [sha, tree, parents, an, ae, ad, cn, ce, cd, message] = fields.slice(i, i + 10) as TenStrings;
    found.push({
      sha,
      tree,
      parents: parents === '' ? [] : parents.split(' '),
      author: { name: an, email: ae, date: ad },
      committer: { name: cn, email: ce, date: cd },
      message,
    });
  }
  return found;
}

type TenStrings = [string, string, string, string, string, string, string, string, string, string];

export async function mergeBase(git: Git, a: string, b: string): Promise<string | undefined> {
  const found = await git.run(['merge-base', a, b], { ok: [0, 1] });
  return found.code === 0 ? found.stdout.toString('utf8').trim() : undefined;
}

export async function isAncestor(git: Git, ancestor: string, of: string): Promise<boolean> {
  return (await git.run(['merge-base', '--is-ancestor', ancestor, of], { ok: [0, 1, 128] })).code === 0;
}

export async function countCommits(git: Git, range: string): Promise<number> {
  return Number(await git.text(['rev-list', '--count', range]));
}

/** The tree of merging `theirs` into `ours`; undefined on a conflict or without a common ancestor. Nothing but objects is written. */
export async function mergeTree(git: Git, ours: string, theirs: string): Promise<string | undefined> {
  const out = await git.run(['merge-tree', '--write-tree', '--no-messages', ours, theirs], { ok: [0, 1, 128] });
  return out.code === 0 ? out.stdout.toString('utf8').trim() : undefined;
}

/** Writes a commit; dates are Git's own (`<iso>`), so the same input gives the same commit. */
export function writeCommit(
  git: Git,
  commit: Pick<Commit, 'tree' | 'parents' | 'author' | 'committer' | 'message'>,
): Promise<string> {
  return git.text(['commit-tree', commit.tree, ...commit.parents.flatMap((parent) => ['-p', parent])], {
    input: commit.message,
    env: {
      GIT_AUTHOR_NAME: commit.author.name,
      GIT_AUTHOR_EMAIL: commit.author.email,
      GIT_AUTHOR_DATE: commit.author.date,
      GIT_COMMITTER_NAME: commit.committer.name,
      GIT_COMMITTER_EMAIL: commit.committer.email,
      GIT_COMMITTER_DATE: commit.committer.date,
    },
  });
}

/** Moves a ref if it still is at `from` (`undefined`: whatever it is); false when somebody else moved it. */
export async function moveRef(git: Git, ref: string, to: string, from?: string): Promise<boolean> {
  const out = await git.run(['update-ref', ref, to, ...(from === undefined ? [] : [from])], { ok: [0, 1, 128] });
  if (out.code === 0) return true;
  if (/cannot lock ref|is at .* but expected/.test(out.stderr)) return false;
  throw new FairwayError('git.unavailable', `git update-ref failed in the embedded forge: ${out.stderr.trim()}`);
}

export type ChangedFile = {
  readonly path: string;
  readonly previous?: string;
  readonly status: 'added' | 'deleted' | 'changed' | 'renamed';
  readonly additions: number;
  readonly deletions: number;
};

/** Unified diff between two commits, as text. */
export async function diff(git: Git, from: string, to: string, binary: boolean): Promise<Buffer> {
  return (await git.run(['diff', '-M', ...(binary ? ['--binary'] : []), from, to, '--'])).stdout;
}

/** The files that differ between two commits, with line counts (0 for binary files). */
export async function changedFiles(git: Git, from: string, to: string): Promise<ChangedFile[]> {
  const words = async (kind: string) =>
    (await git.run(['diff', '-M', kind, '-z', from, to, '--'])).stdout.toString('utf8').split('\0').slice(0, -1);
  const counts = lineCounts(await words('--numstat'));
  const names = await words('--name-status');
  const files: ChangedFile[] = [];
  for (let i = 0; i < names.length; ) {
    const letter = names[i]?.[0] ?? '';
    const moved = letter === 'R' || letter === 'C';
    const path = names[moved ? i + 2 : i + 1] ?? '';
    files.push({
      path,
      ...(moved ? { previous: names[i + 1] ?? '' } : {}),
      status: STATUS_LETTERS[letter] ?? 'changed',
      ...(counts.get(path) ?? { additions: 0, deletions: 0 }),
    });
    i += moved ? 3 : 2;
  }
  return files;
}

const STATUS_LETTERS: Readonly<Record<string, ChangedFile['status']>> = {
  A: 'added',
  C: 'added',
  D: 'deleted',
  R: 'renamed',
};

/** `--numstat -z`: `added TAB deleted TAB path`, or with an empty path two more words, old and new. */
function lineCounts(words: readonly string[]): Map<string, { additions: number; deletions: number }> {
  const counts = new Map<string, { additions: number; deletions: number }>();
  for (let i = 0; i < words.length; i += 1) {
    const [added, deleted, path] = (words[i] ?? '').split('\t');
    const counted = { additions: Number(added) || 0, deletions: Number(deleted) || 0 };
    if (path === '') i += 2;
    counts.set(path === '' ? (words[i] ?? '') : (path ?? ''), counted);
  }
  return counts;
}

export type Entry = {
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  readonly size: number;
  readonly path: string;
};

/** What lies at `path` of a commit: the entry itself, or with `inside` the entries of that folder. */
export async function entries(git: Git, commit: string, path: string, inside: boolean): Promise<Entry[]> {
  const target = inside && path !== '' ? `${path}/` : path;
  const args = ['ls-tree', '-z', '-l', '--full-tree', commit, ...(target === '' ? [] : ['--', target])];
  const out = (await git.run(args, { env: { GIT_LITERAL_PATHSPECS: '1' } })).stdout.toString('utf8');
  return out
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [meta = '', entryPath = ''] = line.split('\t');
      const [, type = 'blob', sha = '', size = '0'] = meta.split(/\s+/);
      return { type: type as Entry['type'], sha, size: Number(size) || 0, path: entryPath };
    });
}

export const blob = async (git: Git, sha: string): Promise<Buffer> => (await git.run(['cat-file', 'blob', sha])).stdout;
