import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FLAVORS, type Field, mlmodelFile, tensor } from '../../harness/mlflow/mlmodel.ts';
import { json, type Reply } from '../../harness/mlflow/server.ts';
import { NAME } from '../../harness/mlflow/world.ts';
import { OF, OUTPUTS, refusalOf, TAGS, travelling, type Travelling } from './travelling.ts';

let world: Travelling;
afterEach(() => world.stop());

const page: Reply = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Sign in</title>',
};

describe('the tracking server', () => {
  it.each<[string, () => Reply, string]>([
    [
      'a login page',
      () => page,
      'answered 200 with a web page; MLFLOW_URL must be the address of the tracking server itself',
    ],
    ['a redirect', () => ({ status: 302, headers: { location: '/login' } }), 'redirects (302)'],
    [
      'an error with status 200',
      () => json(200, { error_code: 'INTERNAL_ERROR', message: 'database is locked' }),
      'INTERNAL_ERROR (database is locked)',
    ],
    ['JSON of another program', () => json(200, { status: 'ok' }), 'has no usable model_version'],
    ['a list', () => json(200, []), 'with no JSON'],
    [
      '401',
      () => ({ status: 401, body: 'You are not authenticated.' }),
      'it refuses our credentials; correct MLFLOW_USERNAME',
    ],
    ['403', () => json(403, { error_code: 'PERMISSION_DENIED', message: 'no' }), 'give the user the right, in MLflow'],
    ['another server', () => ({ status: 404, body: '<h1>Not Found</h1>' }), 'has no model registry at this address'],
    ['500', () => ({ status: 500, body: '<h1>Internal Server Error</h1>' }), 'it answered 500'],
    [
      'artifacts only',
      () => ({
        status: 503,
        body: 'Endpoint: /api/2.0 disabled due to the mlflow server running in `--artifacts-only` mode.',
      }),
      'disabled due to',
    ],
  ])('that answers %s is told in a sentence', async (_what, reply, sentence) => {
    world = await travelling('3.4', 'proxy');
    await world.log();
    world.tracking.interfere = reply;
    const error = await refusalOf(world, world.load('1'));
    expect(error).toMatchObject({ code: 'registry.unavailable', disposition: 'retryable' });
    expect(error.message).toContain(sentence);
    expect(error.message).toContain('MLFLOW_URL');
  });

  it('that lists versions in a circle is not followed', async () => {
    world = await travelling('3.4', 'proxy');
    world.tracking.interfere = () => json(200, { next_page_token: 'again' });
    expect((await refusalOf(world, world.mlflow.source.versions(OF))).message).toContain('pages in a circle');
  });
});

describe('versions', () => {
  it.each([
    [
      'PENDING_REGISTRATION',
      'registry.unavailable',
      'is still being registered in MLflow, PENDING_REGISTRATION (copying)',
    ],
    [
      'FAILED_REGISTRATION',
      'model.invalid',
      'is FAILED_REGISTRATION in MLflow (copying), and only READY ones can travel',
    ],
  ])('that are %s do not travel', async (status, code, sentence) => {
    world = await travelling('3.4', 'proxy');
    const version = await world.log();
    Object.assign(version, { status, statusMessage: 'copying' });
    world.crown(version);
    const asks = [world.load('1'), world.mlflow.source.files(OF, '1'), world.mlflow.source.champion(OF)];
    for (const ask of asks)
      expect(await refusalOf(world, ask)).toMatchObject({ code, message: expect.stringContaining(sentence) });
    expect(await world.mlflow.source.versions(OF)).toEqual([]);
    expect((await world.mlflow.source.examine(OF)).join()).toContain(sentence);
  });

  it('are looked for under the name that is there', async () => {
    world = await travelling('3.4', 'proxy');
    const of = { ...OF, source: { registry: 'mlflow', name: 'credit', alias: 'champion' } } as const;
    for (const ask of [
      world.mlflow.source.versions(of),
      world.mlflow.source.champion(of),
      world.mlflow.source.load(of, '1'),
    ])
      expect(await refusalOf(world, ask)).toMatchObject({
        code: 'model.unknown',
        message: expect.stringContaining(`it has: ${NAME}`),
      });
    expect(await world.mlflow.source.examine(of)).toEqual([expect.stringContaining('no registered model "credit"')]);
  });

  it('without the alias are nobody, and that is said', async () => {
    world = await travelling('3.4', 'proxy');
    expect(await world.mlflow.source.examine(OF)).toEqual([
      `Registered model ${NAME} has no version that is READY; register one.`,
    ]);
    world.crown(await world.log(), 'challenger');
    expect(await world.mlflow.source.champion(OF)).toBeUndefined();
    expect(await world.mlflow.source.examine(OF)).toEqual([
      `No version of ${NAME} has the alias champion; give it to the one that is to be deployed.`,
    ]);
  });
});

describe('artifacts', () => {
  it.each(['proxy', 's3', 'gs'] as const)('that break off at 90 %% in %s leave nothing', async (store) => {
    world = await travelling('3.4', store);
    await world.log();
    const server = { proxy: world.tracking, s3: world.s3, gs: world.gcs }[store];
    server.interfere = async ({ rawPath, url }, real) => {
      const reply = await real();
      const isFile = decodeURIComponent(rawPath).endsWith('large.bin') && url.searchParams.get('path') === null;
      return isFile ? { ...reply, cutAfter: Math.floor(Buffer.from(reply.body ?? '').length * 0.9) } : reply;
    };
    const error = await refusalOf(world, world.load('1'));
    expect(error).toMatchObject({ code: 'registry.unavailable', disposition: 'retryable' });
    expect(error.message).toMatch(/large\.bin/);
  });

  it.each([
    ['shorter', -1, 'and 299999 came'],
    ['longer', 1, 'and more than 300000 came'],
  ])('that are %s than they were listed are not taken', async (_what, by, sentence) => {
    world = await travelling('3.4', 'proxy');
    await world.log();
    world.tracking.interfere = async ({ rawPath }, real) => {
      const reply = await real();
      if (!rawPath.endsWith('large.bin')) return reply;
      const bytes = Buffer.from(reply.body ?? '');
      return { ...reply, body: by < 0 ? bytes.subarray(1) : Buffer.concat([bytes, Buffer.alloc(by)]) };
    };
    expect(await refusalOf(world, world.load('1'))).toMatchObject({
      code: 'registry.unavailable',
      message: expect.stringContaining(sentence),
    });
  });

  it.each([
    ['../x', false],
    ['..', true],
    ['/etc', true],
    ['a/b', true],
    ['data\\x', false],
    ['x\u0000y', false],
  ])('named %j (a folder: %s) are refused', async (name, isFolder) => {
    world = await travelling('3.4', 'proxy');
    await world.log();
    world.tracking.interfere = async ({ url }, real) => {
      const reply = await real();
      if (!url.pathname.endsWith('/mlflow-artifacts/artifacts')) return reply;
      const { files = [] } = JSON.parse(String(reply.body)) as { files?: unknown[] };
      return json(200, { files: [...files, { path: name, is_dir: isFolder, ...(isFolder ? {} : { file_size: 1 }) }] });
    };
    const error = await refusalOf(world, world.load('1'));
    expect(error).toMatchObject({ code: 'model.invalid', disposition: 'terminal' });
    expect(error.message).toContain(JSON.stringify(name));
  });

  it('that climb out of their folder in a bucket are refused, before one is fetched', async () => {
    world = await travelling('2.9', 's3');
    const version = await world.log();
    world.s3.objects.set(`mlflow/1/${version.runId}/artifacts/model/../x`, Buffer.from('x'));
    expect((await refusalOf(world, world.load('1'))).message).toContain('leads out of the folder: "../x"');
    expect(world.s3.seen).toEqual(['GET /models/']);
  });

  it('that are links are refused', async () => {
    world = await travelling('2.9', 'file');
    const version = await world.log();
    const root = join(world.fileRoot, '1', String(version.runId), 'artifacts', 'model');
    symlinkSync('/etc/hostname', join(root, 'data', 'model', 'assets', 'secret.txt'));
    expect((await refusalOf(world, world.load('1'))).message).toContain(
      'assets/secret.txt among the artifacts is a link',
    );
    symlinkSync('/etc', join(world.fileRoot, 'etc'));
    version.location = `file://${join(world.fileRoot, 'etc')}`;
    expect((await refusalOf(world, world.load('1'))).message).toContain('is not below MLFLOW_FILE_ROOT');
  });

  it('in buckets that do not know us are told in a sentence', async () => {
    world = await travelling('2.9', 's3', { AWS_SECRET_ACCESS_KEY: 'another secret' });
    const version = await world.log();
    const refused = await refusalOf(world, world.load('1'));
    expect(refused.message).toContain(
      'answered 403 SignatureDoesNotMatch: the key of AWS_ACCESS_KEY_ID may not list it',
    );
    expect(refused.message).not.toContain('another secret');
    version.location = 's3://elsewhere/model';
    world.s3.interfere = () => ({ status: 404, body: '<Error><Code>NoSuchBucket</Code></Error>' });
    expect((await refusalOf(world, world.load('1'))).message).toContain('there is no such bucket at S3_ENDPOINT_URL');
    world.s3.interfere = () => page;
    expect((await refusalOf(world, world.load('1'))).message).toContain('that is no listing of a bucket');
  });

  it('of Google need a token, which is asked for once and anew when it has ended', async () => {
    world = await travelling('2.9', 'gs');
    await world.log();
    await Promise.all([world.load('1'), world.load('1')]);
    expect(world.gcs.seen.filter((one) => one === 'POST /token')).toHaveLength(1);
    await world.stop();
    world = await travelling('2.9', 'gs');
    await world.log();
    world.gcs.interfere = ({ url }) => (url.pathname === '/token' ? json(200, { error: 'invalid_grant' }) : undefined);
    const error = await refusalOf(world, world.load('1'));
    expect(error).toMatchObject({ code: 'registry.unavailable' });
    expect(error.message).toContain('it answered 200 invalid_grant; make a new key for the service account');
    world.gcs.interfere = ({ url }) => (url.pathname === '/token' ? undefined : json(403, {}));
    expect((await refusalOf(world, world.load('1'))).message).toContain('give it the role Storage Object Viewer');
  });

  it.each<[string, Parameters<Travelling['log']>[0], string]>([
    [
      'a Keras file',
      { at: 'x/', without: ['x/saved_model.pb'], more: { 'data/model.keras': Buffer.from('PK') } },
      'hold a Keras file (data/model.keras)',
    ],
    ['two SavedModels', { at: 'a/', more: { 'b/saved_model.pb': Buffer.from('') } }, 'have 2 SavedModels (a, b)'],
    [
      'scikit-learn',
      { mlmodel: mlmodelFile(FLAVORS.sklearn), at: 'x/', without: ['x/saved_model.pb'] },
      '(flavours: sklearn, python_function)',
    ],
    ['a broken MLmodel', { mlmodel: Buffer.from('flavors: [') }, 'The file MLmodel of'],
    [
      'another signature',
      { mlmodel: mlmodelFile(FLAVORS.keras, [{ type: 'datetime' }, { type: 'string', name: '' }]) },
      'without a name',
    ],
  ])('that are %s are refused', async (_what, logged, sentence) => {
    world = await travelling('2.9', 'proxy');
    await world.log(logged);
    expect(await refusalOf(world, world.load('1'))).toMatchObject({
      code: 'model.invalid',
      message: expect.stringContaining(sentence),
    });
  });
});

describe('what MLflow tells about a model', () => {
  const problemsOf = async (logged: Parameters<Travelling['log']>[0]) => {
    world = await travelling('3.4', 'proxy');
    await world.log(logged);
    const error = await refusalOf(world, world.load('1'));
    expect(error).toMatchObject({ code: 'model.invalid', disposition: 'terminal' });
    const problems = error.detail['problems'] as readonly string[];
    for (const problem of problems) expect(error.message).toContain(problem);
    const examined = await world.mlflow.source.examine(OF);
    for (const problem of problems) expect(examined.join('\n')).toContain(problem);
    return problems;
  };

  it.each<[string, readonly Field[], readonly Field[] | undefined, readonly string[]]>([
    [
      'a wrong type',
      [tensor('X', 'float64', [-1, 1])],
      OUTPUTS,
      ['input X is float64 in the MLflow signature but DT_FLOAT'],
    ],
    [
      'a wrong shape',
      [tensor('X', 'float32', [-1, 13])],
      OUTPUTS,
      ['input X is [-1, 13] in the MLflow signature but [-1, 1]'],
    ],
    [
      'a column of text',
      [{ name: 'X', type: 'string' }],
      undefined,
      ['input X is string in the MLflow signature but DT_FLOAT'],
    ],
    [
      'other names',
      [tensor('LOAN', 'float32', [-1, 1])],
      [tensor('P', 'float32', [-1, 1])],
      [
        'input LOAN is in the MLflow signature but not in the signature',
        'input X is in the signature but not in the MLflow signature',
        'output P is in the MLflow signature but not in the signature',
        'output P_BAD1 is in the signature but not in the MLflow signature',
      ],
    ],
  ])('must be true: %s', async (_what, inputs, outputs, sentences) => {
    const problems = await problemsOf({ mlmodel: mlmodelFile(FLAVORS.keras, inputs, outputs) });
    expect(problems).toHaveLength(sentences.length);
    for (const sentence of sentences) expect(problems.join('\n')).toContain(sentence);
  });

  it('must be whole: each tag that is missing, and the baseline', async () => {
    const problems = await problemsOf({ tags: { 'fairway.target': 'BAD' }, without: ['baseline.json'] });
    expect(problems).toHaveLength(3);
    for (const part of [
      'tag fairway.event is missing: set it',
      'tag fairway.probability is missing',
      'baseline.json is missing',
    ])
      expect(problems.join('\n')).toContain(part);
  });

  it('must fit: the probability is an output', async () => {
    const problems = await problemsOf({ tags: { ...TAGS, 'fairway.probability': 'P_BAD' } });
    expect(problems).toEqual([expect.stringContaining('P_BAD is no output of the signature')]);
  });

  it('must be true beside files as well', async () => {
    const inputVar = Buffer.from(JSON.stringify([{ name: 'X', type: 'decimal', role: 'input' }]));
    const mlmodel = mlmodelFile(FLAVORS.keras, [tensor('X', 'int64', [-1, 1])], OUTPUTS);
    const problems = await problemsOf({ mlmodel, more: { 'inputVar.json': inputVar } });
    expect(problems).toEqual([expect.stringContaining('input X is int64 in the MLflow signature but DT_FLOAT')]);
  });
});
