import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { choice, flag, integer, optionalText, readEnv, text, url } from './env.ts';
import type { FairwayError } from './errors.ts';

const dir = mkdtempSync(join(tmpdir(), 'fairway-env-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const spec = {
  PORT: integer('port to listen on', { min: 1, max: 65_535, fallback: 8080 }),
  DATABASE_URL: url('PostgreSQL', ['postgres']),
  TOKEN: text('token of the API'),
  MODE: choice('how to merge', ['review', 'auto'], 'review'),
  DEBUG: flag('stack traces', false),
  NOTE: optionalText('anything'),
};

test('reads values, fallbacks and files', () => {
  const file = join(dir, 'token');
  writeFileSync(file, 's3cret\n');
  const env = readEnv({ DATABASE_URL: 'postgres://h/d', TOKEN_FILE: file, DEBUG: 'true', NOTE: '' }, spec);
  expect(env).toEqual({
    PORT: 8080,
    DATABASE_URL: 'postgres://h/d',
    TOKEN: 's3cret',
    MODE: 'review',
    DEBUG: true,
    NOTE: undefined,
  });
});

test('says all problems at once, in sentences, without the values', () => {
  const read = () =>
    readEnv(
      { PORT: 'http', DATABASE_URL: 'mysql://user:pass@h', MODE: 'yolo', DEBUG: '1', TOKEN_FILE: join(dir, 'none') },
      spec,
    );
  expect(read).toThrowErrorMatchingInlineSnapshot(`
    [FairwayError: The configuration is not usable:
      PORT must be a whole number from 1 to 65535 (port to listen on).
      DATABASE_URL must be a URL that starts with postgres:// (PostgreSQL).
      TOKEN cannot be read from the file that TOKEN_FILE names; check the path and its permissions (token of the API).
      MODE must be one of review, auto (how to merge).
      DEBUG must be true or false (stack traces).]
  `);
  try {
    read();
  } catch (error) {
    expect((error as FairwayError).code).toBe('config.invalid');
  }
});
