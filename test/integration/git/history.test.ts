import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import type { HistoryEntry } from '../../../packages/gitops-writer/src/ports.ts';
import { type BareRemote, bareRemote, FOLDER, gitIn, request } from './support.ts';

let remote: BareRemote;
let engine: GitEngine;
beforeEach(() => {
  remote = bareRemote();
  engine = remote.engine();
});
afterEach(() => remote.remove());

/** The change is merged on the remote's main. */
async function merged(): Promise<{ before: string; merge: string }> {
  const { repository } = engine;
  const before = await repository.head(0);
  const merge = await repository.commit(request(before));
  await repository.push('main', merge, before);
  return { before, merge };
}

it('keeps a change contained under 500 later commits elsewhere, until one touches its folder', async () => {
  const { history } = engine;
  const { before, merge } = await merged();
  const later = remote.push(500, (i) => `models/other-${i % 50}/environments/dev/a.yaml`);
  expect(await history.relation(merge, later, FOLDER)).toEqual({ kind: 'contains' });
  const touched = remote.push(1, () => `${FOLDER}/a.yaml`);
  expect(await history.relation(merge, touched, FOLDER)).toEqual({ kind: 'superseded', by: touched });
  const evenLater = remote.push(300, (i) => `models/other-${i % 50}/environments/dev/a.yaml`);
  expect(await history.relation(merge, evenLater, FOLDER)).toEqual({ kind: 'superseded', by: touched });
  expect(await history.relation(merge, later, FOLDER)).toEqual({ kind: 'contains' });
  expect(await history.relation(merge, before, FOLDER)).toEqual({ kind: 'before' });
  expect(await history.relation(merge, 'f'.repeat(40), FOLDER)).toEqual({ kind: 'unknown' });
});

it('takes a folder that was changed and put back for what it was, and one that was removed for superseded', async () => {
  const { repository, history } = engine;
  const { merge } = await merged();
  remote.push(3, () => `${FOLDER}/a.yaml`);
  const changed = await repository.head(0);
  const restored = await repository.commit(request(changed));
  await repository.push('main', restored, changed);
  const later = remote.push(40, (i) => `other-${i}`);
  expect(await history.relation(merge, later, FOLDER)).toEqual({ kind: 'contains' });
  expect(await history.relation(merge, changed, FOLDER)).toMatchObject({ kind: 'superseded' });
  const removed = await repository.commit({ ...request(later), files: [] });
  await repository.push('main', removed, later);
  expect(await history.relation(merge, removed, FOLDER)).toEqual({ kind: 'superseded', by: removed });
});

it('asks again about a commit that it does not know yet', async () => {
  const { history } = engine;
  const { merge } = await merged();
  expect(await history.relation('e'.repeat(40), merge, FOLDER)).toEqual({ kind: 'unknown' });
  const elsewhere = bareRemote();
  try {
    const next = gitIn(remote.folder)(['commit-tree', `${merge}^{tree}`, '-p', merge, '-m', 'x'], '', who);
    expect(await history.relation(merge, next, FOLDER)).toEqual({ kind: 'unknown' });
    remote.git(['update-ref', 'refs/heads/main', next]);
    expect(await history.relation(merge, next, FOLDER)).toEqual({ kind: 'contains' });
  } finally {
    await elsewhere.remove();
  }
});

const who = {
  GIT_AUTHOR_NAME: 'Å Person',
  GIT_AUTHOR_EMAIL: 'p@example.com',
  GIT_COMMITTER_NAME: 'P',
  GIT_COMMITTER_EMAIL: 'p@example.com',
};

/** Merges a branch into main on the remote, as a forge does. */
function mergeOnRemote(branch: string): string {
  const tree = remote.git(['merge-tree', '--write-tree', 'main', branch]).split('\n')[0] ?? '';
  const id = remote.git(['commit-tree', tree, '-p', 'main', '-p', branch, '-m', `Merge ${branch}\n\nBody`], '', who);
  remote.git(['update-ref', 'refs/heads/main', id]);
  return id;
}

it('names the merge that superseded a change, and walks the merges of a folder from the oldest', async () => {
  const { repository, history } = engine;
  const { merge } = await merged();
  const [two, elsewhere] = await Promise.all([
    repository.commit(request(merge, 'two\n')),
    repository.commit(request(merge, 'other\n', 'models/other')),
  ]);
  await Promise.all([repository.push('two', two, undefined), repository.push('elsewhere', elsewhere, undefined)]);
  const [second, third] = [mergeOnRemote('two'), mergeOnRemote('elsewhere')];
  expect(await history.relation(merge, third, FOLDER)).toEqual({ kind: 'superseded', by: second });
  expect(await history.parent(second)).toBe(merge);
  const walked: HistoryEntry[] = [];
  for await (const entry of history.walk(third, FOLDER)) walked.push(entry);
  expect(walked.map(({ commit, merged: brought }) => ({ commit, brought }))).toEqual([
    { commit: merge, brought: [] },
    { commit: second, brought: [two] },
  ]);
  expect(walked[1]).toMatchObject({ author: 'Å Person', message: 'Merge two\n\nBody\n', parent: merge });
  for await (const entry of history.walk(third)) {
    expect(entry.parent).toBeUndefined();
    break;
  }
  expect(await history.edits(merge, third)).toEqual({
    authors: ['Å Person', 'bot'],
    paths: [`${FOLDER}/a.yaml`, 'models/other/a.yaml'],
  });
});

it('computes conflicts by itself, and leaves nothing of it in the mirror', async () => {
  const { repository, history, mirror } = engine;
  const { before, merge } = await merged();
  const cases = [
    { files: [{ path: `${FOLDER}/a.yaml`, text: 'two\n' }], conflict: true },
    { files: [{ path: `${FOLDER}/a.yaml`, text: 'one\n' }], conflict: false },
    { files: [{ path: `${FOLDER}/b.yaml`, text: 'new\n' }], conflict: false },
    { files: [{ path: 'models/m/environments', text: 'a file where main has a folder\n' }], conflict: true },
    { files: [{ path: 'README.md', text: 'y\n' }], conflict: false },
  ];
  const objects = async () => /count: (\d+)/.exec(await mirror.git(['count-objects', '-v']))?.[1];
  const loose = await objects();
  for (const { files, conflict } of cases) {
    const head = await repository.commit({ ...request(before), folders: [], files });
    expect(await history.conflicts(merge, head), JSON.stringify(files)).toBe(conflict);
    expect(await history.conflicts(merge, head)).toBe(conflict);
    const asGit = await mirror.ask(['merge-tree', '--write-tree', merge, head]);
    expect(asGit.code === 1).toBe(conflict);
  }
  const untouched = remote.push(1, () => 'README.md');
  await repository.head(0);
  const readme = await repository.commit({
    ...request(merge),
    folders: [],
    files: [{ path: 'README.md', text: 'y\n' }],
  });
  expect(await history.conflicts(untouched, readme)).toBe(true);
  await expect(history.conflicts(untouched, 'f'.repeat(40))).rejects.toMatchObject({ code: 'git.unavailable' });
  expect(readdirSync(mirror.folder).filter((name) => name.startsWith('tmp_'))).toEqual([]);
  expect(Number(loose)).toBe(0);
});
