import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageName } from '../names.ts';
import { type Credential, dockerCredentials } from './credentials.ts';

let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-auth-'));
  file = join(dir, 'config.json');
});
afterAll(() => rmSync(dir, { recursive: true }));

async function asked(config: unknown, name: string): Promise<Credential | undefined> {
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return dockerCredentials(file, 'REGISTRY_AUTH_FILE')(imageName(name));
}

const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
const user = (name: string, password = 'p:w') => ({ kind: 'basic', user: name, password });

it('finds the entry of a registry, the most exact one first', async () => {
  const auths = {
    'https://a.example/v1/': auth('whole:p:w'),
    'a.example/models': auth('models:p:w'),
    'b.example:5000': { username: 'plain', password: 'p:w' },
    'https://index.docker.io/v1/': auth('hub:p:w'),
  };
  expect(await asked({ auths }, 'a.example/models/m')).toEqual(user('models'));
  expect(await asked({ auths }, 'a.example/modelsx/m')).toEqual(user('whole'));
  expect(await asked({ auths }, 'b.example:5000/m')).toEqual(user('plain'));
  expect(await asked({ auths }, 'tensorflow/serving')).toEqual(user('hub'));
  expect(await asked({ auths }, 'b.example/m')).toBeUndefined();
  expect(await asked({}, 'a.example/m')).toBeUndefined();
});

it('takes tokens for what they are', async () => {
  const auths = { 'a.example': { ...auth('u:p'), identitytoken: 'i' }, 'b.example': { registrytoken: 'r' } };
  expect(await asked({ auths }, 'a.example/m')).toEqual({ kind: 'identity', token: 'i' });
  expect(await asked({ auths }, 'b.example/m')).toEqual({ kind: 'bearer', token: 'r' });
});

it('refuses what it does not run or cannot read, in a sentence without the secret', async () => {
  const helped = { auths: { 'a.example': {} }, credHelpers: { 'a.example': 'ecr-login' } };
  await expect(asked(helped, 'a.example/m')).rejects.toThrow(
    /asks the program docker-credential-ecr-login for a\.example, which is not run here; put user and password/,
  );
  expect(await asked(helped, 'b.example/m')).toBeUndefined();
  const kept = { auths: { 'a.example': {} }, credsStore: 'desktop' };
  await expect(asked(kept, 'a.example/m')).rejects.toThrow(/keeps its passwords in desktop/);
  await expect(asked({ auths: { 'a.example': auth('no-colon-secret') } }, 'a.example/m')).rejects.toThrow(
    /^(?!.*secret).*no user and password in base64/,
  );
  await expect(asked('{"auths": [', 'a.example/m')).rejects.toThrow(
    '(REGISTRY_AUTH_FILE) cannot be read: it is not what docker login writes',
  );
  await expect(dockerCredentials(join(dir, 'none'), 'X')(imageName('a.example/m'))).rejects.toThrow(
    '(X) cannot be read: ENOENT',
  );
});
