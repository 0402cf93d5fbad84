import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unpackModel } from '@fairway/archive';
import { type FileTree, tarTree, zipTree } from '../../harness/archives.ts';
import { asTree, type Box, openBox, treeIn } from './box.ts';

let box: Box;
beforeEach(() => {
  box = openBox();
});
afterEach(() => box.close());

const SAVED: FileTree = {
  'saved_model.pb': 'model',
  'variables/variables.index': 'index',
  'assets/vocabulary': 'a b c',
};
const REGISTERED: FileTree = {
  'ModelProperties.json': '{"name":"x"}',
  'inputVar.json': '[]',
  'outputVar.json': '[1]',
  'baseline.json': '{}',
  'golden.jsonl': '{"inputs":{}}',
};
const within = (folder: string, tree: FileTree): FileTree =>
  Object.fromEntries(Object.entries(tree).map(([path, content]) => [`${folder}/${path}`, content]));
const OTHER: FileTree = { 'fileMetadata.json': '[]', 'train.py': 'pass', 'data.csv.gz': gzipSync('a,b') };

describe('however a registry packs it, the SavedModel and what is registered lie side by side', () => {
  const LAYOUTS: readonly (readonly [what: string, archive: Buffer])[] = [
    ['all at the top', zipTree({ ...SAVED, ...REGISTERED })],
    ['a tar.gz of it', gzipSync(tarTree({ ...SAVED, ...REGISTERED }))],
    ['in one folder', zipTree(within('model', { ...SAVED, ...REGISTERED }))],
    ['the SavedModel in a version folder', zipTree({ ...within('1', SAVED), ...REGISTERED })],
    ['deep down', zipTree({ ...within('export/model/1', SAVED), ...within('export', REGISTERED), ...OTHER })],
    [
      'an archive beside what is registered, as SAS has it',
      zipTree({ 'model.zip': zipTree(SAVED), ...REGISTERED, ...OTHER }),
    ],
    [
      'the inner archive a tar.gz by another name',
      zipTree({ 'hmeq.model': gzipSync(tarTree(within('1', SAVED))), ...REGISTERED }),
    ],
    [
      'other archives beside it',
      zipTree({ 'a.zip': zipTree({ readme: 'x' }), 'b.zip': zipTree(SAVED), ...REGISTERED }),
    ],
    [
      'partly inside',
      zipTree({ 'model.zip': zipTree({ ...SAVED, 'golden.jsonl': '{"inputs":{}}' }), ...without('golden.jsonl') }),
    ],
    ['all inside', zipTree({ 'x/model.zip': zipTree({ ...SAVED, ...REGISTERED }) })],
  ];

  test.each(LAYOUTS)('%s', async (_, archive) => {
    const unpacked = await unpackModel(box.put(archive), box.scratch);
    const all = treeIn(unpacked.folder);
    for (const name of Object.keys(OTHER)) delete all[name];
    expect(all).toEqual(asTree({ ...SAVED, ...REGISTERED }));
    expect(readdirSync(join(unpacked.folder, '..'))).toEqual(['model']);
    await unpacked.dispose();
    await unpacked.dispose();
    expect(readdirSync(box.scratch)).toEqual([]);
  });

  test('archives beside a SavedModel are files like others', async () => {
    const file = box.put(zipTree({ ...SAVED, 'assets/old.zip': zipTree(SAVED) }));
    const unpacked = await unpackModel(file, box.scratch);
    expect(readFileSync(join(unpacked.folder, 'assets/old.zip'))).toEqual(zipTree(SAVED));
    expect(existsSync(join(unpacked.folder, 'ModelProperties.json'))).toBe(false);
    await unpacked.dispose();
  });
});

describe('where somebody would have to guess', () => {
  const CASES: readonly (readonly [what: string, archive: Buffer, sentence: RegExp])[] = [
    ['none', zipTree({ readme: 'x' }), /model\.bin holds no saved_model\.pb, nor does an archive inside it; export/],
    ['another spelling', zipTree({ 'Saved_Model.pb': 'x' }), /holds no saved_model\.pb/],
    [
      'two folders',
      zipTree({ ...within('1', SAVED), ...within('2', SAVED) }),
      /2 SavedModels \("1\/.*", "2\/.*pack exactly one/,
    ],
    [
      'two archives',
      zipTree({ 'a.zip': zipTree(SAVED), 'b.zip': zipTree(SAVED) }),
      /2 SavedModels \(.*"a\.zip".*"b\.zip"/,
    ],
    ['archives in archives in archives', zipTree({ 'a.zip': zipTree({ 'b.zip': zipTree(SAVED) }) }), /holds no saved/],
    [
      'registered twice',
      zipTree({ 'model.zip': zipTree({ ...SAVED, 'inputVar.json': '[2]' }), ...REGISTERED }),
      /holds inputVar\.json 2 times; keep the one/,
    ],
    [
      'a folder by the name of a registration file',
      zipTree({ ...within('1', { ...SAVED, 'inputVar.json/x': 'x' }), ...REGISTERED }),
      /holds inputVar\.json 2 times/,
    ],
    [
      'a bad archive inside',
      zipTree({ 'deep/model.zip': zipTree({ '../evil': 'x' }) }),
      /The entry "\.\.\/evil" of "deep\/model\.zip" in model\.bin climbs out/,
    ],
  ];

  test.each(CASES)('%s', async (_, archive, sentence) => {
    expect(await box.refusedModel(archive)).toMatch(sentence);
  });
});

test('the limits hold for all archives together', async () => {
  const inner = zipTree(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`f${i}`, 'x'])));
  const file = zipTree({ 'a.zip': inner, 'b.zip': inner });
  expect(await box.refusedModel(file, { entries: 13 })).toMatch(/more than the 13 files and folders/);
  expect(await box.refusedModel(file, { bytes: 2 * inner.length + 11 })).toMatch(/more than the \d+ bytes/);
});

function without(name: string): FileTree {
  return Object.fromEntries(Object.entries(REGISTERED).filter(([path]) => path !== name));
}
