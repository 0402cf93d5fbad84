import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { processStart } from '@fairway/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  claimFolder,
  claimFreeFolder,
  emptyFolder,
  readState,
  writeState,
} from '../../../packages/cli/src/stack/folder.ts';
import { loadSecrets } from '../../../packages/cli/src/stack/secrets.ts';

let base: string;
beforeEach(() => (base = mkdtempSync(join(tmpdir(), 'fairway folder '))));
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('one stack at a time, and the next one says so or takes another folder', async () => {
  const dir = join(base, 'stack');
  const claim = await claimFolder(dir);
  await expect(claimFolder(dir)).rejects.toThrow(
    /Another Fairway stack runs in .*: stop it, or choose another folder with --dir/,
  );
  const second = await claimFreeFolder(dir);
  expect(basename(second.dir)).toBe('stack-2');
  claim.release();
  expect((await claimFolder(dir)).dir).toBe(dir);
});

test('a folder keeps its secrets for its owner alone, and gets those that its version did not know', () => {
  const first = loadSecrets(base);
  const file = join(base, 'secrets.json');
  expect(loadSecrets(base)).toEqual(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { writerForMonitor, ...older } = first;
  writeFileSync(file, JSON.stringify(older));
  const now = loadSecrets(base);
  expect(now).toEqual({ ...first, writerForMonitor: now.writerForMonitor });
  expect(now.writerForMonitor).toMatch(/^[0-9a-f]{40}$/);
  expect(now.writerForMonitor).not.toBe(writerForMonitor);
  expect(loadSecrets(base)).toEqual(now);
});

test('the lock of a killed process is taken over', async () => {
  const dir = join(base, 'stack');
  const child = spawn('sleep', ['60']);
  const owner = { pid: child.pid as number, started: processStart(child.pid as number) };
  (await claimFolder(dir)).release();
  writeFileSync(join(dir, 'lock.json'), JSON.stringify(owner));
  await expect(claimFolder(dir)).rejects.toThrow(/Another Fairway stack/);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  const claim = await claimFolder(dir);
  expect(JSON.parse(readFileSync(join(dir, 'lock.json'), 'utf8'))).toMatchObject({ pid: process.pid });
  claim.release();
});

test('a torn lock and a pid that now belongs to another program hold nobody up', async () => {
  const dir = join(base, 'stack');
  (await claimFolder(dir)).release();
  writeFileSync(join(dir, 'lock.json'), '{"pid":');
  (await claimFolder(dir)).release();
  writeFileSync(join(dir, 'lock.json'), JSON.stringify({ pid: process.pid, started: 'long ago' }));
  (await claimFolder(dir)).release();
});

test('emptying keeps the lock, and the state of a stack that ended is no state', async () => {
  const claim = await claimFolder(join(base, 'stack'));
  const state = {
    pid: process.pid,
    started: processStart(process.pid) ?? '',
    processes: {},
    tokens: { writer: 'w', monitor: 'm', person: 'p', kube: 'k' },
  };
  writeState(claim.dir, state);
  expect(readState(claim.dir)).toEqual(state);
  writeState(claim.dir, { ...state, started: 'long ago' });
  expect(readState(claim.dir)).toBeUndefined();
  emptyFolder(claim);
  expect(existsSync(join(claim.dir, 'state.json'))).toBe(false);
  expect(existsSync(join(claim.dir, 'lock.json'))).toBe(true);
});

test('a folder below a file is refused with a sentence', async () => {
  writeFileSync(join(base, 'file'), '');
  await expect(claimFolder(join(base, 'file', 'stack'))).rejects.toThrow(
    /cannot be made \(ENOTDIR\): choose another with --dir/,
  );
});

test('so is one below a folder that takes none, where node itself would try for ever', async () => {
  const sentence = /^The folder \/proc\/fairway.* cannot be made \([A-Z]+\): choose another with --dir\.$/;
  for (const dir of ['/proc/fairway', '/proc/fairway/stack']) await expect(claimFolder(dir)).rejects.toThrow(sentence);
});
