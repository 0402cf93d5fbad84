import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sha256 } from '@fairway/core';
import { digestTree } from '@fairway/savedmodel';
import { extract, type Header } from 'tar-stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { modelTar } from './layer.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-layer-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function savedModel(name: string): string {
  const folder = join(dir, name);
  mkdirSync(join(folder, 'variables'), { recursive: true });
  writeFileSync(join(folder, 'saved_model.pb'), 'graph');
  writeFileSync(join(folder, 'variables', 'variables.index'), 'index');
  writeFileSync(join(folder, 'ModelProperties.json'), '{}');
  return folder;
}

async function collected(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const tarOfAll = async (folder: string, prefix: string) => modelTar(folder, prefix, await digestTree(folder));

async function bytesOf(folder: string, prefix = 'models/m/1'): Promise<Buffer> {
  return collected((await tarOfAll(folder, prefix)).open());
}

async function entries(tar: Buffer): Promise<Header[]> {
  const headers: Header[] = [];
  const reader = extract();
  reader.on('entry', (header, stream, next) => {
    headers.push(header);
    stream.on('end', next).resume();
  });
  await pipeline(Readable.from([tar]), reader);
  return headers;
}

it('packs the model where TensorFlow Serving looks, for any uid, and nothing else', async () => {
  const all = await entries(await bytesOf(savedModel('a')));
  expect(all.map(({ name, mode, uid, gid, mtime, type }) => [name, type, mode, uid, gid, mtime?.getTime()])).toEqual([
    ['models/', 'directory', 0o755, 0, 0, 0],
    ['models/m/', 'directory', 0o755, 0, 0, 0],
    ['models/m/1/', 'directory', 0o755, 0, 0, 0],
    ['models/m/1/saved_model.pb', 'file', 0o644, 0, 0, 0],
    ['models/m/1/variables/', 'directory', 0o755, 0, 0, 0],
    ['models/m/1/variables/variables.index', 'file', 0o644, 0, 0, 0],
  ]);
});

it('gives the same bytes for the same model, whenever and wherever it was written', async () => {
  const [first, second] = [savedModel('a'), savedModel('b')];
  utimesSync(join(second, 'saved_model.pb'), 1, 1);
  const one = await bytesOf(first);
  expect((await bytesOf(second)).equals(one)).toBe(true);
  writeFileSync(join(second, 'saved_model.pb'), 'other');
  expect((await bytesOf(second)).equals(one)).toBe(false);
});

it('can be read again, and knows its files by then', async () => {
  const tar = await tarOfAll(savedModel('a'), '1');
  expect(tar.files()).toEqual([]);
  const first = await collected(tar.open());
  expect((await collected(tar.open())).equals(first)).toBe(true);
  expect(tar.files()).toEqual([
    { path: 'saved_model.pb', size: 5, sha256: sha256('graph') },
    { path: 'variables/variables.index', size: 5, sha256: sha256('index') },
  ]);
});

it('takes a reader that stops early, and fails when a file has become another', async () => {
  const folder = savedModel('a');
  const tar = await tarOfAll(folder, '1');
  for await (const chunk of tar.open()) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  writeFileSync(join(folder, 'saved_model.pb'), 'grapH');
  const now = await digestTree(folder);
  await expect(collected(tar.open())).rejects.toMatchObject({ code: 'model.changed', detail: { digest: now } });
  writeFileSync(join(folder, 'saved_model.pb'), 'gra');
  await expect(collected(tar.open())).rejects.toMatchObject({
    code: 'model.changed',
    message: expect.stringContaining('saved_model.pb in'),
  });
  expect(tar.files()).toEqual([]);
  rmSync(folder, { recursive: true });
  await expect(collected(tar.open())).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining('ENOENT'),
  });
  await expect(modelTar(folder, '1', now)).rejects.toMatchObject({ code: 'model.invalid' });
});

it('takes no byte that was added while it was read', async () => {
  const folder = savedModel('a');
  const tar = await tarOfAll(folder, '1');
  const before = await collected(tar.open());
  appendFileSync(join(folder, 'saved_model.pb'), ' and more');
  expect((await collected(tar.open())).equals(before)).toBe(true);
});

it('reads a file of several pieces', async () => {
  const folder = savedModel('a');
  const weights = randomBytes(3 * 2 ** 20 + 5);
  writeFileSync(join(folder, 'variables', 'variables.data-00000-of-00001'), weights);
  const tar = await tarOfAll(folder, '1');
  expect((await collected(tar.open())).includes(weights)).toBe(true);
  expect(tar.files()[1]).toMatchObject({ size: weights.length, sha256: sha256(weights) });
});
