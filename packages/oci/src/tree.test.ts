import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestTree } from '@fairway/savedmodel';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelTar } from './layer.ts';
import { OCI_LAYER, OCI_LAYER_GZIP } from './media.ts';
import { treeOf } from './tree.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-tree-'));
  mkdirSync(join(dir, 'variables'));
  mkdirSync(join(dir, 'assets'));
  // `assets.extra` sorts before `assets/`, as a path and as a folder.
  mkdirSync(join(dir, 'assets.extra'));
  for (const path of ['saved_model.pb', 'variables/b', 'variables/B', 'assets/ü', 'assets.extra/x'])
    writeFileSync(join(dir, path), path);
});
afterAll(() => rmSync(dir, { recursive: true }));

async function tarOf(entries: ReadonlyArray<readonly [Partial<Header> & { name: string }, string?]>): Promise<Buffer> {
  const tar = pack();
  for (const [header, content = ''] of entries) tar.entry(header, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield await Promise.resolve(bytes);
}

const digestOf = async (tar: Buffer) => (await treeOf(once(tar), OCI_LAYER, 'models/m/1', 'It')).digest;

it('is the digest of the folder that the layer was made of, packed or not', async () => {
  const tar = await modelTar(dir, 'models/m/1', await digestTree(dir));
  const chunks: Buffer[] = [];
  for await (const chunk of tar.open()) chunks.push(chunk);
  const plain = Buffer.concat(chunks);
  const wanted = { digest: await digestTree(dir), files: 5, bytes: 14 + 11 + 11 + 9 + 14 };
  expect(await treeOf(once(plain), OCI_LAYER, 'models/m/1', 'It')).toEqual(wanted);
  expect(await treeOf(once(gzipSync(plain)), OCI_LAYER_GZIP, 'models/m/1', 'It')).toEqual(wanted);
});

const file = (name: string) => [{ name: `models/m/1/${name}` }, 'x'] as const;

it.each([
  ['a file elsewhere', [[{ name: 'etc/passwd' }, 'x']], /has "etc\/passwd", outside models\/m\/1/],
  ['a folder elsewhere', [[{ name: 'models/other/', type: 'directory' }]], /has a folder "models\/other\/"/],
  ['a file for a folder', [[{ name: 'models/m/1' }, 'x']], /outside/],
  ['a link', [[{ name: 'models/m/1/saved_model.pb', type: 'symlink', linkname: '/etc/passwd' }]], /a symlink/],
  ['files in another order', [file('b'), file('a')], /"a" is not where the order of paths has it/],
  ['a file twice', [file('a'), file('a')], /order of paths/],
] as const)('refuses %s', async (_what, entries, sentence) => {
  await expect(digestOf(await tarOf(entries as never))).rejects.toThrow(sentence);
  await expect(digestOf(await tarOf(entries as never))).rejects.toThrow(/^It is not as Fairway builds images/);
});

it('refuses what is no layer, or half of one', async () => {
  await expect(treeOf(once(Buffer.alloc(0)), 'text/plain', '1', 'It')).rejects.toThrow('its last layer is text/plain');
  const whole = await tarOf([file('a')]);
  await expect(digestOf(whole.subarray(0, 600))).rejects.toThrow();
  await expect(treeOf(once(whole), OCI_LAYER_GZIP, 'models/m/1', 'It')).rejects.toThrow();
});
