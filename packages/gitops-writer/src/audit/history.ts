import { FairwayError } from '@fairway/core';
import type { AuditGit } from './git.ts';

export type Commit = {
  readonly id: string;
  readonly parents: readonly string[];
  /** Name and e-mail address. */
  readonly author: string;
  /** When it came onto the branch: the committer's date, RFC 3339. */
  readonly date: string;
  /** With notes of `refs/notes/fairway`, by which lost trailers can be given back. */
  readonly message: string;
};

/** A path that differs from the first parent: mode and blob as they are now, none when it is gone. */
export type PathChange = { readonly path: string; readonly mode: string; readonly blob: string | undefined };

/** A commit of the first-parent history, what it changed, and every commit that came onto the branch with it (itself included). */
export type Landing = {
  readonly commit: Commit;
  readonly changes: readonly PathChange[];
  readonly brought: readonly Commit[];
};

const FIELDS = 7;

/** First-parent history of a commit, oldest first, by two runs of git however long it is. */
export async function landings(git: AuditGit, head: string): Promise<Landing[]> {
  const [log, raw] = await Promise.all([
    git([
      'log',
      '-z',
      '--no-show-signature',
      '--no-notes',
      '--notes=refs/notes/fairway',
      '--encoding=UTF-8',
      FORMAT,
      head,
    ]),
    git([...RAW, head]),
  ]);
  const commits = new Map(parseLog(log).map((commit) => [commit.id, commit]));
  const seen = new Set<string>();
  return parseRaw(raw)
    .reverse()
    .map(({ id, changes }) => {
      const commit = known(commits, id);
      return { commit, changes, brought: bringing(commit, commits, seen) };
    });
}

const FORMAT = '--format=%H%x00%P%x00%an <%ae>%x00%cI%x00%B%x00%N%x00';
const RAW = [
  'log',
  '-z',
  '--no-show-signature',
  '--first-parent',
  '--diff-merges=first-parent',
  '--root',
  '--raw',
  '--no-abbrev',
  '--no-renames',
  '--no-relative',
  '--ignore-submodules=none',
  '--format=%x01%H',
];

function parseLog(log: Buffer): Commit[] {
  const fields = log.toString('utf8').split('\0');
  const commits: Commit[] = [];
  for (let at = 0; at + FIELDS <= fields.length; at += FIELDS) {
    const [id = '', parents = '', author = '', date = '', body = '', notes = ''] = fields.slice(at, at + FIELDS);
    const message = notes === '' ? body : `${body}\n${notes}`;
    commits.push({ id, parents: parents.split(' ').filter((parent) => parent !== ''), author, date, message });
  }
  return commits;
}

type RawEntry = { readonly id: string; readonly changes: PathChange[] };

function parseRaw(raw: Buffer): RawEntry[] {
  const entries: RawEntry[] = [];
  const tokens = raw.toString('utf8').split('\0');
  for (let at = 0; at < tokens.length; at++) {
    const token = (tokens[at] ?? '').replace(/^\n/, '');
    if (token.startsWith('\u0001')) entries.push({ id: token.slice(1), changes: [] });
    else if (token.startsWith(':')) {
      const [, mode = '', , blob = ''] = token.split(' ');
      at += 1;
      entries.at(-1)?.changes.push({ path: tokens[at] ?? '', mode, blob: /^0+$/.test(blob) ? undefined : blob });
    }
  }
  return entries;
}

/** Every commit that is new with this one; `seen` grows by them. */
function bringing(commit: Commit, commits: ReadonlyMap<string, Commit>, seen: Set<string>): Commit[] {
  const brought: Commit[] = [];
  const open = [commit.id];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const next = known(commits, id);
    brought.push(next);
    open.push(...next.parents);
  }
  return brought;
}

function known(commits: ReadonlyMap<string, Commit>, id: string): Commit {
  const found = commits.get(id);
  if (found !== undefined) return found;
  throw new FairwayError('git.unavailable', `Commit ${id} is missing; run git fsck, or clone the repository again.`);
}
