import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Loan } from '../../../examples/home-equity/src/index.ts';
import { toGraph } from '../../../examples/home-equity/src/saved-model.ts';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { attr, graphBuilder, writeSavedModel } from '../../../packages/savedmodel/src/index.ts';
import { RECORDED, RECORDED_WEIGHTS } from '../savedmodel/recorded.ts';

const MAIN = fileURLToPath(new URL('../../../packages/cli/src/stack/serving/main.ts', import.meta.url));

type Serving = { readonly child: ChildProcess; readonly url: string; readonly firstLine: Record<string, unknown> };

/** Starts the embedded TensorFlow Serving on a free port; resolves with its first log line. */
async function start(basePath: string, model: string): Promise<Serving> {
  const env = { PATH: process.env['PATH'], MODEL_NAME: model, MODEL_BASE_PATH: basePath, REST_PORT: '0' };
  const child = spawn(process.execPath, await runnable(MAIN), { env });
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString();
      const found = text.split('\n').find((one) => /"port":.*}$|could not start"}$/.test(one));
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.on('close', () => reject(new Error(`The server ended without a word: ${text}`)));
  });
  const firstLine = JSON.parse(line) as Record<string, unknown>;
  return { child, url: `http://127.0.0.1:${String(firstLine['port'])}`, firstLine };
}

async function stop({ child }: Serving): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

let dir: string;
let serving: Serving;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fairway serving '));
  const { graph, signatures } = toGraph(RECORDED_WEIGHTS);
  for (const version of ['3', '12']) await writeSavedModel(join(dir, 'home-equity', version), graph, signatures);
  await mkdir(join(dir, 'home-equity', '.incoming'));
  serving = await start(dir, 'home-equity');
});
afterAll(async () => {
  await stop(serving);
  await rm(dir, { recursive: true });
});

/** A row as TensorFlow Serving's JSON takes it, with bare NaN for missing numbers. */
const instance = (loan: Loan): string => {
  const cells = Object.entries(loan).filter(([name]) => name !== 'BAD');
  const text = (name: string, value: string | number | null) =>
    name === 'REASON' || name === 'JOB' ? JSON.stringify(value ?? '') : String(value ?? Number.NaN);
  return `{${cells.map(([name, value]) => `"${name}":${text(name, value)}`).join(',')}}`;
};

async function call(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${serving.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
  return { status: response.status, type: response.headers.get('content-type'), text };
}

const MODEL = '/v1/models/home-equity';
const ROWS = `{"signature_name":"serving_default","instances":[${RECORDED.rows.map(instance).join(',')}]}`;

test('row form: the predictions of TensorFlow, in order', async () => {
  const { status, type, text } = await call('POST', `${MODEL}:predict`, ROWS);
  expect([status, type]).toEqual([200, 'application/json']);
  const { predictions } = JSON.parse(text) as { predictions: Array<Record<string, number>> };
  expect(predictions).toHaveLength(RECORDED.rows.length);
  for (const [i, row] of predictions.entries()) {
    expect(Object.keys(row)).toEqual(['I_BAD', 'P_BAD0', 'P_BAD1']);
    expect(row['P_BAD1']).toBeCloseTo(RECORDED.outputs.P_BAD1[i] as number, 5);
    expect(row['I_BAD']).toBe(RECORDED.outputs.I_BAD[i]);
  }
});

test('columnar form, a pinned version, gzip and any case of the path', async () => {
  const [first, second] = RECORDED.rows as [Loan, Loan];
  const names = Object.keys(first).filter((name) => name !== 'BAD');
  const cell = (loan: Loan, name: string) =>
    (instance(loan).match(new RegExp(`"${name}":([^,}]*)`)) as RegExpMatchArray)[1];
  const body = `{"inputs":{${names.map((name) => `"${name}":[${cell(first, name)},${cell(second, name)}]`).join(',')},"extra":1}}`;
  const plain = await call('POST', `${MODEL}/versions/12:predict`, body);
  expect(plain.status).toBe(200);
  const { outputs } = JSON.parse(plain.text) as { outputs: Record<string, number[]> };
  expect(outputs['P_BAD1']).toHaveLength(2);
  expect(outputs['P_BAD1']?.[1]).toBeCloseTo(RECORDED.outputs.P_BAD1[1] as number, 5);
  const zipped = await call('POST', '/V1/Models/home%2Dequity:PREDICT', new Uint8Array(gzipSync(body)), {
    'content-encoding': 'gzip',
  });
  expect(zipped.text).toBe(plain.text);
});

test('status and metadata: versions and sizes are strings', async () => {
  const available = { version: '12', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } };
  for (const path of [MODEL, `${MODEL}/versions/12`, `${MODEL}/labels/any`]) {
    expect(JSON.parse((await call('GET', path)).text)).toEqual({ model_version_status: [available] });
  }
  const metadata = JSON.parse((await call('GET', `${MODEL}/metadata`)).text) as {
    model_spec: unknown;
    metadata: {
      signature_def: { signature_def: Record<string, { inputs: Record<string, unknown>; method_name: string }> };
    };
  };
  expect(metadata.model_spec).toEqual({ name: 'home-equity', signature_name: '', version: '12' });
  const signature = metadata.metadata.signature_def.signature_def['serving_default'];
  expect(signature?.method_name).toBe('tensorflow/serving/predict');
  expect(signature?.inputs['JOB']).toEqual({
    dtype: 'DT_STRING',
    tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false },
    name: 'serving_default_JOB:0',
  });
});

const GOOD = `{"instances":[${instance(RECORDED.rows[0] as Loan)}]}`;

test.each<[string, string, string | undefined, number, RegExp]>([
  ['POST', `${MODEL}:predict`, '', 400, /^JSON Parse error: The document is empty$/],
  ['POST', `${MODEL}:predict`, '{"instances":[{"LOAN":1}]}', 400, /keys must be equal to: CLAGE,/],
  ['POST', `${MODEL}:predict`, '{"signature_name":"x","instances":[1]}', 400, /^Serving signature name: "x" not found/],
  ['POST', `${MODEL}:predict?x=1`, GOOD, 400, /^Malformed request: POST .*\?x=1$/],
  ['POST', `${MODEL}/versions/3:predict`, GOOD, 404, /^Servable not found for request: Specific\(home-equity, 3\)$/],
  ['POST', '/v1/models/none:predict', GOOD, 404, /^Servable not found for request: Latest\(none\)$/],
  ['POST', `${MODEL}/labels/canary:predict`, GOOD, 400, /^Unrecognized servable version label: canary$/],
  ['POST', `${MODEL}:classify`, '{"examples":[{}]}', 400, /^Expected classification signature/],
  ['DELETE', MODEL, undefined, 400, /^Malformed request: DELETE/],
  ['GET', '/v1/models', undefined, 400, /^Missing model name in request.$/],
  ['GET', `${MODEL}?x=1`, undefined, 404, /^Could not find any versions of model home-equity\?x=1$/],
  ['GET', '/v1/models/none', undefined, 404, /^Could not find any versions of model none$/],
  ['GET', `${MODEL}/versions/3`, undefined, 404, /^Could not find version 3 of model home-equity$/],
])('%s %s %s → %i', async (method, path, body, status, message) => {
  const answered = await call(method, path, body);
  expect([answered.status, answered.type]).toEqual([status, 'application/json']);
  const { error } = JSON.parse(answered.text) as { error: string };
  expect(error).toMatch(message);
});

test('outside /v1/ there is libevent’s page', async () => {
  expect(await call('GET', '/healthz')).toMatchObject({ status: 404, type: 'text/html' });
});

test('a version with an op that cannot be executed ends with its error', async () => {
  const g = graphBuilder();
  g.placeholder('x', 'DT_FLOAT', [-1]);
  g.op('Digamma', 'y', ['x'], { T: attr.type('DT_FLOAT') });
  const tensor = (node: string) => ({ node, dtype: 'DT_FLOAT', shape: [-1] }) as const;
  await writeSavedModel(join(dir, 'odd', '1'), g.build(), {
    serving_default: { inputs: { x: tensor('x') }, outputs: { y: tensor('y') } },
  });
  const odd = await start(dir, 'odd');
  const status = (await (await fetch(`${odd.url}/v1/models/odd`)).json()) as { model_version_status: unknown[] };
  expect(status.model_version_status).toEqual([
    {
      version: '1',
      state: 'END',
      status: { error_code: 'INVALID_ARGUMENT', error_message: expect.stringContaining('op Digamma') as string },
    },
  ]);
  const predict = await fetch(`${odd.url}/v1/models/odd:predict`, { method: 'POST', body: '{"instances":[1]}' });
  expect(predict.status).toBe(404);
  expect(await stop(odd)).toBe(0);
});

test('without a version folder it does not start, and says why', async () => {
  await writeFile(join(dir, 'file'), '');
  const none = await start(dir, 'none');
  expect(none.firstLine['reason']).toMatch(/^There is no version folder in .*none; put the SavedModel into/);
  if (none.child.exitCode === null) await once(none.child, 'exit');
  expect(none.child.exitCode).toBe(1);
});

test('SIGTERM ends it with exit 0', async () => {
  const own = await start(dir, 'home-equity');
  expect(await stop(own)).toBe(0);
});
