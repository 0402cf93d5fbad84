import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { prepareSnapshots } from './files.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-snapshots-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('takes away what a killed process left, and leaves alone what another replica may be writing', async () => {
  const directory = join(folder, 'made');
  const now = Date.parse('2026-07-01T12:00:00Z');
  await prepareSnapshots(directory, { now: () => now });
  for (const [name, age] of [
    ['.m-1-prod-a.partial', 3_601],
    ['.m-1-prod-b.partial', 3_599],
    ['m-1-prod.csv.gz', 90_000],
  ] as const) {
    writeFileSync(join(directory, name), '');
    utimesSync(join(directory, name), now / 1000 - age, now / 1000 - age);
  }
  await prepareSnapshots(directory, { now: () => now });
  expect(readdirSync(directory)).toEqual(['.m-1-prod-b.partial', 'm-1-prod.csv.gz']);
});
