import { createReadStream, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeLayer } from './layer.ts';

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

async function entries(file: string): Promise<Header[]> {
  const headers: Header[] = [];
  const reader = extract();
  reader.on('entry', (header, stream, next) => {
    headers.push(header);
    stream.on('end', next).resume();
  });
  await pipeline(createReadStream(file), createGunzip(), reader);
  return headers;
}

it('packs the model where TensorFlow Serving looks, for any uid, and nothing else', async () => {
  await writeLayer(savedModel('a'), 'models/m/1', join(dir, 'layer'));
  expect(
    (await entries(join(dir, 'layer'))).map(({ name, mode, uid, gid, mtime, type }) => [
      name,
      type,
      mode,
      uid,
      gid,
      mtime?.getTime(),
    ]),
  ).toEqual([
    ['models/', 'directory', 0o755, 0, 0, 0],
    ['models/m/', 'directory', 0o755, 0, 0, 0],
    ['models/m/1/', 'directory', 0o755, 0, 0, 0],
    ['models/m/1/saved_model.pb', 'file', 0o644, 0, 0, 0],
    ['models/m/1/variables/', 'directory', 0o755, 0, 0, 0],
    ['models/m/1/variables/variables.index', 'file', 0o644, 0, 0, 0],
  ]);
});

it('gives the same digest for the same model, whenever and wherever it was written', async () => {
  const [first, second] = [savedModel('a'), savedModel('b')];
  utimesSync(join(second, 'saved_model.pb'), 1, 1);
  const one = await writeLayer(first, 'models/m/1', join(dir, 'one'));
  expect(await writeLayer(second, 'models/m/1', join(dir, 'two'))).toEqual(one);
  writeFileSync(join(second, 'saved_model.pb'), 'other');
  expect((await writeLayer(second, 'models/m/1', join(dir, 'three'))).digest).not.toBe(one.digest);
});

it('fails and does not hang when the disk does', async () => {
  await expect(writeLayer(savedModel('a'), 'models/m/1', join(dir, 'no', 'such', 'folder'))).rejects.toThrow('ENOENT');
});
