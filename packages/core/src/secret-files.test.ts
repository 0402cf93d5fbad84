import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { text, url } from './env.ts';
import { silentLogger } from './log.ts';
import { type SecretFiles, watchSecretFiles } from './secret-files.ts';

const SPEC = {
  DATABASE_URL: url('database', ['postgres']),
  TOKEN: text('token'),
  KEY_FILE: text('key file'),
  ROBOT: text('robot'),
};

let dir: string;
let said: object[];
let ends: number;
let stop: () => void;
let generation = 0;

/** Mounts a Secret as the kubelet does: all keys change at once, by one link. */
function mount(values: Record<string, string>): void {
  const folder = join(dir, `generation-${generation++}`);
  mkdirSync(folder);
  for (const [name, value] of Object.entries(values)) writeFileSync(join(folder, name), value);
  symlinkSync(folder, join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, 'data'));
}

const GOOD = { DATABASE_URL: 'postgres://u:first@h/d', TOKEN: 'first-token', KEY: 'first-key', ROBOT: 'first-robot' };

beforeEach(() => {
  vi.useFakeTimers();
  dir = mkdtempSync(join(tmpdir(), 'fairway-secrets-'));
  said = [];
  ends = 0;
  mount(GOOD);
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

function watch(renew: SecretFiles<typeof SPEC>['renew'] = {}): void {
  const at = (name: string) => join(dir, 'data', name);
  const files = { DATABASE_URL_FILE: at('DATABASE_URL'), TOKEN_FILE: at('TOKEN'), KEY_FILE: at('KEY') };
  const source = { ...files, ROBOT: at('ROBOT') };
  const tell = (fields: object, text: string) => said.push({ ...fields, text });
  const log = { ...silentLogger, info: tell, warn: tell };
  stop = watchSecretFiles({ source, spec: SPEC, renew, end: () => void ends++, log, everyMs: 10, paths: ['ROBOT'] });
}

test('files that stay as they are, or are mounted anew with the same values, change nothing', () => {
  watch();
  vi.advanceTimersByTime(100);
  mount(GOOD);
  vi.advanceTimersByTime(100);
  expect([said, ends]).toEqual([[], 0]);
});

test('a value that can be taken is taken, and the process goes on', () => {
  const taken: string[] = [];
  watch({ DATABASE_URL: (value) => taken.push(value) > 0 });
  mount({ ...GOOD, DATABASE_URL: 'postgres://u:second@h/d' });
  vi.advanceTimersByTime(100);
  expect(taken).toEqual(['postgres://u:second@h/d']);
  expect(ends).toBe(0);
  expect(said).toEqual([{ settings: ['DATABASE_URL'], text: 'changed secrets are in use' }]);
});

test.each([
  ['that nobody takes', { TOKEN: 'second-token' }, ['TOKEN']],
  ['that is refused', { DATABASE_URL: 'postgres://u:p@other/d' }, ['DATABASE_URL']],
  ['whose path is the setting', { KEY: 'second-key' }, ['KEY_FILE']],
  ['whose path is a setting of another name', { ROBOT: 'second-robot' }, ['ROBOT']],
])('a value %s ends the process, once', (_, changes, settings) => {
  watch({ DATABASE_URL: () => false });
  mount({ ...GOOD, ...changes });
  vi.advanceTimersByTime(100);
  mount({ ...GOOD, TOKEN: 'third-token' });
  vi.advanceTimersByTime(100);
  expect(ends).toBe(1);
  expect(said).toEqual([{ settings, text: 'secrets have changed, ending to start again with them' }]);
});

test('values that are no use are told once, without them, and left alone until they are mended', () => {
  watch();
  mount({ ...GOOD, DATABASE_URL: 'no-url-but-secret', TOKEN: 'second-token' });
  vi.advanceTimersByTime(100);
  expect(ends).toBe(0);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatchObject({
    settings: ['DATABASE_URL', 'TOKEN'],
    reason: expect.stringContaining('DATABASE_URL must be a URL that starts with postgres://'),
  });
  expect(JSON.stringify(said)).not.toMatch(/no-url-but-secret|second-token/);
  mount({ ...GOOD, TOKEN: 'second-token' });
  vi.advanceTimersByTime(100);
  expect(ends).toBe(1);
});

test('a file that is being written is waited for', () => {
  watch();
  const path = join(dir, 'data', 'TOKEN');
  writeFileSync(path, 'sec');
  vi.advanceTimersByTime(10);
  writeFileSync(path, 'second');
  vi.advanceTimersByTime(10);
  expect(ends).toBe(0);
  vi.advanceTimersByTime(10);
  expect(ends).toBe(1);
});
