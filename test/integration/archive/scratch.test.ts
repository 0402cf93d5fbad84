import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sweepScratch, unpack, unpackModel } from '@fairway/archive';
import { tarTree, zipTree } from '../../harness/archives.ts';
import { type Box, openBox } from './box.ts';

let box: Box;
beforeEach(() => {
  box = openBox();
});
afterEach(() => box.close());

const noise = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * i * 31) >> 3));
const tree = { 'saved_model.pb': 'model', 'variables/a': noise(3000), 'variables/b': noise(3000) };
const clock = (now: number) => ({ now: () => now });

test.each(['zip', 'tar'])('an abort at any moment leaves nothing (%s)', async (kind) => {
  const file = box.put(kind === 'zip' ? zipTree({ 'in.zip': zipTree(tree) }) : tarTree({ 'in.tar': tarTree(tree) }));
  let aborted = 0;
  for (let looks = 0; ; looks++) {
    const signal = abortsAtLook(looks);
    try {
      const unpacked = await unpackModel(file, box.scratch, { signal });
      await unpacked.dispose();
      break;
    } catch (error) {
      expect(error).toBe(signal.reason);
      aborted++;
    }
    expect(readdirSync(box.scratch)).toEqual([]);
  }
  expect(aborted).toBeGreaterThan(5);
});

test('a full disk is named, and nothing is left (skipped where no small disk can be mounted)', async (context) => {
  const disk = join(box.dir, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0)
    context.skip('mounting needs root');
  try {
    const large = {
      'saved_model.pb': 'x',
      'variables/a': Buffer.alloc(700_000, 'ab'),
      'variables/b': Buffer.alloc(700_000, 'cd'),
    };
    for (const bytes of [zipTree(large), zipTree(large, 0), tarTree(large)]) {
      const unpacking = unpack(box.put(bytes), disk, { limits: { ratio: 1000 } });
      await expect(unpacking).rejects.toMatchObject({
        code: 'disk.full',
        disposition: 'retryable',
        message: expect.stringContaining('free some'),
      });
      expect(readdirSync(disk)).toEqual([]);
    }
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('what a killed process left is swept; what lives, or is not ours, stays', async () => {
  const file = box.put(zipTree(tree));
  const { child } = await unpackedElsewhere(file);
  const mine = await unpack(file, box.scratch);
  expect(readdirSync(box.scratch)).toHaveLength(2);
  expect(await sweepScratch(box.scratch, clock(0))).toBe(0);
  child.kill('SIGKILL');
  await once(child, 'exit');

  // Of an earlier process that had our pid, as the first process of a container always has.
  const [, host = ''] = /unpack-([0-9a-f]{8})-/.exec(mine.folder) ?? [];
  mkdirSync(join(box.scratch, `unpack-${host}-${process.pid}-00000000-Abc123`));
  mkdirSync(join(box.scratch, 'unpack-mine'));
  writeFileSync(join(box.scratch, 'notes.txt'), '');
  expect(await sweepScratch(box.scratch, clock(0))).toBe(2);
  expect(new Set(readdirSync(box.scratch))).toEqual(
    new Set([mine.folder.split('/').at(-1), 'unpack-mine', 'notes.txt']),
  );
  await mine.dispose();
  expect(await sweepScratch(join(box.scratch, 'missing'), clock(0))).toBe(0);
});

test('what another host left is swept after a day', async () => {
  const folder = join(box.scratch, 'unpack-00000000-1-00000000-Abc123');
  mkdirSync(folder);
  utimesSync(folder, 1_000_000, 1_000_000);
  const hours = (count: number) => clock((1_000_000 + count * 3600) * 1000);
  expect(await sweepScratch(box.scratch, hours(23))).toBe(0);
  expect(await sweepScratch(box.scratch, hours(25))).toBe(1);
  expect(readdirSync(box.scratch)).toEqual([]);
});

test('two at once in one scratch folder do not meet', async () => {
  const file = box.put(zipTree(tree));
  const all = await Promise.all(Array.from({ length: 8 }, () => unpack(file, box.scratch)));
  expect(new Set(all.map(({ folder }) => folder)).size).toBe(8);
  await all[0]?.dispose();
  expect(readdirSync(box.scratch)).toHaveLength(7);
  await Promise.all(all.map((unpacked) => unpacked.dispose()));
  expect(readdirSync(box.scratch)).toEqual([]);
});

test.each(['zip', 'tar.gz'])('256 MiB come out of a %s in less than 100 MiB of memory', async (kind) => {
  const zeros = { 'saved_model.pb': Buffer.alloc(256 * 2 ** 20) };
  const { child, grown } = await unpackedElsewhere(box.put(kind === 'zip' ? zipTree(zeros) : gzipSync(tarTree(zeros))));
  child.kill('SIGKILL');
  expect(grown).toBeLessThan(100 * 2 ** 20);
});

async function unpackedElsewhere(file: string): Promise<{ child: ChildProcess; grown: number }> {
  const child = fork(fileURLToPath(new URL('unpack-main.ts', import.meta.url)), [file, box.scratch], {
    execArgv: ['--conditions=source', '--import', 'tsx'],
  });
  const [{ grown }] = (await once(child, 'message')) as [{ grown: number }];
  return { child, grown };
}

/** A signal that aborts when it is asked for the n-th time: every moment at which unpacking looks, one after the other. */
function abortsAtLook(looks: number): AbortSignal {
  const controller = new AbortController();
  let left = looks;
  const look = controller.signal.throwIfAborted.bind(controller.signal);
  controller.signal.throwIfAborted = () => {
    if (left-- <= 0) controller.abort(new Error('stop'));
    look();
  };
  return controller.signal;
}
