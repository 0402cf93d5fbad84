import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { branchName, changeId, type ChangeKind, checkName, checkVersion } from '@fairway/core';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import { type BareRemote, bareRemote, request } from './support.ts';

let remote: BareRemote;
let engine: GitEngine;
beforeEach(() => {
  remote = bareRemote();
  engine = remote.engine();
});
afterEach(() => remote.remove());

const refs = () => remote.git(['for-each-ref', '--format=%(refname:short) %(objectname)']).split('\n').sort();
const codes = (results: ReadonlyArray<PromiseSettledResult<void>>) =>
  results.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'pushed'));

/** Runs on the remote at each push; what it appends to `pushes` is counted. */
function hook(name: string, script: string): void {
  mkdirSync(join(remote.folder, 'hooks'), { recursive: true });
  const file = join(remote.folder, 'hooks', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}
const countPushes = () => hook('post-receive', 'echo push >> pushes');
const pushes = () => {
  const file = join(remote.folder, 'pushes');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
};

it('pushes by compare and swap only', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const ours = await repository.commit(request(head));
  await repository.push('fairway/x', ours, undefined);
  expect(remote.git(['rev-parse', 'refs/heads/fairway/x'])).toBe(ours);
  const next = await repository.commit(request(head, 'two\n'));
  await expect(repository.push('fairway/x', next, undefined)).rejects.toMatchObject({ code: 'git.race' });
  await expect(repository.push('fairway/x', next, head)).rejects.toMatchObject({ code: 'git.race' });
  await repository.push('fairway/x', next, ours);
  expect(await repository.branch('fairway/x')).toBe(next);
  await expect(repository.push('fairway/x', undefined, ours)).rejects.toMatchObject({ code: 'git.race' });
  expect(remote.git(['rev-parse', 'refs/heads/fairway/x'])).toBe(next);
  await repository.push('fairway/x', undefined, next);
  expect(await repository.branch('fairway/x')).toBeUndefined();
  await expect(repository.push('fairway/x', undefined, next)).rejects.toMatchObject({ code: 'git.race' });
  expect(refs()).toEqual([`main ${head}`]);
});

it('sends what waits together in one push, and who loses a race loses alone', async () => {
  const { repository } = engine;
  countPushes();
  const head = await repository.head(0);
  const commits = await Promise.all(
    Array.from({ length: 40 }, (_, i) => repository.commit(request(head, `${i}\n`, `models/m${i}`))),
  );
  remote.git(['branch', 'b7', head]);
  remote.git(['branch', 'gone', head]);
  const results = await Promise.allSettled([
    ...commits.map((commit, i) => repository.push(`b${i}`, commit, undefined)),
    repository.push('never-there', undefined, head),
    repository.push('gone', undefined, head),
    repository.push('not-written', 'f'.repeat(40), undefined),
  ]);
  const wanted = [...commits.map((_, i) => (i === 7 ? 'git.race' : 'pushed')), 'git.race', 'pushed', 'git.race'];
  expect(codes(results)).toEqual(wanted);
  expect(refs()).toHaveLength(41);
  // Git sends nothing when a branch to delete is gone already: those are left out and the rest goes again.
  expect(pushes()).toBeLessThanOrEqual(3);
  // A loser reads the remote again before it is asked anything.
  await repository.head(60_000);
  expect(await repository.branch('b7')).toBe(head);
});

it('refuses names that git does not take for a branch, and only those', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const bad = [
    '',
    'a:b',
    'a b',
    '../a',
    'a..b',
    '.a',
    'a.lock',
    'a\nb',
    'a//b',
    '/a',
    'a/',
    'a@{1}',
    'a~1',
    'a^',
    'a\\b',
    'a*',
    'a[',
    'a.',
  ];
  const good = ['-a', 'é', 'a.b', `x${'y'.repeat(200)}`, 'deep/er/one'];
  const results = await Promise.allSettled([...bad, ...good].map((name) => repository.push(name, head, undefined)));
  expect(codes(results)).toEqual([...bad.map(() => 'input.invalid'), ...good.map(() => 'pushed')]);
});

/** Whatever is sent as a name; most are near what is allowed. */
const word = fc.oneof(
  fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '-', '.', '/', ':', '~', '\n', ' ', 'é', '@{', '..', '.lock'),
    maxLength: 6,
  }),
  fc.constantFrom('head', 'refs', 'a'.repeat(63), 'a'.repeat(64), 'a'.repeat(300), '-a', '--all', 'con'),
);
const named = fc.record({
  kind: fc.constantFrom<ChangeKind>('deploy', 'retrain', 'rollback', 'retire'),
  model: word,
  version: fc.oneof(fc.nat().map(String), fc.constantFrom('-1', '01', 'latest')),
  digest: fc.string({ maxLength: 3 }),
  environment: word,
  event: fc.string({ maxLength: 3 }),
});

it('has a branch that git takes for any change that is let in, and no two changes share one', () => {
  const branches = new Map<string, string>();
  fc.assert(
    fc.property(named, (key) => {
      try {
        checkName('Model', key.model);
        checkName('Environment', key.environment);
        checkVersion(key.version);
      } catch {
        return;
      }
      const branch = branchName(key, changeId(key));
      const said = JSON.stringify(key);
      expect(branches.get(branch) ?? said).toBe(said);
      branches.set(branch, said);
    }),
    {
      numRuns: 500,
      examples: [[{ kind: 'deploy', model: 'a', version: '1', digest: '', environment: 'b', event: '' }]],
    },
  );
  expect(branches.size).toBeGreaterThan(50);
  const head = remote.git(['rev-parse', 'main']);
  // One command refuses all of them if git refuses one.
  remote.git(
    ['update-ref', '--stdin'],
    [...branches.keys()].map((name) => `create refs/heads/${name} ${head}\n`).join(''),
  );
  expect(refs()).toHaveLength(branches.size + 1);
});

it('moves one branch twice in the order of the calls', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const [one, two] = await Promise.all([repository.commit(request(head)), repository.commit(request(head, 'two\n'))]);
  await Promise.all([repository.push('x', one, undefined), repository.push('x', two, one)]);
  expect(refs()).toContain(`x ${two}`);
});

it('finds the one branch that a rule for the whole push refuses, and gives the words of the forge', async () => {
  const { repository } = engine;
  hook(
    'pre-receive',
    'while read old new ref; do case $ref in */bad) echo "GL-RULE: $ref must not be made" >&2; exit 1;; esac; done',
  );
  const head = await repository.head(0);
  const names = [...Array.from({ length: 12 }, (_, i) => `good${i}`), 'bad'];
  const results = await Promise.allSettled(names.map((name) => repository.push(name, head, undefined)));
  expect(codes(results)).toEqual([...Array.from({ length: 12 }, () => 'pushed'), 'git.refused']);
  expect(results.at(-1)).toMatchObject({
    reason: { message: expect.stringContaining('GL-RULE: refs/heads/bad must not be made'), disposition: 'terminal' },
  });
});

it('says in the words of the forge that a branch must not be deleted, and moves the others', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  await repository.push('merged', head, undefined);
  remote.git(['config', 'receive.denyDeletes', 'true']);
  const results = await Promise.allSettled([
    repository.push('merged', undefined, head),
    repository.push('next', head, undefined),
  ]);
  expect(codes(results)).toEqual(['git.refused', 'pushed']);
  expect(results[0]).toMatchObject({
    reason: { disposition: 'terminal', message: expect.stringContaining('deletion prohibited') },
  });
  expect(refs()).toEqual([`main ${head}`, `merged ${head}`, `next ${head}`]);
});

it('waits for a forge whose own hook cannot ask it, and pushes once for all that', async () => {
  const { repository } = engine;
  hook('pre-receive', 'echo push >> pushes; echo "GitLab: Internal API unreachable" >&2; exit 1');
  const head = await repository.head(0);
  const names = Array.from({ length: 20 }, (_, i) => `b${i}`);
  const results = await Promise.allSettled(names.map((name) => repository.push(name, head, undefined)));
  expect(codes(results)).toEqual(names.map(() => 'git.unavailable'));
  expect(results[0]).toMatchObject({
    reason: { disposition: 'retryable', message: expect.stringContaining('GitLab: Internal API unreachable') },
  });
  // The first goes alone with those that came in the same turn; at most one batch more.
  expect(pushes()).toBeLessThanOrEqual(2);
  rmSync(join(remote.folder, 'hooks'), { recursive: true });
  await repository.push('b0', head, undefined);
});

it('says that the disk of the remote is full, and goes on when there is room (skipped where no small disk can be mounted)', async (context) => {
  const { repository, mirror } = engine;
  const head = await repository.head(0);
  const noise = (i: number) => Array.from({ length: 60_000 }, (_, j) => Math.sin(i + j)).join('\n');
  const made = await Promise.all(
    Array.from({ length: 4 }, (_, i) => repository.commit(request(head, noise(i), `models/m${i}`))),
  );
  const objects = join(remote.folder, 'objects');
  const kept = join(remote.dir, 'kept');
  cpSync(objects, kept, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', objects]).status !== 0)
    context.skip('mounting needs root');
  try {
    cpSync(kept, objects, { recursive: true });
    const all = made.map((commit, i) => repository.push(`b${i}`, commit, undefined));
    const results = await Promise.allSettled(all);
    expect(codes(results)).toEqual(made.map(() => 'disk.full'));
    expect(results[0]).toMatchObject({ reason: { disposition: 'retryable' } });
    expect(refs()).toEqual([`main ${head}`]);
    expect(spawnSync('mount', ['-o', 'remount,size=50m', objects]).status).toBe(0);
    await Promise.all(made.map((commit, i) => repository.push(`b${i}`, commit, undefined)));
    expect(remote.git(['fsck', '--connectivity-only'])).not.toMatch(/error|missing/);
  } finally {
    await mirror.close();
    spawnSync('umount', [objects]);
  }
});

it('tells apart the refs of one push that a rule refuses', async () => {
  const { repository } = engine;
  hook('update', 'case $1 in *protected*) echo "GH006: Protected branch update failed for $1." >&2; exit 1;; esac');
  const head = await repository.head(0);
  const results = await Promise.allSettled(
    ['a', 'protected-1', 'b', 'protected-2'].map((name) => repository.push(name, head, undefined)),
  );
  expect(codes(results)).toEqual(['pushed', 'git.refused', 'pushed', 'git.refused']);
  const messages = results.map((each) => (each.status === 'rejected' ? String(each.reason.message) : ''));
  expect(messages[1]).toContain('Protected branch update failed for refs/heads/protected-1');
  expect(messages[1]).not.toContain('protected-2');
});

it('takes a push whose answer was lost for what it is on the remote', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  // The remote dies after it has moved the refs, and before it says so.
  hook('reference-transaction', 'if [ "$1" = committed ]; then echo killed >> pushes; kill -9 $PPID; fi');
  await repository.push('x', head, undefined);
  expect(pushes()).toBe(1);
  expect(refs()).toContain(`x ${head}`);
  expect(await repository.branch('x')).toBe(head);
});

it('says that a remote which is gone cannot be reached, and keeps what was there', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  rmSync(remote.folder, { recursive: true });
  await expect(repository.push('x', head, undefined)).rejects.toMatchObject({ name: 'FairwayError' });
  expect(await repository.branch('x')).toBeUndefined();
  expect(await repository.branch('main')).toBe(head);
});
