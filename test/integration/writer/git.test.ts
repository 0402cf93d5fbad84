import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@fairway/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { gitEnvironment } from '../../../packages/gitops-writer/src/git/environment.ts';
import { gitHistory } from '../../../packages/gitops-writer/src/git/history.ts';
import { type Mirror, openMirror } from '../../../packages/gitops-writer/src/git/mirror.ts';
import { gitPlumbing } from '../../../packages/gitops-writer/src/git/plumbing.ts';
import { gitRemote } from '../../../packages/gitops-writer/src/git/remote.ts';
import { gitRepository } from '../../../packages/gitops-writer/src/git/repository.ts';
import type { History, Repository } from '../../../packages/gitops-writer/src/ports.ts';

const FOLDER = 'models/m/environments/dev';
let dir: string;
let remote: string;
let mirror: Mirror;
let repository: Repository;
let history: History;

const environment = gitEnvironment(process.env['PATH']);
const git = (args: string[], input = '') =>
  execFileSync('git', args, { cwd: remote, env: environment, input, encoding: 'utf8' }).trim();
const open = () =>
  openMirror({
    plumbing: gitPlumbing(environment),
    remote: gitRemote(environment, { url: `file://${remote}`, user: 'u', token: 'a-token' }),
    url: `file://${remote}`,
    dataDir: join(dir, 'data'),
  });

/** Commits straight into the remote's main: `commits` times one file. */
function history500(commits: number, path: (i: number) => string): void {
  const text = (i: number) => `value ${i}\n`;
  const stream = Array.from({ length: commits }, (_, i) => {
    const from = i === 0 ? 'from refs/heads/main^0\n' : '';
    return `commit refs/heads/main\ncommitter T <t@example.com> ${1_700_000_000 + i} +0000\ndata 1\nx${from === '' ? '\n' : `\n${from}`}M 100644 inline ${path(i)}\ndata ${text(i).length}\n${text(i)}`;
  });
  git(['fast-import', '--quiet', '--force'], stream.join(''));
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway git '));
  remote = join(dir, 'remote.git');
  mkdirSync(remote);
  git(['init', '--quiet', '--bare', '--initial-branch=main', '.']);
  git(
    ['fast-import', '--quiet'],
    'commit refs/heads/main\ncommitter T <t@example.com> 1600000000 +0000\ndata 1\nx\nM 100644 inline README.md\ndata 2\nx\n',
  );
  mirror = open();
  repository = gitRepository(mirror, 'main', { name: 'bot', email: 'bot@example.com' }, systemClock);
  history = gitHistory(mirror);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const request = (parent: string, text = 'one\n') => ({
  parent,
  folder: FOLDER,
  files: [{ path: `${FOLDER}/a.yaml`, text }],
  message: 'Subject\n\nTrailer: ä\n',
  date: '2026-11-22T08:30:00.000Z',
});

it('makes the same commit of the same request, and replaces the folder as a whole', async () => {
  const head = await repository.head(0);
  const first = await repository.commit(request(head));
  expect(await repository.commit(request(head))).toBe(first);
  const other = { ...request(first), files: [{ path: `${FOLDER}/b.yaml`, text: 'two\n' }] };
  const second = await repository.commit(other);
  expect(await repository.read(second, `${FOLDER}/a.yaml`)).toBeUndefined();
  expect((await repository.read(second, `${FOLDER}/b.yaml`))?.text).toBe('two\n');
  expect((await repository.read(second, 'README.md'))?.text).toBe('x\n');
  expect(await repository.folders(second, 'models/m')).toEqual(['environments']);
});

it('pushes by compare and swap only', async () => {
  const head = await repository.head(0);
  const ours = await repository.commit(request(head));
  await repository.push('fairway/x', ours, undefined);
  expect(git(['rev-parse', 'refs/heads/fairway/x'])).toBe(ours);
  const next = await repository.commit(request(head, 'two\n'));
  await expect(repository.push('fairway/x', next, undefined)).rejects.toMatchObject({ code: 'git.race' });
  await expect(repository.push('fairway/x', next, head)).rejects.toMatchObject({ code: 'git.race' });
  await repository.push('fairway/x', next, ours);
  await repository.deleteBranch('fairway/x', ours);
  expect(git(['rev-parse', 'refs/heads/fairway/x'])).toBe(next);
  await repository.deleteBranch('fairway/x', next);
  expect(git(['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main');
});

it('keeps a change contained under 500 later commits elsewhere, until one touches its folder', async () => {
  const merge = await repository.commit(request(await repository.head(0)));
  await repository.push('main', merge, await repository.head(0));
  history500(500, (i) => `models/other-${i % 50}/environments/dev/a.yaml`);
  const later = git(['rev-parse', 'main']);
  expect(await history.relation(merge, later, FOLDER)).toEqual({ kind: 'contains' });
  history500(1, () => `${FOLDER}/a.yaml`);
  const touched = git(['rev-parse', 'main']);
  expect(await history.relation(merge, touched, FOLDER)).toEqual({ kind: 'superseded', by: touched });
  expect(await history.relation(merge, later, FOLDER)).toEqual({ kind: 'contains' });
  expect(await history.relation(merge, git(['rev-parse', `${merge}^`]), FOLDER)).toEqual({ kind: 'before' });
  expect(await history.relation(merge, 'f'.repeat(40), FOLDER)).toEqual({ kind: 'unknown' });
});

it('computes conflicts by itself', async () => {
  const base = await repository.head(0);
  const [one, two] = [await repository.commit(request(base)), await repository.commit(request(base, 'two\n'))];
  expect(await history.conflicts(one, two)).toBe(true);
  expect(await history.conflicts(base, two)).toBe(false);
});

it('goes on with a mirror whose process was killed with locks in hand', async () => {
  await repository.head(0);
  for (const lock of ['packed-refs.lock', 'refs/heads/main.lock', 'HEAD.lock'])
    writeFileSync(join(mirror.folder, lock), '');
  history500(1, (i) => `x-${i}`);
  const again = open();
  expect(again.problem()).toContain('not been mirrored yet');
  await again.refresh();
  expect(again.problem()).toBeUndefined();
  expect((await again.git(['rev-parse', 'refs/heads/main'])).trim()).toBe(git(['rev-parse', 'main']));
});

it('says in a sentence what is wrong with the remote', async () => {
  rmSync(remote, { recursive: true, force: true });
  await expect(mirror.refresh()).rejects.toMatchObject({ code: 'git.unavailable' });
  expect(mirror.problem()).toMatch(/^git ls-remote failed for file:\/\//);
});
