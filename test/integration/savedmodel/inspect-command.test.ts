import { execFileSync } from 'node:child_process';
import {
  cpSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { SavedModelReport } from '@fairway/savedmodel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import yazl from 'yazl';
import { readExpected } from '../../../packages/cli/src/commands/inspect-against.ts';
import { fairway, plainEnv } from '../../harness/demo.ts';
import { savedModel } from './made.ts';

const EXPORTS = fileURLToPath(new URL('golden/exports/', import.meta.url));
const KERAS = join(EXPORTS, 'keras3');

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fairway-command-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Its temporary files go to a folder of its own, so that what it leaves is seen. */
const inspect = async (...args: string[]) => {
  const temporary = mkdtempSync(join(scratch, 'tmp-'));
  const ended = await fairway(['inspect', ...args], { env: plainEnv({ TMPDIR: temporary }) });
  expect(readdirSync(temporary).filter((name) => name.startsWith('fairway'))).toEqual([]);
  return ended;
};

describe('for people', () => {
  test('says what is inside, in lines that fit a screen', async () => {
    const { code, stdout, stderr } = await inspect(KERAS);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/serving_default \(predict\)\n {2}input {3}JOB {5}DT_STRING {2}\[-1, 1\]\n/);
    expect(stdout).toMatch(/written by TensorFlow 2.21.0\n/);
    expect(stdout).toMatch(/warm-up {4}3 requests, 75 B \(3 predict\)\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('✔ TensorFlow Serving can serve it.');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('names every problem and exits with 1', async () => {
    const { code, stdout } = await inspect(join(EXPORTS, 'python'));
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n✘ it calls Python \(EagerPyFunc\)/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('It cannot be served as it is: 3 problems.');
  });

  test('shows names as text, whatever they would do to the terminal', async () => {
    const folder = join(scratch, 'named');
    mkdirSync(folder);
    writeFileSync(join(folder, 'saved_model.pb'), savedModel({ tags: ['\u001b[2J'] }));
    const { stdout } = await inspect(folder);
    expect(stdout).toContain('(tags: [\uFFFD[2J])');
    expect(stdout).not.toContain('\u001b');
  });
});

test('a folder, a zip and a tar have one digest', async () => {
  const zip = join(scratch, 'model.zip');
  const archive = new yazl.ZipFile();
  for (const path of [
    'saved_model.pb',
    'fingerprint.pb',
    'variables/variables.index',
    'variables/variables.data-00000-of-00001',
  ])
    archive.addFile(join(KERAS, path), `keras/${path}`);
  archive.addFile(
    join(KERAS, 'assets.extra/tf_serving_warmup_requests'),
    'keras/assets.extra/tf_serving_warmup_requests',
  );
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(zip));
  const [tar, tgz] = [join(scratch, 'model.tar'), join(scratch, 'model.tgz')];
  execFileSync('tar', ['-cf', tar, '-C', EXPORTS, 'keras3']);
  execFileSync('tar', ['-czf', tgz, '-C', KERAS, '.']);
  const digests = await Promise.all(
    [KERAS, zip, tar, tgz].map(
      async (path) => (JSON.parse((await inspect(path, '--json')).stdout) as SavedModelReport).digest,
    ),
  );
  expect(digests[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(new Set(digests).size).toBe(1);
});

describe('--against', () => {
  const registered = (name: string, files: Readonly<Record<string, unknown>>) => {
    const folder = mkdtempSync(join(scratch, `${name}-`));
    for (const [file, content] of Object.entries(files))
      writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
    return folder;
  };
  const sas = {
    'inputVar.json': [
      { name: 'LOAN', type: 'decimal' },
      { name: 'JOB', type: 'string' },
    ],
    'outputVar.json': [{ name: 'P_BAD1', type: 'decimal' }],
    'ModelProperties.json': { targetVariable: 'BAD', targetEvent: '1', eventProbVar: 'P_BAD1' },
  };

  test("SAS Model Manager's files that fit", async () => {
    const { code, stdout } = await inspect(KERAS, '--against', registered('fits', sas));
    expect(code).toBe(0);
    expect(stdout).toMatch(/✔ It fits inputVar.json, outputVar.json, ModelProperties.json.\n$/);
  });

  test('every difference, as text and as JSON', async () => {
    const folder = registered('differs', {
      ...sas,
      'inputVar.json': [{ name: 'JOB', type: 'decimal' }],
      'ModelProperties.json': { ...sas['ModelProperties.json'], eventProbVar: 'P' },
    });
    const { code, stdout } = await inspect(KERAS, '--against', folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✘ wrong type: input JOB is decimal in inputVar.json but DT_STRING in the model\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^It does not fit .*: 3 differences.$/);
    const json = await inspect(KERAS, '--json', '--against', folder);
    expect(json.code).toBe(1);
    expect((JSON.parse(json.stdout) as { against: unknown }).against).toMatchObject({
      files: ['inputVar.json', 'outputVar.json', 'ModelProperties.json'],
      mismatches: [
        { problem: 'wrong type' },
        { problem: 'extra', tensor: 'LOAN' },
        { problem: 'missing', tensor: 'P' },
      ],
    });
  });

  test('one file alone says nothing of the other side', async () => {
    const folder = registered('half', {
      'outputVar.json': [{ name: 'P_GOOD', type: 'decimal' }],
      'inputVar.json': '{',
    });
    const { code, stdout } = await inspect(KERAS, '--against', join(folder, 'outputVar.json'));
    expect(code).toBe(1);
    expect(stdout.match(/✘/g)).toHaveLength(2);
  });

  const mlmodel = (dtype: string) => `
artifact_path: model
signature:
  inputs: '[{"type": "string", "name": "JOB"}, {"type": "tensor", "name": "LOAN", "tensor-spec": {"dtype": "${dtype}", "shape": [-1, 1]}}]'
  outputs: '[{"type": "double", "name": "P_BAD1"}]'
`;

  test("MLflow's MLmodel", async () => {
    const fits = registered('mlflow', { MLmodel: mlmodel('float32') });
    expect((await inspect(KERAS, '--against', fits)).stdout).toMatch(/✔ It fits MLmodel.\n$/);
    const other = registered('mlflow-other', { MLmodel: mlmodel('int64') });
    const { code, stdout } = await inspect(KERAS, '--against', join(other, 'MLmodel'));
    expect(code).toBe(1);
    expect(stdout).toMatch(/wrong type: input LOAN is int64 in the MLflow signature but DT_FLOAT in the model/);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['an empty folder', {}, /tells nothing of a model; name a folder with inputVar.json/],
    ['broken JSON', { 'inputVar.json': '[' }, /^inputVar.json in .* is no JSON/],
    ['an MLmodel without a signature', { MLmodel: 'flavors: {}' }, /has no signature; log the model again/],
    ['an MLmodel that is no YAML', { MLmodel: 'a: [' }, /is no YAML \(/],
  ])('%s is refused in a sentence', async (name, files, sentence) => {
    await expect(readExpected(registered(name, files))).rejects.toThrow(sentence);
  });

  test('a refusal is the last line, and nothing else is printed', async () => {
    const { code, stdout, stderr } = await inspect(KERAS, '--against', join(scratch, 'none'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^fairway: .*none tells nothing of a model; name a folder with .*\.\n$/);
  });
});

describe('what cannot be inspected', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    ['nothing', () => {}, /^fairway: There is no .*nothing; name a folder or an archive of a SavedModel\.\n$/],
    ['an empty folder', (path) => mkdirSync(path), /^fairway: There is no saved_model.pb in /],
    [
      'the folder above',
      (path) => cpSync(join(EXPORTS, 'estimator'), join(path, '1'), { recursive: true }),
      /^fairway: There is no saved_model.pb in .*, but in 1 below it; name that folder\.\n$/,
    ],
    ['some file', (path) => writeFileSync(path, 'hello'), /^fairway: .{20,}\n$/],
    [
      'half an archive',
      (path) => {
        const whole = join(scratch, 'whole.tgz');
        execFileSync('tar', ['-czf', whole, '-C', KERAS, '.']);
        writeFileSync(path, readFileSync(whole).subarray(0, 3000));
      },
      /^fairway: .{20,}\n$/,
    ],
  ])('%s: one sentence', async (name, make, sentence) => {
    const path = join(mkdtempSync(join(scratch, 'none-')), name);
    make(path);
    const { code, stdout, stderr } = await inspect(path);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(sentence);
  });
});
