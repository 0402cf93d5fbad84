import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import { FOREIGN_MIB } from '../../../packages/gitops-writer/src/git/foreign.ts';
import { bareRemote, type BareRemote, gitIn } from './support.ts';

let remote: BareRemote;
let engine: GitEngine;
beforeAll(async () => {
  remote = bareRemote();
  remote.git(['config', 'core.compression', '0']);
  engine = remote.engine();
  await engine.repository.head(0);
});
afterAll(() => remote.remove());

/** A commit as a forge keeps the head of a fork's pull request: under a ref that is no branch. */
function ofFork(number: number, bytes: number): string {
  const blob = remote.git(['hash-object', '-w', '--stdin'], randomBytes(bytes));
  const main = remote.git(['ls-tree', 'main']);
  const tree = remote.git(['mktree'], `${main}\n100644 blob ${blob}\tz.bin\n`);
  const commit = remote.git([
    '-c',
    'user.name=m',
    '-c',
    'user.email=m@x',
    'commit-tree',
    tree,
    '-p',
    'main',
    '-m',
    'x',
  ]);
  remote.git(['update-ref', `refs/pull/${number}/head`, commit]);
  return commit;
}
const remains = () =>
  readdirSync(join(engine.mirror.folder, 'objects'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /tmp_|incoming-/.test(name),
  );

it('gets the head of a fork, and what it changes', async () => {
  const commit = ofFork(1, 1_000);
  const head = await engine.repository.head(0);
  expect(await engine.branches.get(commit)).toBe('here');
  expect(await engine.branches.changed(head, commit)).toEqual(['z.bin']);
  expect(await engine.branches.get(commit)).toBe('here');
  expect(gitIn(engine.mirror.folder)(['fsck', '--strict', '--connectivity-only', commit])).not.toMatch(/error|missing/);
  expect(remains()).toEqual([]);
});

it('stops at the bound, keeps nothing of what is larger, and goes on', async () => {
  const packs = () => readdirSync(join(engine.mirror.folder, 'objects', 'pack'));
  const before = packs();
  const commit = ofFork(2, (FOREIGN_MIB + 1) * 2 ** 20);
  expect(await engine.branches.get(commit)).toEqual({ largerThanMib: FOREIGN_MIB });
  expect([packs(), remains()]).toEqual([before, []]);
  expect(await engine.branches.get(ofFork(3, 2_000))).toBe('here');
});

it('does not take what is no commit, or not there, for one', async () => {
  expect(await engine.branches.get('--upload-pack=touch x')).toBe('absent');
  expect(await engine.branches.get('1'.repeat(40))).toBe('absent');
});
