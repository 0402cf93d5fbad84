import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStart } from '@fairway/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataPlace } from '../../packages/cli/src/stack/postgres/binaries.ts';
import { fairway, startUp, type Up } from '../harness/demo.ts';

const NAMES = ['database', 'queue', 'forge', 'kube', 'writer', 'recorder', 'monitor', 'agent', 'serving', 'cards'];
let scratch: string;
let dir: string;
let up: Up;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'fairway up '));
  dir = join(scratch, 'stack');
  up = await startUp(dir);
});
afterAll(async () => {
  await up.stop();
  rmSync(dataPlace(join(dir, 'postgres')), { recursive: true, force: true });
  rmSync(scratch, { recursive: true, force: true });
});

test('prints URL and pid of every process, and all of them run', () => {
  expect(Object.keys(up.processes)).toEqual(expect.arrayContaining(NAMES));
  for (const name of NAMES) {
    expect(up.processes[name]?.url, name).toMatch(/^(http|postgres|redis):\/\//);
    expect(processStart(up.processes[name]?.pid ?? 0), name).toBeDefined();
  }
});

test('every service answers /healthz, /readyz and /metrics without a token, and its API only with one', async () => {
  for (const name of ['writer', 'recorder', 'monitor', 'forge', 'kube', 'cards']) {
    const url = up.processes[name]?.url;
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await fetch(`${url}${path}`)).status, `${name}${path}`).toBe(200);
  }
  expect((await fetch(`${up.processes.writer?.url}/v1/changes`)).status).toBe(401);
  expect((await fetch(`${up.processes.monitor?.url}/v1/windows`)).status).toBe(401);
  expect((await fetch(`${up.processes.recorder?.url}/v1/account`)).status).toBe(401);
});

test('an approval leads to a pull request, and the same approval to the same one', async () => {
  const args = ['approve', 'home-equity', '1', '--environment', 'prod', '--json', '--dir', dir];
  const answers = [await fairway(args), await fairway(args)].map(
    ({ stdout }) => JSON.parse(stdout) as { id: string; phase: string; pullRequest: { number: number } },
  );
  expect(answers[0]?.phase).toBe('proposed');
  expect(answers[1]).toMatchObject({ id: answers[0]?.id, pullRequest: { number: answers[0]?.pullRequest.number } });
  const { stdout } = await fairway(['status', '--json', '--dir', dir]);
  const { changes } = JSON.parse(stdout) as { changes: { environment: string }[] };
  expect(changes.filter(({ environment }) => environment === 'prod').length).toBe(1);
});

test.each([
  [
    ['nobody', '1', '--environment', 'prod'],
    'fairway: Model "nobody" is not in the GitOps repository; it knows: home-equity.',
  ],
  [
    ['home-equity', '7', '--environment', 'prod'],
    'fairway: Version 7 of model home-equity is not registered; the registry knows: 1.',
  ],
  [
    ['home-equity', '1', '--environment', 'moon'],
    'fairway: Model home-equity has no environment "moon"; models/home-equity/model.yaml has: dev, prod.',
  ],
])('approve %j is refused in a sentence', async (args, sentence) => {
  const { code, stderr } = await fairway(['approve', ...args, '--dir', dir]);
  expect({ code, stderr: stderr.trim() }).toEqual({ code: 1, stderr: sentence });
});

test('a model folder without saved_model.pb is refused in a sentence', async () => {
  const registered = join(dir, 'registry', 'home-equity');
  cpSync(join(registered, '1'), join(registered, '2'), { recursive: true });
  rmSync(join(registered, '2', 'saved_model.pb'));
  const { code, stderr } = await fairway(['approve', 'home-equity', '2', '--environment', 'prod', '--dir', dir]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/saved_model\.pb/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('a second stack in the same folder is refused; after kill -9 the next one takes it over and goes on', async () => {
  const refused = await fairway(['up', '--dir', dir]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /^fairway: Another Fairway stack runs in .*: stop it, or choose another folder with --dir\.\n$/,
  );
  await up.kill();
  up = await startUp(dir);
  const { stdout } = await fairway(['status', '--json', '--dir', dir]);
  const { changes, models } = JSON.parse(stdout) as {
    changes: unknown[];
    models: { environments: { name: string; live?: { version: string } }[] }[];
  };
  expect(changes.length).toBeGreaterThanOrEqual(2);
  expect(models[0]?.environments.find(({ name }) => name === 'dev')?.live?.version).toBe('1');
  const doctor = await fairway(['doctor', '--dir', dir]);
  expect(doctor.code, doctor.stdout).toBe(0);
});
