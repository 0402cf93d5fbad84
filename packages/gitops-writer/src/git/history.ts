import type { History, HistoryEntry, Relation } from '../ports.ts';
import { type Chain, chains, lastThatHolds } from './chain.ts';
import { conflictsOf } from './conflicts.ts';
import type { Mirror } from './mirror.ts';
import { MAX_COMMIT, readCommit } from './objects.ts';
import { recent } from './recent.ts';
import { changedPaths } from './tree-diff.ts';
import type { Trees } from './trees.ts';

/** Answers about commits never change; these many are kept. */
const KEPT = 10_000;

/** What the mirror's history says about commits. Answers are taken from exit codes and output, never from silence. */
export function gitHistory(mirror: Mirror, trees: Trees): History {
  const chainOf = chains(mirror);
  const relations = recent<Relation>(KEPT);
  const conflicts = recent<boolean>(KEPT);
  return {
    relation: async (merge, revision, folder) => {
      const find = () => relation(mirror, trees, chainOf, merge, revision, folder);
      const known = await relations(`${merge} ${revision} ${folder}`, find);
      return known ?? { kind: 'unknown' };
    },
    conflicts: async (base, head) =>
      (await conflicts(`${base} ${head}`, () => conflictsOf(mirror, trees, chainOf, base, head))) ?? false,
    parent: async (commit) => {
      const found = await mirror.reader.contents(commit, MAX_COMMIT);
      return found?.type === 'commit' ? readCommit(found.bytes).parents[0] : undefined;
    },
    edits: async (from, to) => {
      const authors = await mirror.git(['log', '--format=%an', `${from}..${to}`, '--']);
      const roots = await Promise.all([trees.rootOf(from), trees.rootOf(to)]);
      const paths = await changedPaths(trees, roots[0] ?? '', roots[1] ?? '');
      return { authors: [...new Set(authors.split('\n').filter((name) => name !== ''))], paths };
    },
    walk: (head, folder) => walk(mirror, head, folder),
  };
}

/** Undefined: not known yet. */
async function relation(
  mirror: Mirror,
  trees: Trees,
  chainOf: (revision: string) => Promise<Chain>,
  merge: string,
  revision: string,
  folder: string,
): Promise<Relation | undefined> {
  if (merge === revision) return { kind: 'contains' };
  const isKnown = async () => (await trees.rootOf(revision)) !== undefined && (await trees.rootOf(merge)) !== undefined;
  if (!(await isKnown())) {
    await mirror.refresh();
    if (!(await isKnown())) return undefined;
  }
  const chain = await chainOf(revision);
  const place = chain.placeOf.get(merge);
  if (place === undefined) {
    const ancestor = await mirror.ask(['merge-base', '--is-ancestor', merge, revision]);
    if (ancestor.code === 1) return { kind: 'before' };
    if (ancestor.code !== 0) return undefined;
  }
  // A folder that was changed and put back is as it was: only what it holds counts.
  const state = async (commit: string) => (await mirror.reader.info(`${commit}:${folder}`))?.id;
  const now = await state(revision);
  if ((await state(merge)) === now) return { kind: 'contains' };
  const end = place ?? chain.ids.length;
  const last = await lastThatHolds(end, async (i) => (await state(chain.ids[i] ?? merge)) === now);
  return { kind: 'superseded', by: chain.ids[last] ?? revision };
}

const FIELDS = ['%H', '%P', '%an', '%aI', '%B'].join('%x00');

async function* walk(mirror: Mirror, head: string, folder?: string): AsyncGenerator<HistoryEntry> {
  const only = folder === undefined ? [] : [`${folder}/`];
  const args = ['log', '-z', '--first-parent', '--reverse', `--format=${FIELDS}`, head, '--', ...only];
  let record: string[] = [];
  for await (const field of mirror.stream(args)) {
    record.push(field);
    if (record.length < 5) continue;
    const [commit = '', parents = '', author = '', date = '', message = ''] = record;
    record = [];
    const [parent, ...merged] = parents.split(' ').filter((id) => id !== '');
    yield { commit, merged, author, date, message, ...(parent === undefined ? {} : { parent }) };
  }
}
