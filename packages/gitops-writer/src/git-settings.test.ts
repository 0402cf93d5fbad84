import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnv } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GIT_ENV, gitSettings } from './git-settings.ts';

let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-settings-'));
  file = join(dir, 'a key');
  writeFileSync(file, '');
});
afterAll(() => rmSync(dir, { recursive: true }));

const settings = (given: Record<string, string>) => {
  const env = readEnv({ GIT_URL: 'https://forge.example.com/a/b.git', GIT_USER: 'bot', ...given }, GIT_ENV);
  return gitSettings({ ...env, DATA_DIR: '/data' }, () => Promise.resolve(undefined), { now: () => 0 }, '/bin');
};

it.each(['https://forge.example.com/a/b.git', 'http://127.0.0.1:3000/a/b', 'file:///srv/git/a b.git'])(
  'takes %s as it is',
  (url) => {
    expect(settings({ GIT_URL: url }).access).toMatchObject({ url, ssh: undefined });
  },
);

it.each(['ssh://git@forge.example.com:2222/a/b.git', 'git@forge.example.com:a/b.git'])(
  'takes %s with key and host keys',
  (url) => {
    const access = { GIT_URL: url, GIT_SSH_KEY_FILE: file, GIT_SSH_KNOWN_HOSTS_FILE: file };
    expect(settings(access).access).toMatchObject({ url, ssh: { keyFile: file, knownHostsFile: file } });
  },
);

it.each([
  [
    { GIT_URL: 'https://bot:secret@forge.example.com/a/b' },
    /^(?!.*secret).*GIT_URL must not hold a user or a password/s,
  ],
  [{ GIT_URL: 'https://secret@forge.example.com/a/b' }, /^(?!.*secret@).*must not hold a user/s],
  [{ GIT_URL: 'ext::sh -c x' }, /GIT_URL must be a URL/],
  [{ GIT_URL: '-oProxyCommand=x@host:path' }, /GIT_URL must be a URL/],
  [{ GIT_URL: 'git@host:a b' }, /GIT_URL must be a URL/],
  [{ GIT_URL: 'git@host:a' }, /GIT_SSH_KEY_FILE is not set .*\n.*GIT_SSH_KNOWN_HOSTS_FILE is not set/],
  [{ COMMIT_SIGNING: 'ssh' }, /COMMIT_SIGNING_KEY_FILE is not set/],
  [{ COMMIT_SIGNING: 'x509' }, /COMMIT_SIGNING must be one of none, ssh, gpg/],
  [{ GIT_CA_FILE: '/not/there' }, /GIT_CA_FILE names a file that cannot be read/],
  [{ GIT_SSH_KEY_FILE: '/a"b' }, /GIT_SSH_KEY_FILE must be a path without quotation marks/],
] as ReadonlyArray<[Record<string, string>, RegExp]>)('refuses %j in a sentence', (given, words) => {
  expect(() => settings(given)).toThrow(words);
});

it('commits as GIT_USER unless told otherwise', () => {
  expect(settings({}).person).toEqual({ name: 'bot', email: 'bot@noreply.localhost' });
  const told = settings({ COMMIT_NAME: 'Fairway', COMMIT_EMAIL: 'f@example.com', COMMIT_SIGN_OFF: 'true' });
  expect(told).toMatchObject({
    person: { name: 'Fairway', email: 'f@example.com' },
    signOff: true,
    signing: undefined,
  });
});
