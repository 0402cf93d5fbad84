import fc from 'fast-check';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { unpack, unpackModel } from '@fairway/archive';
import { digestTree } from '@fairway/savedmodel';
import { bytesOf, type FileTree, tarTree, zipTree } from '../../harness/archives.ts';
import { anyTree } from '../../harness/trees.ts';
import { asTree, type Box, openBox, treeIn } from './box.ts';

let box: Box;
beforeAll(() => {
  box = openBox();
});
afterAll(() => box.close());

const PACKERS: readonly ((tree: FileTree) => Buffer | Promise<Buffer>)[] = [
  (tree) => zipTree(tree),
  (tree) => zipTree(tree, 0),
  anotherZip,
  tarTree,
  (tree) => gzipSync(tarTree(tree)),
];

test('any tree comes out of zip, tar and tar.gz as it went in', () =>
  fc.assert(
    fc.asyncProperty(anyTree, async (tree) => {
      fc.pre(Object.keys(tree).some((path) => !path.endsWith('/')));
      for (const pack of PACKERS) {
        const unpacked = await unpack(box.put(await pack(tree)), box.scratch);
        expect(treeIn(unpacked.folder)).toEqual(asTree(tree));
        await unpacked.dispose();
      }
    }),
    { numRuns: 50 },
  ));

test('a SavedModel has one digest: as a folder, zip, tar and tar.gz, flat, in a folder and in an archive inside', () =>
  fc.assert(
    fc.asyncProperty(anyTree, fc.string(), async (around, model) => {
      const tree: FileTree = {
        'saved_model.pb': model,
        ...Object.fromEntries(Object.entries(around).map(([path, data]) => [`assets/${path}`, data])),
      };
      const digest = await digestTree(onDisk(tree));
      const below = Object.fromEntries(Object.entries(tree).map(([path, data]) => [`1/${path}`, data]));
      for (const pack of PACKERS) {
        const archives = [await pack(tree), await pack(below), zipTree({ 'model.zip': await pack(tree) })];
        for (const archive of archives) {
          const unpacked = await unpackModel(box.put(archive), box.scratch);
          expect(await digestTree(unpacked.folder)).toBe(digest);
          await unpacked.dispose();
        }
      }
    }),
    { numRuns: 10 },
  ));

let folders = 0;
function onDisk(tree: FileTree): string {
  const folder = join(box.dir, `folder-${folders++}`);
  for (const [path, data] of Object.entries(tree)) {
    if (path.endsWith('/')) mkdirSync(join(folder, path), { recursive: true });
    else {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytesOf(data));
    }
  }
  return folder;
}

/** By somebody else's packer, as a stream with descriptors. */
async function anotherZip(tree: FileTree): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, data] of Object.entries(tree)) {
    if (path.endsWith('/')) zip.addEmptyDirectory(path);
    else zip.addBuffer(bytesOf(data), path, { compress: path.length % 2 === 0 });
  }
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
