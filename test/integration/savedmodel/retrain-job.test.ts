import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Loan } from '../../../examples/home-equity/src/index.ts';
import { generateQuarter, generateTraining, INPUTS, trainHomeEquity } from '../../../examples/home-equity/src/index.ts';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { sha256 } from '../../../packages/core/src/index.ts';
import { readRegistration } from '../../../packages/savedmodel/src/index.ts';

const MAIN = fileURLToPath(new URL('../../../examples/home-equity/src/train-main.ts', import.meta.url));
const DAY = 86_400_000;

let dir: string;
let csv: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fairway-retrain-'));
  await trainHomeEquity({ rows: generateTraining(7), seed: 7, registryDir: join(dir, 'registry'), version: '1' });
  csv = snapshot([generateQuarter(7, 1), generateQuarter(7, 4)]);
  await writeFile(join(dir, 'snapshot.csv.gz'), gzipSync(csv));
});
afterAll(() => rm(dir, { recursive: true }));

/** A snapshot as the monitor writes it: quarters one after the other, ids and times made up. */
function snapshot(quarters: readonly (readonly Loan[])[]): string {
  const lines = quarters.flatMap((loans, k) =>
    loans.map((loan, i) => {
      const time = new Date(Date.UTC(2026, 0, 1) + k * 91 * DAY + Math.floor((i / loans.length) * 91 * DAY));
      const inputs = INPUTS.map((name) => loan[name] ?? '');
      return [`e${k}-${i}`, time.toISOString(), '1', ...inputs, 0.5, loan.BAD].join(',');
    }),
  );
  return `${['id,time,version', ...INPUTS, 'P_BAD1,BAD'].join(',')}\n${lines.join('\n')}\n`;
}

type Ended = { code: number | null; lines: Array<Record<string, unknown>>; stderr: string };

async function runJob(overrides: Record<string, string> = {}): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'],
    FAIRWAY_MODEL: 'home-equity',
    FAIRWAY_CHANGE: 'c1',
    FAIRWAY_SNAPSHOT: join(dir, 'snapshot.csv.gz'),
    FAIRWAY_SNAPSHOT_SHA256: sha256(csv),
    FAIRWAY_REGISTRY: join(dir, 'registry'),
    FAIRWAY_CHAMPION_VERSION: '1',
    FAIRWAY_GATE_MARGIN: '0.01',
    FAIRWAY_SEED: '7',
    ...overrides,
  };
  const argv = await runnable(MAIN);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argv, { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => {
      const lines = stdout
        .trim()
        .split('\n')
        .filter((line) => line !== '');
      resolve({ code, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stderr });
    });
  });
}

const versions = async () => (await readdir(join(dir, 'registry/home-equity'))).sort();

test('a gate that no candidate passes leaves the registry alone, exit 10', async () => {
  const { code, lines } = await runJob({ FAIRWAY_GATE_MARGIN: '0.5' });
  expect(code).toBe(10);
  expect(lines.at(-1)?.['reason']).toMatch(
    /^The candidate's AUC of 0\.\d{4} on held-out loans (exceeds the 0\.\d{4} of version 1 by 0\.\d{4}|lies 0\.\d{4} below the 0\.\d{4} of version 1) \(95 %: -?0\.\d{4} to -?0\.\d{4}\); asked for was a difference of at least 0\.5\. The champion stays\./,
  );
  expect(await versions()).toEqual(['1']);
});

test('a better candidate becomes the next version, and the same change again is no second one', async () => {
  const first = await runJob();
  expect(first.code).toBe(0);
  expect(first.lines.map(({ msg }) => msg)).toEqual(['snapshot verified', 'candidate registered']);
  const { champion, candidate } = first.lines[1] as { champion: { auc: number }; candidate: { auc: number } };
  expect(candidate.auc).toBeGreaterThan(champion.auc + 0.05);
  expect(await versions()).toEqual(['1', '2']);
  const registered = await readRegistration(join(dir, 'registry/home-equity/2'), {
    model: 'home-equity',
    version: '2',
  });
  expect(registered).toMatchObject({
    change: 'c1',
    baseline: { source: sha256(csv) },
    metrics: { auc: candidate.auc },
  });
  const again = await runJob();
  expect(again.code).toBe(0);
  expect(again.lines.at(-1)).toMatchObject({ outcome: 'already-registered', version: '2' });
  expect(await versions()).toEqual(['1', '2']);
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    'another snapshot than approved',
    { FAIRWAY_SNAPSHOT_SHA256: 'f'.repeat(64) },
    /does not hold the data of the approved retraining/,
  ],
  ['no snapshot', { FAIRWAY_SNAPSHOT: 'none.csv.gz' }, /^There is no snapshot none.csv.gz/],
  ['no gzip', { FAIRWAY_SNAPSHOT: MAIN }, /is no gzip file/],
  ['no champion', { FAIRWAY_CHANGE: 'c2', FAIRWAY_CHAMPION_VERSION: '9' }, /^There is no saved_model.pb in/],
  [
    'a wrong environment',
    { FAIRWAY_GATE_MARGIN: 'x', FAIRWAY_SEED: '' },
    /FAIRWAY_GATE_MARGIN must be a number.*\n.*FAIRWAY_SEED is not set/,
  ],
])('%s ends with one sentence and exit 1', async (_, overrides, reason) => {
  const { code, lines, stderr } = await runJob(overrides);
  expect(code).toBe(1);
  expect(lines.at(-1)?.['reason']).toMatch(reason);
  expect(stderr).toBe('');
  expect(await versions()).toEqual(['1', '2']);
});
