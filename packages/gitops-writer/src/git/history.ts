import type { History, Relation } from '../ports.ts';
import type { Mirror } from './mirror.ts';

/** What the mirror's history says about commits. Answers are taken from exit codes and output, never from silence. */
export function gitHistory(mirror: Mirror): History {
  return {
    relation: (merge, revision, folder) => relation(mirror, merge, revision, folder),
    conflicts: async (base, head) => (await mirror.ask(['merge-tree', '--write-tree', base, head])).code === 1,
    parent: async (commit) => {
      const { code, stdout } = await mirror.ask(['rev-parse', '--verify', '--quiet', `${commit}^1`]);
      return code === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
    },
  };
}

async function relation(mirror: Mirror, merge: string, revision: string, folder: string): Promise<Relation> {
  if (merge === revision) return { kind: 'contains' };
  if (!(await has(mirror, revision)) || !(await has(mirror, merge))) {
    await mirror.refresh();
    if (!(await has(mirror, revision)) || !(await has(mirror, merge))) return { kind: 'unknown' };
  }
  const ancestor = await mirror.ask(['merge-base', '--is-ancestor', merge, revision]);
  if (ancestor.code === 1) return { kind: 'before' };
  if (ancestor.code !== 0) return { kind: 'unknown' };
  // Later commits on the branch are many, later states of our folder few: compare the trees first.
  if ((await tree(mirror, merge, folder)) === (await tree(mirror, revision, folder))) return { kind: 'contains' };
  const last = await mirror.git(['log', '-1', '--format=%H', `${merge}..${revision}`, '--', `${folder}/`]);
  return { kind: 'superseded', by: last.trim() || revision };
}

const has = async (mirror: Mirror, commit: string): Promise<boolean> =>
  (await mirror.ask(['cat-file', '-e', `${commit}^{commit}`])).code === 0;

const tree = async (mirror: Mirror, commit: string, folder: string): Promise<string> =>
  (await mirror.ask(['rev-parse', '--verify', '--quiet', `${commit}:${folder}`])).stdout.trim();
