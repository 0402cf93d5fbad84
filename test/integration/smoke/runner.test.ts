import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generateTraining, INPUTS, type Loan, trainHomeEquity } from '../../../examples/home-equity/src/index.ts';
import { toGraph } from '../../../examples/home-equity/src/saved-model.ts';
import { loadModelVersion, writeSavedModel } from '../../../packages/savedmodel/src/index.ts';
import { RECORDED, RECORDED_WEIGHTS } from '../savedmodel/recorded.ts';
import { runSmokeTest, startServing } from './programs.ts';

const MODEL = 'home-equity';
let dir: string;
/** TensorFlow Serving with the recorded model as version 7, and with one that the example has trained as version 8. */
let recorded: Awaited<ReturnType<typeof startServing>>;
let trained: Awaited<ReturnType<typeof startServing>>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fairway smoke '));
  const { graph, signatures } = toGraph(RECORDED_WEIGHTS);
  await writeSavedModel(join(dir, 'recorded', MODEL, '7'), graph, signatures);
  const rows = generateTraining(3).slice(0, 1_500);
  await trainHomeEquity({ rows, seed: 1, registryDir: join(dir, 'trained'), version: '8' });
  [recorded, trained] = await Promise.all([
    startServing(join(dir, 'recorded'), MODEL),
    startServing(join(dir, 'trained'), MODEL),
  ]);
});
afterAll(async () => {
  await Promise.all([recorded, trained].map(({ stop }) => stop()));
  await rm(dir, { recursive: true });
});

const env = (version: string, more: Record<string, string> = {}) => ({
  FAIRWAY_MODEL: MODEL,
  FAIRWAY_VERSION: version,
  SMOKE_URL: version === '7' ? recorded.url : trained.url,
  ...more,
});

const cell = (name: string, value: string | number | null): string =>
  name === 'REASON' || name === 'JOB' ? JSON.stringify(value ?? '') : String(value ?? Number.NaN);
const byColumn = (rows: readonly Loan[]): string =>
  `{${INPUTS.map((name) => `"${name}":[${rows.map((row) => cell(name, row[name])).join(',')}]`).join(',')}}`;
const byRow = (rows: readonly Loan[]): string =>
  `[${rows.map((row) => `{${INPUTS.map((name) => `"${name}":${cell(name, row[name])}`).join(',')}}`).join(',')}]`;
const { rows, outputs } = RECORDED;

it('is content where the server answers what TensorFlow itself computed, in either form', async () => {
  const golden = [
    `{"name":"columns","inputs":${byColumn(rows)},"outputs":${JSON.stringify(outputs)}}`,
    `{"name":"rows","instances":${byRow(rows)},"outputs":${JSON.stringify(outputs)}}`,
  ].join('\n');
  const ran = await runSmokeTest(golden, env('7'));
  expect(ran).toMatchObject({ code: 0, lastWord: '' });
  expect(ran.output).toBe(
    'ok golden.jsonl line 1 (columns)\nok golden.jsonl line 2 (rows)\nAll 2 golden cases of home-equity version 7 were answered as wanted.\n',
  );
});

it('names the case that is answered otherwise, and leaves it as its last word', async () => {
  const [first] = rows as [Loan, ...Loan[]];
  const wanted = { P_BAD1: [outputs.P_BAD1[0] as number], I_BAD: [1 - (outputs.I_BAD[0] as number)] };
  const golden = [
    `{"name":"right","inputs":${byColumn([first])},"outputs":{"P_BAD1":[${wanted.P_BAD1[0]}]}}`,
    `{"name":"wrong class","inputs":${byColumn([first])},"outputs":${JSON.stringify(wanted)}}`,
    `{"inputs":{"LOAN":[1]},"outputs":{"P_BAD1":[1]}}`,
  ].join('\n');
  const ran = await runSmokeTest(golden, env('7'));
  expect(ran.code).toBe(1);
  expect(ran.lastWord).toContain(
    '2 of 3 golden cases of home-equity version 7 failed: golden.jsonl line 2 (wrong class): I_BAD[0] is',
  );
  expect(ran.lastWord).toContain('| golden.jsonl line 3: HTTP 400: "Missing named input');
  expect(ran.output).toContain('ok golden.jsonl line 1 (right)\n');
  expect(ran.output).toContain(`${ran.lastWord}\n`);
});

it("agrees with what the example's trainer registers with a version", async () => {
  const folder = join(dir, 'trained', MODEL, '8');
  const { golden = '' } = await loadModelVersion(folder, { model: MODEL, version: '8' });
  expect(golden).toBe(await readFile(join(folder, 'golden.jsonl'), 'utf8'));
  const ran = await runSmokeTest(golden, env('8'));
  expect(ran).toMatchObject({ code: 0, lastWord: '' });
  expect(ran.output).toContain('ok golden.jsonl line 1 (nothing is known)\n');
  // Another version does not think the same of those people.
  const other = await runSmokeTest(golden, env('7'));
  expect(other.code).toBe(1);
});

it('asks nothing when the file is another one than was merged, or its settings are wrong', async () => {
  const golden = `{"inputs":${byColumn(rows)},"outputs":{"P_BAD1":[1]}}`;
  const stale = await runSmokeTest(golden, env('7', { GOLDEN_SHA256: '0'.repeat(64) }));
  expect(stale.code).toBe(2);
  expect(stale.lastWord).toMatch(/^GOLDEN_CASES holds other cases .* sync again\.$/);
  const unset = await runSmokeTest(golden, env('7', { SMOKE_URL: '', FAIRWAY_VERSION: '' }));
  expect(unset.code).toBe(2);
  expect(unset.lastWord).toMatch(/FAIRWAY_VERSION is not set[^]*SMOKE_URL is not set/);
});
