import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BareRemote, BOT, bareRemote, gitIn, request } from './support.ts';

/** Why a test is left out, or false. */
const without = (program: string) =>
  spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed here`;
const NO_KEYGEN = without('ssh-keygen');
const NO_GPG = without('gpg');

let remote: BareRemote;
let home: string;
beforeEach(() => {
  remote = bareRemote();
  // Short: the socket of the agent lies in it.
  home = mkdtempSync(join(tmpdir(), 'fg-'));
});
afterEach(async () => {
  await remote.remove();
  spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  rmSync(home, { recursive: true, force: true });
});

const keyFile = (type: string) => {
  const file = join(home, `key of ${type}`);
  const made = spawnSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'bot', '-f', file]);
  expect(made.stderr.toString()).toBe('');
  return file;
};
const gpg = (...args: string[]) => {
  const ran = spawnSync('gpg', ['--homedir', home, '--batch', '--no-tty', '--quiet', ...args], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return ran.stdout;
};

it.skipIf(NO_KEYGEN).each(['ed25519', 'ecdsa', 'rsa'])(
  `signs with an %s SSH key, and git believes it ${NO_KEYGEN || ''}`,
  async (type) => {
    const file = keyFile(type);
    const { repository } = remote.engine({ signing: { kind: 'ssh', keyFile: file }, signOff: true });
    const head = await repository.head(0);
    const [one, two] = await Promise.all([repository.commit(request(head)), repository.commit(request(head, 'two\n'))]);
    await Promise.all([repository.push('one', one, undefined), repository.push('two', two, undefined)]);
    const allowed = join(home, 'allowed');
    writeFileSync(allowed, `${BOT.email} ${readFileSync(`${file}.pub`, 'utf8')}`);
    const git = gitIn(remote.folder);
    for (const commit of [one, two])
      git(['-c', `gpg.ssh.allowedSignersFile=${allowed}`, 'verify-commit', commit], '', { HOME: home });
    expect(git(['show', '--no-patch', '--format=%B', one])).toBe(
      'Subject\n\nTrailer: ä\nSigned-off-by: bot <bot@example.com>',
    );
    expect(git(['interpret-trailers', '--parse'], `${git(['show', '-s', '--format=%B', one])}\n`)).toBe(
      'Trailer: ä\nSigned-off-by: bot <bot@example.com>',
    );
    expect(await repository.carries(one, request(head))).toBe(true);
    expect(await repository.carries(two, request(head))).toBe(false);
    // The sign-off is part of what is compared, the signature is not.
    const unsigned = remote.engine({ dataDir: join(remote.dir, 'unsigned'), signOff: true });
    await unsigned.repository.head(0);
    expect(await unsigned.repository.carries(one, request(head))).toBe(true);
    expect(await unsigned.repository.commit(request(head))).not.toBe(one);
    const other = remote.engine({ dataDir: join(remote.dir, 'other') });
    await other.repository.head(0);
    expect(await other.repository.carries(one, request(head))).toBe(false);
  },
);

it.skipIf(NO_GPG).each(['sha1', 'sha256'])(
  `signs with an OpenPGP key in a %s repository, and leaves no agent behind ${NO_GPG || ''}`,
  async (format) => {
    gpg('--passphrase', '', '--quick-generate-key', 'bot <bot@example.com>', 'ed25519', 'sign');
    const file = join(home, 'secret.asc');
    writeFileSync(file, gpg('--armor', '--export-secret-keys'));
    const repo = bareRemote({ format });
    try {
      const { repository } = repo.engine({ signing: { kind: 'gpg', keyFile: file } });
      const head = await repository.head(0);
      const commits = await Promise.all(
        Array.from({ length: 6 }, (_, i) => repository.commit(request(head, `${i}\n`))),
      );
      await Promise.all(commits.map((commit, i) => repository.push(`b${i}`, commit, undefined)));
      for (const commit of commits) gitIn(repo.folder)(['verify-commit', commit], '', { GNUPGHOME: home });
      expect(await repository.carries(commits[0] ?? '', request(head, '0\n'))).toBe(true);
    } finally {
      await repo.remove();
    }
    const agents = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
    expect(agents.split('\n').filter((line) => line.includes('fairway-gpg-'))).toEqual([]);
  },
);

it('says how to mend a key that cannot sign, and writes no commit without a signature', async () => {
  const file = join(home, 'no key');
  writeFileSync(file, 'nothing\n', { mode: 0o600 });
  const { repository } = remote.engine({ signing: { kind: 'ssh', keyFile: file } });
  const head = await repository.head(0);
  await expect(repository.commit(request(head))).rejects.toMatchObject({
    name: 'FairwayError',
    disposition: 'retryable',
    message: expect.stringMatching(/COMMIT_SIGNING_KEY_FILE|install openssh-client/),
  });
});
