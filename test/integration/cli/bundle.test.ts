import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

type Bundle = (main: string, folder: string) => Promise<string | undefined>;
let bundle: Bundle;
let dir: string;
beforeEach(async () => {
  // Plain JavaScript beside the sources: any Node can read it.
  ({ bundle } = (await import(new URL('../../../packages/cli/bin/bundle.js', import.meta.url).href)) as {
    bundle: Bundle;
  });
  dir = mkdtempSync(join(tmpdir(), 'fairway bundle '));
  mkdirSync(join(dir, 'src'));
  writeFileSync(
    join(dir, 'src', 'main.ts'),
    "const { word } = await import('./word.ts'); console.log(word as string);\n",
  );
  writeFileSync(join(dir, 'src', 'word.ts'), "export const word: string = 'first';\n");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const made = () => bundle(join(dir, 'src', 'main.ts'), join(dir, 'cache'));
const said = (file = ''): string => spawnSync(process.execPath, [file], { encoding: 'utf8' }).stdout.trim();

it('is made once, and anew when a source has changed', async () => {
  const first = await made();
  expect(said(first)).toBe('first');
  expect(await made()).toBe(first);
  writeFileSync(join(dir, 'src', 'word.ts'), "export const word: string = 'second';\n");
  const second = await made();
  expect(second).not.toBe(first);
  expect(said(second)).toBe('second');
  // The first is kept for whoever still runs it.
  expect(said(first)).toBe('first');
});

it('is the same for all who make it at once, and leaves no halves', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, made));
  expect(new Set(all).size).toBe(1);
  expect(said(all[0])).toBe('first');
  expect(readdirSync(join(dir, 'cache')).filter((name) => name.startsWith('.half'))).toEqual([]);
});

it('is not needed: sources that cannot be bundled are run as they are', async () => {
  writeFileSync(join(dir, 'src', 'word.ts'), 'export const word: = ;\n');
  expect(await made()).toBeUndefined();
  writeFileSync(join(dir, 'cache'), 'no folder');
  writeFileSync(join(dir, 'src', 'word.ts'), "export const word: string = 'third';\n");
  expect(await made()).toBeUndefined();
});
