import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readHigh } from './high-file.ts';
import { HighWaterFile } from './high-water.ts';

const PATIENCE = { timeout: 60_000, interval: 5 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairway-high-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const told = () => readHigh(directory, 'e1');
const within = (assertion: () => void): Promise<void> => vi.waitFor(assertion, PATIENCE);

test('the file is ahead of what is given, exact when nothing comes, and exact at the end', async () => {
  let taken = 0;
  const file = new HighWaterFile(directory, 'e1', () => taken);
  await within(() => expect(told()).toEqual({ high: 0, taken: 0 }));
  for (let seq = 1; seq <= 1000; seq++) file.reach(seq);
  await within(() => expect(told()?.high).toBeGreaterThanOrEqual(1000));
  taken = 990;
  file.reach(1001);
  await within(() => expect(told()).toEqual({ high: 1001, taken: 990 }));
  file.reach(1002);
  file.end();
  await within(() => expect(told()).toEqual({ high: 1002, taken: 990 }));
});

test('numbers given before the folder is there are written when it is', async () => {
  const file = new HighWaterFile(join(directory, 'new'), 'e1', () => 0);
  file.reach(1);
  file.reach(2);
  file.end();
  await within(() => expect(readHigh(join(directory, 'new'), 'e1')).toEqual({ high: 2, taken: 0 }));
});

test('a folder that cannot be used costs nothing', async () => {
  // None of ours: what is made beside the removal of a folder would be left in it.
  const folder = '/dev/null/folder';
  const file = new HighWaterFile(folder, 'e1', () => 0);
  file.reach(1);
  await new Promise(setImmediate);
  file.reach(2);
  file.end();
  expect(readHigh(folder, 'e1')).toBeUndefined();
});
