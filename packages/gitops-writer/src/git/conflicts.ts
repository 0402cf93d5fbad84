import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chain } from './chain.ts';
import { gitFailure } from './failure.ts';
import type { Mirror } from './mirror.ts';
import { OBJECT_ID, MAX_COMMIT, readCommit } from './objects.ts';
import { changedPaths } from './tree-diff.ts';
import type { Trees } from './trees.ts';

/**
 * Whether merging two commits would conflict. A branch of ours is one commit on an earlier head of the base, and mostly nobody
 * has touched its files since: then it cannot conflict, and no git is asked. Else `merge-tree` says, its objects thrown away:
 * for 1,000 open pull requests they would be 130 MB after each merge.
 */
export async function conflictsOf(
  mirror: Mirror,
  trees: Trees,
  chainOf: (revision: string) => Promise<Chain>,
  base: string,
  head: string,
): Promise<boolean> {
  if (await isUntouched(mirror, trees, chainOf, base, head)) return false;
  const objects = await mkdtemp(join(mirror.folder, 'tmp_merge-'));
  try {
    const env = {
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(join(mirror.folder, 'objects')),
    };
    const args = ['merge-tree', '--write-tree', '--no-messages', '--name-only', base, head];
    const { code, stdout, stderr } = await mirror.ask(args, { env });
    // 1 is also the answer to a commit that is not there; a merge that was tried names a tree.
    if ((code === 0 || code === 1) && OBJECT_ID.test(stdout.split('\n')[0] ?? '')) return code === 1;
    throw gitFailure(mirror.remote.url, 'merge-tree', stderr);
  } finally {
    await rm(objects, { recursive: true, force: true });
  }
}

async function isUntouched(
  mirror: Mirror,
  trees: Trees,
  chainOf: (revision: string) => Promise<Chain>,
  base: string,
  head: string,
): Promise<boolean> {
  const found = await mirror.reader.contents(head, MAX_COMMIT);
  if (found?.type !== 'commit') return false;
  const { parents, tree } = readCommit(found.bytes);
  const [parent, second] = parents;
  if (parent === undefined || second !== undefined) return false;
  if (parent === base) return true;
  if (!(await chainOf(base)).placeOf.has(parent)) return false;
  const [before, now] = [await trees.rootOf(parent), await trees.rootOf(base)];
  if (before === undefined || now === undefined) return false;
  for (const path of await changedPaths(trees, before, tree)) {
    if ((await stateAt(trees, before, path)) !== (await stateAt(trees, now, path))) return false;
  }
  return true;
}

/** What is at a path, or how far one gets on the way to it. */
async function stateAt(trees: Trees, root: string, path: string): Promise<string> {
  let id: string | undefined = root;
  let state = '';
  for (const [depth, part] of path.split('/').entries()) {
    if (id === undefined) break;
    const entry = await trees.entry(id, part);
    state =
      entry === undefined ? `nothing at ${depth}` : `${depth} ${entry.mode} ${entry.mode === '40000' ? '' : entry.id}`;
    id = entry?.mode === '40000' ? entry.id : undefined;
  }
  return state;
}
