import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePax } from './tar-header.ts';
import { unpack } from './unpack.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-tar-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

test("another's tar with long and foreign names comes out whole, plain and gzip'd", async () => {
  const files: Record<string, string> = {
    'saved_model.pb': 'model',
    [`variables/${'long'.repeat(40)}/variables.index`]: 'index',
    'assets/größe 模型.txt': 'x'.repeat(1537),
    'assets/empty': '',
  };
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  for (const bytes of [Buffer.concat(chunks), gzipSync(Buffer.concat(chunks))]) {
    writeFileSync(join(dir, 'model'), bytes);
    const unpacked = await unpack(join(dir, 'model'), join(dir, 'scratch'));
    for (const [name, content] of Object.entries(files))
      expect(readFileSync(join(unpacked.folder, name), 'utf8')).toBe(content);
    await unpacked.dispose();
    expect(readdirSync(join(dir, 'scratch'))).toEqual([]);
  }
});

test.each([
  ['11 path=a\nb\n', undefined],
  ['11 path=abc', undefined],
  ['0 path=a\n', undefined],
  ['-9 path=a\n', undefined],
  ['5 a\n', undefined],
  ['99999999999 path=a\n', undefined],
  ['path=a\n', undefined],
  ['3 \n', undefined],
  ['', []],
  ['10 path=a\n10 path=b\n', ['b']],
])('pax records %j', (text, values) => {
  const records = parsePax(Buffer.from(text));
  expect(records === undefined ? undefined : [...records.values()].map(String)).toEqual(values);
});
