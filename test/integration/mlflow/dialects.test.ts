import { digestTree } from '@fairway/savedmodel';
import { afterEach, describe, expect, it } from 'vitest';
import { FLAVORS, mlmodelFile, tensor } from '../../harness/mlflow/mlmodel.ts';
import type { Dialect } from '../../harness/mlflow/tracking.ts';
import { NAME, type Store } from '../../harness/mlflow/world.ts';
import { INPUTS, OF, OUTPUTS, refusalOf, TAGS, travelling, type Travelling } from './travelling.ts';

let world: Travelling;
afterEach(() => world.stop());
const start = async (dialect: Dialect, store: Store, more?: Readonly<Record<string, string>>) => {
  world = await travelling(dialect, store, more);
  return world;
};

describe.each(['2.2', '2.9', '3.4'] as const)('MLflow %s', (dialect) => {
  it.each(['proxy', 's3', 'gs', 'file'] as const)('gives a version whose artifacts are in %s', async (store) => {
    const { log, load, left, mlflow } = await start(dialect, store);
    const { version } = await log();
    const { modelVersion, baseline, answerTo } = await load(version);
    expect(modelVersion).toMatchObject({
      model: 'home-equity',
      version,
      label: `${NAME} v1`,
      origin: `mlflow:${NAME}/1`,
      target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
      variables: [
        { name: 'X', type: 'decimal', role: 'input' },
        { name: 'P_BAD1', type: 'decimal', role: 'output' },
      ],
    });
    expect(baseline).toMatchObject({ model: 'home-equity', version: '1' });
    expect(answerTo).toBe('mlflow:credit.home%20equity/1');
    const files = await mlflow.source.files(OF, version);
    expect(await digestTree(files.folder)).toBe(modelVersion.digest);
    await files.dispose();
    expect(left()).toEqual([]);
  });
});

it('takes the stage for the alias on a server without aliases, and says so', async () => {
  const { log, mlflow, tracking } = await start('2.2', 'proxy');
  const first = await log();
  const second = await log();
  expect(await mlflow.source.champion(OF)).toBeUndefined();
  first.stage = 'Production';
  first.updatedAt = Date.parse('2026-03-01T10:00:00Z');
  const champion = await mlflow.source.champion(OF);
  expect(champion).toMatchObject({ version: '1', at: '2026-03-01T10:00:00.000Z' });
  second.stage = 'Production';
  expect(await mlflow.source.champion(OF)).toMatchObject({ version: '2' });
  const [problem, ...others] = await mlflow.source.examine(OF);
  expect(others).toEqual([]);
  expect(problem).toContain('knows no aliases: stage Production, which version 2 has, stands for alias champion');
  const other = { ...OF, source: { registry: 'mlflow', name: NAME, alias: 'blue' } } as const;
  expect(await mlflow.source.champion(other)).toBeUndefined();
  expect((await mlflow.source.examine(other))[0]).toContain('set alias in source of model.yaml to champion');
  expect(tracking.seen.filter((one) => one.includes('logged-models'))).toEqual([]);
});

it('says who has given the alias only where a tag tells, and no answer of ours makes another decision', async () => {
  const { log, crown, mlflow } = await start('2.9', 'proxy');
  const version = await log();
  crown(version);
  const before = await mlflow.source.champion(OF);
  expect(before).toEqual({
    version: '1',
    label: `${NAME} v1`,
    fingerprint: expect.stringMatching(/^mlflow:1:[0-9a-f]{64}$/),
    answerTo: 'mlflow:credit.home%20equity/1',
    names: { name: NAME, version: '1', alias: 'champion' },
  });
  await mlflow.setTag(NAME, '1', 'fairway.prod.outcome', 'live');
  await mlflow.setTag(NAME, '1', 'fairway.approved_by', 'ann@example.com');
  await mlflow.setTag(NAME, '1', 'fairway.approved_at', '2026-03-02T12:00:00+02:00');
  version.updatedAt += 1_000;
  expect(await mlflow.source.champion(OF)).toEqual({
    ...before,
    actor: 'ann@example.com',
    at: '2026-03-02T10:00:00.000Z',
  });
});

it('lists ready versions only, in the order of their numbers, over many pages', async () => {
  const { log, mlflow, tracking, register } = await start('3.4', 'proxy');
  await log();
  for (let n = 2; n <= 11; n += 1) register(new Map()).status = n === 5 ? 'PENDING_REGISTRATION' : 'READY';
  tracking.pageSize = 3;
  const found = await mlflow.source.versions(OF);
  expect(found.map(({ version }) => version)).toEqual(['1', '2', '3', '4', '6', '7', '8', '9', '10', '11']);
  expect(found[0]).toEqual({ version: '1', label: `${NAME} v1`, at: '2026-05-28T20:26:40.000Z' });
});

it.each([
  ['the run', (): string => `runs:/${'1'.padStart(32, '0')}/model`, '2.9'],
  ['the logged model', (): string => `models:/m-${'1'.padStart(32, '0')}`, '3.4'],
  ['another version', (): string => `models:/${NAME}/1`, '3.4'],
  [
    'the proxy by its address',
    (at: Travelling) =>
      `${at.tracking.url}/api/2.0/mlflow-artifacts/artifacts/1/models/m-${'1'.padStart(32, '0')}/artifacts`,
    '3.4',
  ],
  [
    'the proxy by its host',
    (at: Travelling) =>
      `mlflow-artifacts://${new URL(at.tracking.url).host}/1/models/m-${'1'.padStart(32, '0')}/artifacts/`,
    '3.4',
  ],
] as const)('follows a location that names %s', async (_what, location, dialect) => {
  const { log, load, register } = await start(dialect, 'proxy');
  await log();
  register(new Map(), TAGS).location = location(world);
  expect((await load('2')).modelVersion.digest).toBe((await load('1')).modelVersion.digest);
});

it.each([
  ['mlflow-artifacts://elsewhere.example.com/1/model', 'is on another server than MLFLOW_URL'],
  [
    'https://elsewhere.example.com/api/2.0/mlflow-artifacts/artifacts/1/model',
    'is not on the MLflow server of MLFLOW_URL',
  ],
  ['mlflow-artifacts:/1/../../etc', 'has no plain path'],
  ['s3://models/../x', 'has no plain path'],
  ['dbfs:/models/1', 'is in dbfs:, where Fairway cannot read'],
  ['./mlruns/1/model', 'is a path on the machine of the tracking server'],
  ['file:///etc', 'is not below MLFLOW_FILE_ROOT'],
  [`models:/${NAME}/1`, 'leads in a circle'],
  ['models:/m', 'names neither a logged model nor a version'],
])('refuses a location %s', async (location, sentence) => {
  const { log, load } = await start('3.4', 'proxy');
  (await log()).location = location;
  expect(await refusalOf(world, load('1'))).toMatchObject({
    code: 'model.invalid',
    message: expect.stringContaining(sentence),
  });
});

it.each([
  [
    's3',
    { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '', S3_ENDPOINT_URL: '' },
    'set AWS_ACCESS_KEY_ID',
  ],
  ['gs', { GOOGLE_APPLICATION_CREDENTIALS: '' }, 'set GOOGLE_APPLICATION_CREDENTIALS'],
  ['file', { MLFLOW_FILE_ROOT: '' }, 'set MLFLOW_FILE_ROOT'],
] as const)('says which setting opens %s', async (store, env, sentence) => {
  const { log, load } = await start('2.9', store, env);
  await log();
  expect(await refusalOf(world, load('1'))).toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining(sentence),
  });
});

it('pages through the objects of buckets', async () => {
  for (const store of ['s3', 'gs'] as const) {
    const { log, load, s3, gcs, stop } = await start('2.9', store);
    const more = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [`data/model/assets/ä +${n}&'(!).txt`, Buffer.from(String(n))]),
    );
    await log({ more });
    const whole = (await load('1')).modelVersion.digest;
    s3.pageSize = 2;
    gcs.pageSize = 2;
    expect((await load('1')).modelVersion.digest).toBe(whole);
    await stop();
  }
  world = await travelling('2.9', 'proxy');
});

it.each([
  ['estimator', 'tfmodel/'],
  ['module', 'tf2model/'],
  ['exported', 'data/model/'],
] as const)('finds the SavedModel of flavour %s', async (flavor, at) => {
  const { log, load } = await start('2.9', 'proxy');
  await log({ at, mlmodel: mlmodelFile(FLAVORS[flavor], INPUTS, OUTPUTS) });
  expect((await load('1')).modelVersion.version).toBe('1');
});

it('names the only tensor of a signature without names, and takes golden cases along', async () => {
  const { log, load, mlflow } = await start('3.4', 'proxy');
  const unnamed = [tensor(undefined, 'float32', [-1, 1])];
  const golden = `${JSON.stringify({ name: 'one', request: { instances: [{ X: [1] }] }, expect: { predictions: [[1]] } })}\n`;
  await log({ mlmodel: mlmodelFile(FLAVORS.keras, unnamed, unnamed) });
  expect((await load('1')).modelVersion.variables.map(({ name }) => name)).toEqual(['X', 'P_BAD1']);
  await log({ more: { 'golden.jsonl': Buffer.from(golden) } });
  const digestOf = async (version: string) => {
    const given = await mlflow.source.files(OF, version);
    try {
      return await digestTree(given.folder);
    } finally {
      await given.dispose();
    }
  };
  expect(await digestOf('2')).toBe(await digestOf('1'));
});

it('tells by tags of the registered model what holds for all its versions', async () => {
  const { log, load, tracking } = await start('3.4', 'proxy');
  for (const [key, value] of Object.entries(TAGS)) tracking.models.get(NAME)?.tags.set(key, value);
  await log({ tags: { 'fairway.event': 'bad' } });
  expect((await load('1')).modelVersion.target).toEqual({ variable: 'BAD', event: 'bad', probability: 'P_BAD1' });
});
