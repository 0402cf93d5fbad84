import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BIN, fairway, plainEnv } from '../harness/demo.ts';

let scratch: string;
beforeEach(() => (scratch = mkdtempSync(join(tmpdir(), 'fairway bad '))));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** The last line of the error output, and that nothing was left in the folder of the stack. */
async function refusal(args: readonly string[], env = plainEnv()): Promise<string> {
  const dir = join(scratch, 'stack');
  const { code, stderr } = await fairway([...args, '--dir', dir], { env });
  expect(code).toBe(1);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(dir)).toBe(false);
  return stderr.trim().split('\n').at(-1) ?? '';
}

test('Node too old', () => {
  const older = 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "18.20.0" })';
  const { status, stderr } = spawnSync(process.execPath, ['--import', older, BIN, 'demo'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'fairway: Node 18.20.0 is too old: install Node 20.19 or newer.\n',
  });
});

test('git missing', async () => {
  const path = join(scratch, 'bin');
  mkdirSync(path);
  symlinkSync(process.execPath, join(path, 'node'));
  expect(await refusal(['demo', '--exit'], plainEnv({ PATH: path }))).toBe(
    'fairway: git was not found: install git 2.38 or newer and see that it is on the PATH.',
  );
});

test('port taken', async () => {
  const server = await new Promise<Server>((resolve) => {
    const listening = createServer().listen(0, '127.0.0.1', () => resolve(listening));
  });
  const { port } = server.address() as { port: number };
  expect(await refusal(['demo', '--exit', '--port', String(port)])).toBe(
    `fairway: Port ${port} on 127.0.0.1 is taken or not allowed: stop what listens there, or choose another with --port.`,
  );
  server.close();
});

test.each([
  [
    'DATABASE_URL',
    'postgres://bank:hunter22@127.0.0.1:1/x',
    /^fairway: DATABASE_URL \(postgres:\/\/127\.0\.0\.1:1\) cannot be used \(.*ECONNREFUSED.*\): check that the server runs/,
  ],
  [
    'DATABASE_URL',
    'mysql://bank:hunter22@127.0.0.1/x',
    /^fairway: DATABASE_URL is not usable: it must be a URL that starts with postgres:\/\//,
  ],
  [
    'REDIS_URL',
    'redis://:hunter22@127.0.0.1:1',
    /^fairway: REDIS_URL \(redis:\/\/127\.0\.0\.1:1\) cannot be used \(.*ECONNREFUSED.*\)/,
  ],
])('%s=%s', async (name, value, sentence) => {
  const said = await refusal(['demo', '--exit'], plainEnv({ [name]: value }));
  expect(said).toMatch(sentence);
  expect(said).not.toContain('hunter22');
});

const HEADER = 'BAD,LOAN,MORTDUE,VALUE,REASON,JOB,YOJ,DEROG,DELINQ,CLAGE,NINQ,CLNO,DEBTINC';
test.each([
  [
    'no such folder',
    undefined,
    /^fairway: There is no folder .*: --data needs a folder with train\.csv and perf_\*\.csv\.$/,
  ],
  ['nothing in it', {}, /^fairway: The folder .* lacks train\.csv and perf_\*\.csv/],
  [
    'a text where a number belongs',
    { 'train.csv': `${HEADER}\n1,many,1,1,HomeImp,Other,1,1,1,1,1,1,1\n`, 'perf_1.csv': '' },
    /^fairway: .*train\.csv, line 2, column LOAN/,
  ],
  [
    'a missing column',
    { 'train.csv': 'BAD,LOAN\n1,2\n', 'perf_1.csv': '' },
    /^fairway: .*train\.csv, line 1: the header lacks MORTDUE/,
  ],
  ['a short line', { 'train.csv': `${HEADER}\n1,2,3\n`, 'perf_1.csv': '' }, /^fairway: .*train\.csv.*line 2\.$/],
])('data: %s', async (_, files, sentence) => {
  const data = join(scratch, 'data');
  if (files !== undefined) mkdirSync(data);
  for (const [name, text] of Object.entries<string>(files ?? {})) writeFileSync(join(data, name), text);
  expect(await refusal(['demo', '--exit', '--data', data])).toMatch(sentence);
});

test('a full disk (skipped where a small file system cannot be mounted)', async (context) => {
  const disk = join(scratch, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=50m', 'tmpfs', disk]).status !== 0)
    context.skip('mounting needs root');
  try {
    const { code, stderr } = await fairway(['demo', '--exit', '--dir', join(disk, 'stack')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^fairway: Only \d+ MB are free at .*, and a stack needs 300 MB: free some, or choose another folder with --dir\.\n$/,
    );
    expect(readdirSync(disk)).toEqual([]);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test.each([
  [['status'], 1, /^fairway: No stack runs in .*: start one with "npx fairway up", or name its folder with --dir\.\n$/],
  [['approve', 'home-equity', '--environment', 'prod'], 2, /missing required argument 'version'/],
  [['demo', '--port', '70000'], 2, /It must be a port from 1 to 65535/],
  [['inspect'], 2, /missing required argument 'path'/],
  [['inspect', 'nothing'], 1, /^fairway: There is no .*nothing; name a folder or an archive of a SavedModel\.\n$/],
  [['fly'], 2, /unknown command 'fly'/],
  [['policy', 'test'], 2, /missing required argument 'file'/],
])('wrong usage: %j', async (args, exit, sentence) => {
  const { code, stderr } = await fairway(args, { cwd: scratch });
  expect(code).toBe(exit);
  expect(stderr).toMatch(sentence);
});

test('every command explains itself', async () => {
  const { code, stdout } = await fairway(['--help']);
  expect(code).toBe(0);
  for (const name of ['demo', 'up', 'inspect', 'approve', 'status', 'doctor']) {
    expect(stdout).toContain(name);
    const help = await fairway([name, '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain(`Usage: fairway ${name}`);
  }
});
