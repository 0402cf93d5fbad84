import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { watchFolder } from '../../../packages/gitops-writer/src/sources/directory/watch.ts';

const WAIT = { timeout: 60_000 };
let dir: string;
let registry: string;
let told: string[];
let watch: { stop(): void } | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-watch-'));
  registry = join(dir, 'registry');
  told = [];
});
afterEach(() => {
  watch?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const begin = () => {
  watch = watchFolder(registry, (model) => told.push(model));
};
const crown = (model: string, version: string) => {
  const file = join(registry, model, 'champion');
  writeFileSync(`${file}.new`, version);
  renameSync(`${file}.new`, file);
};

it('tells of a champion and of a version, and of many changes at once only once', async () => {
  mkdirSync(join(registry, 'home-equity'), { recursive: true });
  mkdirSync(join(registry, 'another'));
  begin();
  for (const version of ['1', '2', '3']) crown('home-equity', version);
  await expect.poll(() => told, WAIT).toEqual(['home-equity']);
  mkdirSync(join(registry, 'another', '.half-1'));
  renameSync(join(registry, 'another', '.half-1'), join(registry, 'another', '1'));
  await expect.poll(() => told, WAIT).toEqual(['home-equity', 'another']);
});

it('waits for a registry folder that is not there yet, and for one that is made anew', async () => {
  begin();
  mkdirSync(join(registry, 'home-equity'), { recursive: true });
  crown('home-equity', '1');
  await expect.poll(() => told, WAIT).toContain('home-equity');
  renameSync(registry, join(dir, 'unmounted'));
  told.length = 0;
  mkdirSync(join(registry, 'second'), { recursive: true });
  await expect.poll(() => told, WAIT).toContain('second');
  told.length = 0;
  crown('second', '1');
  await expect.poll(() => told, WAIT).toContain('second');
});
