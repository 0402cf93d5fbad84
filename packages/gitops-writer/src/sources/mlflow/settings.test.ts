import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnv } from '@fairway/core';
import { expect, it } from 'vitest';
import { MLFLOW_ENV, mlflowSettings } from './settings.ts';

const settings = (env: Record<string, string>) => mlflowSettings(readEnv(env, MLFLOW_ENV));
const URL_ONLY = { MLFLOW_URL: 'https://mlflow.example.com/team/' };

it('is off without an address, and open with nothing else', () => {
  expect(settings({})).toBeUndefined();
  // Other programs have these for themselves.
  expect(settings({ AWS_ACCESS_KEY_ID: 'a', GOOGLE_APPLICATION_CREDENTIALS: '/nowhere' })).toBeUndefined();
  expect(settings(URL_ONLY)).toMatchObject({
    url: 'https://mlflow.example.com/team',
    authorization: undefined,
    webhookSecrets: [],
    s3: undefined,
    gcs: undefined,
  });
});

it('makes the header of basic and bearer authentication, and knows their secrets', () => {
  const basic = settings({ ...URL_ONLY, MLFLOW_USERNAME: 'ann', MLFLOW_PASSWORD: 'pass:wörd' });
  expect(basic?.authorization).toBe('Basic YW5uOnBhc3M6d8O2cmQ=');
  expect(basic?.secrets).toEqual(['YW5uOnBhc3M6d8O2cmQ=', 'pass:wörd']);
  expect(settings({ ...URL_ONLY, MLFLOW_TOKEN: 'tok' })?.authorization).toBe('Bearer tok');
});

it('takes both secrets of webhooks, the present one first', () => {
  const env = { ...URL_ONLY, MLFLOW_WEBHOOK_SECRET: 'new', MLFLOW_WEBHOOK_SECRET_PREVIOUS: 'old' };
  expect(settings(env)?.webhookSecrets).toEqual(['new', 'old']);
});

it.each([
  [{ MLFLOW_TOKEN: 't', MLFLOW_FILE_ROOT: '/' }, 'MLFLOW_TOKEN, MLFLOW_FILE_ROOT set, and MLFLOW_URL is not'],
  [{ MLFLOW_URL: 'https://ann:secret@mlflow.example.com' }, 'neither a user nor a password'],
  [{ ...URL_ONLY, MLFLOW_USERNAME: 'ann' }, 'MLFLOW_USERNAME and MLFLOW_PASSWORD go together'],
  [{ ...URL_ONLY, MLFLOW_TOKEN: 't', MLFLOW_PASSWORD: 'p' }, 'keep the token, or the other two'],
  [{ ...URL_ONLY, MLFLOW_USERNAME: 'a:b', MLFLOW_PASSWORD: 'p' }, 'must have no colon'],
  [{ ...URL_ONLY, MLFLOW_WEBHOOK_SECRET_PREVIOUS: 'old' }, 'set the present one'],
  [{ ...URL_ONLY, AWS_ACCESS_KEY_ID: 'a' }, 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together'],
  [{ ...URL_ONLY, S3_ENDPOINT_URL: 'https://minio.example.com' }, 'S3_ENDPOINT_URL set, and AWS_ACCESS_KEY_ID'],
  [
    { ...URL_ONLY, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', S3_ENDPOINT_URL: 'https://minio.example.com/x' },
    'S3_ENDPOINT_URL must have no path',
  ],
  [{ ...URL_ONLY, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'evil.com/' }, 'AWS_REGION must be'],
  [{ ...URL_ONLY, MLFLOW_CA_FILE: '/nowhere/ca.pem' }, 'MLFLOW_CA_FILE names what cannot be read'],
  [{ ...URL_ONLY, GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json' }, 'must name the JSON key file'],
])('refuses %j', (env, problem) => {
  expect(() => settings(env)).toThrow(problem);
});

it('says everything at once, and shows no part of a key', () => {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-key-'));
  const file = join(dir, 'key.json');
  writeFileSync(file, '{"type":"service_account","private_key":"half a s3cret');
  const env = { ...URL_ONLY, MLFLOW_USERNAME: 'ann', GOOGLE_APPLICATION_CREDENTIALS: file };
  let message = '';
  try {
    settings(env);
  } catch (error) {
    ({ message } = error as Error);
  }
  rmSync(dir, { recursive: true });
  expect(message).toContain('MLFLOW_USERNAME and MLFLOW_PASSWORD go together');
  expect(message).toContain('GOOGLE_APPLICATION_CREDENTIALS must name');
  expect(message).not.toContain('s3cret');
});
