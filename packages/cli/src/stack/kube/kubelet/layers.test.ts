import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackLayer } from './layers.ts';

const TAR = 'application/vnd.oci.image.layer.v1.tar';
let dir: string;
let root: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layers-'));
  root = join(dir, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

type Entry = Partial<Header> & { name: string; content?: string };

async function layer(entries: Entry[], type = TAR): Promise<[blob: string, digest: string, type: string]> {
  const archive = pack();
  for (const { content = '', ...header } of entries) archive.entry(header, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const bytes = type.endsWith('gzip') ? gzipSync(Buffer.concat(chunks)) : Buffer.concat(chunks);
  const blob = join(dir, 'blob');
  writeFileSync(blob, bytes);
  return [blob, `sha256:${createHash('sha256').update(bytes).digest('hex')}`, type];
}

const unpack = async (entries: Entry[], type?: string) => unpackLayer(...(await layer(entries, type)), root);

describe('unpackLayer', () => {
  it.each([TAR, `${TAR}+gzip`])('unpacks %s', async (type) => {
    await unpack(
      [
        { name: './models/', type: 'directory' },
        { name: './models/a', content: 'one' },
        { name: '/deep/er/b', content: 'two' },
      ],
      type,
    );
    expect(readFileSync(join(root, 'models/a'), 'utf8')).toBe('one');
    expect(readFileSync(join(root, 'deep/er/b'), 'utf8')).toBe('two');
  });

  it('lets later layers replace and remove', async () => {
    await unpack([
      { name: 'a/x', content: '1' },
      { name: 'a/y', content: '1' },
      { name: 'b/z', content: '1' },
    ]);
    await unpack([{ name: 'a/x', content: '2' }, { name: 'a/.wh.y' }, { name: 'b/.wh..wh..opq' }]);
    expect(readFileSync(join(root, 'a/x'), 'utf8')).toBe('2');
    expect(readdirSync(join(root, 'a'))).toEqual(['x']);
    expect(readdirSync(join(root, 'b'))).toEqual([]);
  });

  it.each<[string, Entry]>([
    ['leaves the image', { name: '../outside', content: 'x' }],
    ['leaves the image', { name: 'a/../../outside', content: 'x' }],
    ['symlink', { name: 'link', type: 'symlink', linkname: '/etc' }],
    ['link', { name: 'hard', type: 'link', linkname: 'a' }],
    ['fifo', { name: 'pipe', type: 'fifo' }],
    ['nothing that has a name', { name: '.wh...' }],
    ['nothing that has a name', { name: 'a/.wh..' }],
  ])('refuses what %s: %j', async (reason, entry) => {
    await expect(unpack([entry])).rejects.toThrow(reason);
    expect(existsSync(join(dir, 'outside'))).toBe(false);
  });

  it('never writes through a link that is there already', async () => {
    symlinkSync(dir, join(root, 'out'));
    await expect(unpack([{ name: 'out/file', content: 'x' }])).rejects.toThrow(/no folder/);
    expect(existsSync(join(dir, 'file'))).toBe(false);
  });

  it('refuses a blob whose bytes are not what its digest says', async () => {
    const [blob, , type] = await layer([{ name: 'a', content: 'x' }]);
    await expect(unpackLayer(blob, `sha256:${'0'.repeat(64)}`, type, root)).rejects.toThrow(/other bytes/);
  });
});
