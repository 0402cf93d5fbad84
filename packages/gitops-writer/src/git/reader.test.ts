import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { objectReader } from './reader.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const ID = 'a'.repeat(40);
const MIB = 2 ** 20;

/** A reader, and what its git prints. */
function reading() {
  const stdout = new EventEmitter();
  const child = Object.assign(new EventEmitter(), { stdin: new PassThrough(), stdout, stderr: new EventEmitter() });
  const reader = objectReader({ start: () => child as unknown as ChildProcessWithoutNullStreams }, '/mirror', () => {});
  return { reader, print: (bytes: Buffer) => stdout.emit('data', bytes) };
}

it('keeps nothing of what is too long, and reads on behind it', async () => {
  const { reader, print } = reading();
  const size = 64 * MIB;
  const large = expect(reader.contents('large', 10, 'large.bin')).rejects.toThrow('large.bin has 64.0 MiB');
  const next = reader.contents('next', 10);
  collect();
  const before = process.memoryUsage().arrayBuffers;
  print(Buffer.from(`${ID} blob ${size}\nxx`));
  for (let sent = 2; sent < size; sent += MIB) print(Buffer.alloc(Math.min(MIB, size - sent), 'x'));
  await large;
  // What is free is swept by a thread of its own.
  await expect
    .poll(() => (collect(), process.memoryUsage().arrayBuffers - before), { timeout: 60_000 })
    .toBeLessThan(8 * MIB);
  print(Buffer.from(`\n${ID} blob 4\nnext\n`));
  expect((await next)?.bytes.toString()).toBe('next');
});

it.each([1, 7, 64])('finds answers wherever they are cut, in pieces of %i bytes', async (piece) => {
  const { reader, print } = reading();
  const asked = [
    reader.contents('short', 10),
    reader.contents('long', 10).catch(() => 'too long'),
    reader.info('known'),
    reader.contents('nowhere', 10),
    reader.contents('empty', 10),
  ];
  const printed = Buffer.from(
    `${ID} blob 5\nshort\n${ID} blob 26\n${'missing\n'.repeat(3)}xx\n${ID} tree 7\nnowhere missing\n${ID} blob 0\n\n`,
  );
  for (let at = 0; at < printed.length; at += piece) print(printed.subarray(at, at + piece));
  const [short, long, known, nowhere, empty] = await Promise.all(asked);
  expect(short).toMatchObject({ size: 5, bytes: Buffer.from('short') });
  expect(long).toBe('too long');
  expect(known).toMatchObject({ type: 'tree', size: 7 });
  expect(nowhere).toBeUndefined();
  expect(empty).toMatchObject({ size: 0 });
});
