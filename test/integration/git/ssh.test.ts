import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { newKey, type SshServer, startSshServer } from '../../harness/ssh-server.ts';
import { type BareRemote, bareRemote, request } from './support.ts';

const NO_SSH = spawnSync('ssh', ['-V']).error === undefined ? false : 'there is no ssh client here';

let remote: BareRemote;
let server: SshServer;
let keyFile: string;
let knownHostsFile: string;
beforeEach(async () => {
  remote = bareRemote();
  const key = newKey();
  keyFile = join(remote.dir, "a key, 100% it's ours");
  knownHostsFile = join(remote.dir, 'known hosts');
  writeFileSync(keyFile, key.private, { mode: 0o600 });
  server = await startSshServer(key.public);
  trust(server.hostKey);
});
afterEach(async () => {
  await server.stop();
  await remote.remove();
});

const trust = (hostKey: string) => writeFileSync(knownHostsFile, `[127.0.0.1]:${server.port} ${hostKey}\n`);
const over = (silenceMs = 20_000) =>
  remote.engine({
    access: {
      url: `ssh://git@127.0.0.1:${server.port}${remote.folder.replaceAll(' ', '%20')}`,
      credentials: () => Promise.resolve({ user: 'bot', token: 'token-for-http-only' }),
      ssh: { keyFile, knownHostsFile },
    },
    silenceMs,
  });
const refused = (words: RegExp) => ({
  code: 'git.refused',
  // An operator mends it; the change waits.
  disposition: 'retryable',
  message: expect.stringMatching(words),
});

it.skipIf(NO_SSH)(`reads, commits, pushes and deletes over SSH ${NO_SSH || ''}`, async () => {
  const { repository } = over();
  const head = await repository.head(0);
  const made = await Promise.all(
    Array.from({ length: 10 }, (_, i) => repository.commit(request(head, `${i}\n`, `models/m${i}`))),
  );
  await Promise.all(made.map((commit, i) => repository.push(`b${i}`, commit, undefined)));
  expect(remote.git(['rev-parse', 'b9'])).toBe(made[9]);
  expect(server.commands.filter((command) => command.startsWith('git-receive-pack')).length).toBeLessThanOrEqual(2);
  await expect(repository.push('b9', undefined, head)).rejects.toMatchObject({ code: 'git.race' });
  await repository.push('b9', undefined, made[9]);
  const tip = remote.push(1, () => 'later');
  expect(await repository.head(0)).toBe(tip);
  expect((await repository.read(tip, 'later'))?.text).toBe('value 0\n');
});

it.skipIf(NO_SSH)('refuses a host whose key it does not know', async () => {
  writeFileSync(knownHostsFile, '');
  await expect(over().repository.head(0)).rejects.toMatchObject(
    refused(/host key is unknown .*GIT_SSH_KNOWN_HOSTS_FILE/),
  );
  expect(server.commands).toEqual([]);
});

it.skipIf(NO_SSH)('refuses a host whose key has changed', async () => {
  trust(newKey().public);
  await expect(over().repository.head(0)).rejects.toMatchObject(refused(/has changed/));
  expect(server.commands).toEqual([]);
});

it.skipIf(NO_SSH)('says that the key is not taken, or cannot be read', async () => {
  const mine = newKey().private;
  writeFileSync(keyFile, mine);
  await expect(over().repository.head(0)).rejects.toMatchObject(refused(/does not take the SSH key/));
  chmodSync(keyFile, 0o644);
  await expect(over().repository.head(0)).rejects.toMatchObject(refused(/does not take the SSH key/));
  writeFileSync(keyFile, 'no key at all');
  await expect(over().repository.head(0)).rejects.toMatchObject(refused(/GIT_SSH_KEY_FILE/));
});

it.skipIf(NO_SSH)('gives up on a server that says nothing, and can be asked again', async () => {
  server.mood = () => 'hang';
  await expect(over(1_500).repository.head(0)).rejects.toMatchObject({
    code: 'git.unavailable',
    disposition: 'retryable',
    message: expect.stringContaining('does not answer'),
  });
  server.mood = () => 'serve';
  expect(await over().repository.head(0)).toHaveLength(40);
});

it.skipIf(NO_SSH)('keeps a push whose connection broke for a later try, with no half-written branch', async () => {
  const { repository } = over();
  const head = await repository.head(0);
  const commit = await repository.commit(request(head));
  server.mood = (command) => (command.startsWith('git-receive-pack') ? 'break' : 'serve');
  await expect(repository.push('x', commit, undefined)).rejects.toMatchObject({ disposition: 'retryable' });
  expect(remote.git(['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main');
  server.mood = () => 'serve';
  await repository.push('x', commit, undefined);
  expect(remote.git(['rev-parse', 'x'])).toBe(commit);
});
