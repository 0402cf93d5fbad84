import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
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
const ofFork = (number: number, bytes: number): string =>
  withBlobs(number, [remote.git(['hash-object', '-w', '--stdin'], randomBytes(bytes))]);

function withBlobs(number: number, blobs: readonly string[]): string {
  const main = remote.git(['ls-tree', 'main']);
  const added = blobs.map((blob, i) => `100644 blob ${blob}\tz${i || ''}.bin\n`);
  const tree = remote.git(['mktree'], `${main}\n${added.join('')}`);
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

/** 16 MiB of zeros, and a blob that is `times` copies of them: in the remote's pack a delta of a few bytes, which it sends as it is. */
function deltaBomb(times: number): string[] {
  const base = Buffer.alloc(0xffffff);
  const head = (size: number) => Buffer.from(`blob ${size}\0`);
  const whole = createHash('sha1').update(head(base.length * times));
  for (let i = 0; i < times; i++) whole.update(base);
  const delta = Buffer.concat([
    ...[base.length, base.length * times].map((size) => Buffer.from(varint(size))),
    ...Array.from({ length: times }, () => Buffer.from([0xf0, 0xff, 0xff, 0xff])),
  ]);
  const baseId = createHash('sha1').update(head(base.length)).update(base).digest();
  const start = Buffer.from('5041434b0000000200000002', 'hex');
  const objects = [packed(3, base), packed(7, delta, baseId)];
  const pack = Buffer.concat([start, ...objects]);
  remote.git(['index-pack', '--stdin'], Buffer.concat([pack, createHash('sha1').update(pack).digest()]));
  return [baseId.toString('hex'), whole.digest('hex')];
}
function varint(size: number, first = 7): number[] {
  const rest = Math.floor(size / 2 ** first);
  return rest === 0 ? [size] : [(size % 2 ** first) | 0x80, ...varint(rest)];
}
function packed(type: number, bytes: Buffer, base = Buffer.alloc(0)): Buffer {
  const [low = 0, ...more] = varint(bytes.length, 4);
  const size = low < 16 ? low : (low & 0x0f) | 0x80;
  return Buffer.concat([Buffer.from([(type << 4) | size, ...more]), base, deflateSync(bytes)]);
}

it('stops at the bound on memory what is small as it comes and large unpacked', async () => {
  const packs = () => readdirSync(join(engine.mirror.folder, 'objects', 'pack'));
  const before = packs();
  const bomb = deltaBomb(10);
  remote.git(['config', '--unset', 'core.compression']);
  expect(await engine.branches.get(withBlobs(4, bomb))).toEqual({ largerThanMib: FOREIGN_MIB });
  expect([packs(), remains()]).toEqual([before, []]);
  expect(await engine.branches.get(ofFork(5, (FOREIGN_MIB - 1) * 2 ** 20))).toBe('here');
});

it('does not take what is no commit, or not there, for one', async () => {
  expect(await engine.branches.get('--upload-pack=touch x')).toBe('absent');
  expect(await engine.branches.get('1'.repeat(40))).toBe('absent');
});
