import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import { type BareRemote, bareRemote, FOLDER, gitIn, request } from './support.ts';

let remote: BareRemote;
let engine: GitEngine;
beforeEach(() => {
  remote = bareRemote();
  engine = remote.engine();
});
afterEach(() => remote.remove());

it('goes on with a mirror whose process was killed with locks and halves in hand', async () => {
  const { mirror, repository } = engine;
  await repository.head(0);
  await mirror.close();
  const remains = [
    'packed-refs.lock',
    'refs/heads/main.lock',
    'HEAD.lock',
    'objects/pack/tmp_pack_x',
    'objects/pack/pack-1.keep',
  ];
  for (const name of remains) writeFileSync(join(mirror.folder, name), '');
  const tip = remote.push(1, (i) => `x-${i}`);
  const again = remote.engine();
  expect(again.mirror.problem()).toContain('not been mirrored yet');
  await again.mirror.refresh();
  expect(again.mirror.problem()).toBeUndefined();
  expect(again.mirror.branches.tip('main')).toBe(tip);
  expect(remains.filter((name) => existsSync(join(mirror.folder, name)))).toEqual([]);
});

const packFolder = () => join(engine.mirror.folder, 'objects', 'pack');

it('is made again when it is damaged, at the start and while it runs', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const damage = () => {
    for (const name of readdirSync(packFolder())) {
      chmodSync(join(packFolder(), name), 0o644);
      truncateSync(join(packFolder(), name), 20);
    }
  };
  damage();
  engine.mirror.reader.renew();
  // Whoever meets the damage has to come again.
  await expect
    .poll(
      () =>
        repository.head(0).then(
          (tip) => repository.read(tip, 'README.md'),
          () => undefined,
        ),
      { timeout: 60_000 },
    )
    .toMatchObject({ text: 'x\n' });
  await engine.mirror.close();
  damage();
  const again = remote.engine();
  expect(await again.repository.head(0)).toBe(head);
  expect((await again.repository.read(head, 'README.md'))?.text).toBe('x\n');
  const commit = await again.repository.commit(request(head));
  await again.repository.push('x', commit, undefined);
  expect(remote.git(['rev-parse', 'x'])).toBe(commit);
});

it('is made again for another repository, or one of another object format', async () => {
  await engine.repository.head(0);
  await engine.mirror.close();
  for (const format of ['sha1', 'sha256']) {
    const other = bareRemote({ format });
    try {
      const moved = other.engine({ dataDir: join(remote.dir, 'data') });
      const head = await moved.repository.head(0);
      expect(head).toBe(other.git(['rev-parse', 'main']));
      expect((await moved.repository.read(head, 'README.md'))?.text).toBe('x\n');
    } finally {
      await other.remove();
    }
  }
});

it('writes a commit again that a mirror made anew has lost', async () => {
  const { repository, mirror } = engine;
  const head = await repository.head(0);
  const commit = await repository.commit(request(head));
  await mirror.close();
  const other = remote.engine({ dataDir: join(remote.dir, 'anew') });
  await other.repository.head(0);
  await expect(other.repository.push('x', commit, undefined)).rejects.toMatchObject({ code: 'git.race' });
  expect(await other.repository.commit(request(head))).toBe(commit);
  await other.repository.push('x', commit, undefined);
});

it('puts many small packs together, and loses none of what is in them', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const made: string[] = [];
  for (let i = 0; i < 70; i++) made.push(await repository.commit(request(head, `${i}\n`)));
  await expect.poll(() => readdirSync(packFolder()).filter((name) => name.endsWith('.pack')).length).toBeLessThan(40);
  for (const [i, commit] of made.entries())
    expect((await repository.read(commit, `${FOLDER}/a.yaml`))?.text).toBe(`${i}\n`);
  await repository.push('x', made[0], undefined);
});

it('mirrors a remote that is shallow itself, and pushes to it', async () => {
  remote.push(5, (i) => `f-${i}`);
  const shallow = join(remote.dir, 'shallow.git');
  gitIn(remote.dir)(['clone', '--quiet', '--bare', '--depth=2', remote.url, shallow]);
  const { repository, history } = remote.engine({
    access: { url: `file://${shallow}`, credentials: () => Promise.resolve(undefined) },
    dataDir: join(remote.dir, 'of the shallow one'),
  });
  const head = await repository.head(0);
  expect((await repository.read(head, 'f-4'))?.text).toBe('value 4\n');
  const commit = await repository.commit(request(head));
  await repository.push('x', commit, undefined);
  expect(gitIn(shallow)(['rev-parse', 'x'])).toBe(commit);
  expect(await history.relation(head, commit, FOLDER)).toEqual({ kind: 'superseded', by: commit });
  expect(await history.relation(remote.git(['rev-parse', 'main~4']), commit, FOLDER)).toEqual({ kind: 'unknown' });
});

it('says that a remote which is a partial clone itself lacks objects', async () => {
  const partial = join(remote.dir, 'partial.git');
  const from = bareRemote();
  from.git(['config', 'uploadpack.allowFilter', 'true']);
  gitIn(remote.dir)(['clone', '--quiet', '--bare', '--filter=blob:none', from.url, partial]);
  await from.remove();
  const { repository } = remote.engine({
    access: { url: `file://${partial}`, credentials: () => Promise.resolve(undefined) },
    dataDir: join(remote.dir, 'of the partial one'),
  });
  await expect(repository.head(0)).rejects.toMatchObject({
    code: 'git.refused',
    disposition: 'retryable',
    message: expect.stringContaining('it is a partial clone and lacks objects; set GIT_URL to'),
  });
});

it('says that its disk is full, and goes on when there is room (skipped where no small disk can be mounted)', async (context) => {
  const disk = join(remote.dir, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0)
    context.skip('mounting needs root');
  const { repository, mirror } = remote.engine({ dataDir: disk });
  try {
    const head = await repository.head(0);
    const noise = (i: number) => Array.from({ length: 200_000 }, (_, j) => Math.sin(i + j)).join('\n');
    await expect(repository.commit(request(head, noise(1)))).rejects.toMatchObject({
      code: 'disk.full',
      disposition: 'retryable',
      message: expect.stringContaining('free some'),
    });
    expect(spawnSync('mount', ['-o', 'remount,size=50m', disk]).status).toBe(0);
    const commit = await repository.commit(request(head, noise(1)));
    await repository.push('x', commit, undefined);
    expect(remote.git(['rev-parse', 'x'])).toBe(commit);
  } finally {
    await mirror.close();
    spawnSync('umount', [disk]);
  }
});

it('says what is wrong with git itself', async () => {
  const bin = join(remote.dir, 'bin');
  mkdirSync(bin);
  const without = remote.engine({ path: bin, dataDir: join(remote.dir, 'a') });
  await expect(without.repository.head(0)).rejects.toMatchObject({ message: expect.stringMatching(/install git/) });
  writeFileSync(join(bin, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
  const old = remote.engine({ path: bin, dataDir: join(remote.dir, 'b') });
  await expect(old.repository.head(0)).rejects.toMatchObject({
    code: 'machine.unfit',
    message: 'Fairway needs git 2.38 or newer, and found git version 2.30.2; update git.',
  });
  expect(old.mirror.problem()).toContain('2.38');
});

it('gives no answer after it was closed', async () => {
  const { repository, mirror } = engine;
  const head = await repository.head(0);
  await mirror.close();
  await expect(repository.read(head, 'README.md')).rejects.toMatchObject({ code: 'git.unavailable' });
});
