import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FairwayError, redact } from '@fairway/core';
import type { GitResult } from './environment.ts';
import { type Program, programOf } from './process.ts';

export type Signing = {
  readonly kind: 'ssh' | 'gpg';
  /** Private key without a passphrase: OpenSSH format, or OpenPGP as `gpg --export-secret-keys` writes it. */
  readonly keyFile: string;
};

export type Signer = {
  /** The armoured signature over a commit. */
  sign(commit: Buffer): Promise<string>;
  close(): Promise<void>;
};

/** Signs as git does (`gpg.format` ssh or openpgp), so that `git verify-commit` and forges know the signatures. */
export const commitSigner = ({ kind, keyFile }: Signing, path: string | undefined): Signer =>
  kind === 'ssh' ? sshSigner(keyFile, path) : gpgSigner(keyFile, path);

const environment = (path: string | undefined) => ({
  LC_ALL: 'C.UTF-8',
  ...(path === undefined ? {} : { PATH: path }),
});

function sshSigner(keyFile: string, path: string | undefined): Signer {
  const keygen = programOf('ssh-keygen', environment(path), 'install openssh-client');
  return {
    sign: async (commit) => {
      // Without a file name it signs what it reads.
      const args = ['-Y', 'sign', '-n', 'git', '-f', keyFile];
      return signature('ssh', await keygen.run(tmpdir(), args, { input: commit, silenceMs: SIGN_MS }));
    },
    close: () => Promise.resolve(keygen.stop()),
  };
}

/** A key that wants a passphrase would wait for it. */
const SIGN_MS = 10_000;

/** GnuPG keeps keys in a folder: a private one, made at the first signature and removed with the agent that it starts. */
function gpgSigner(keyFile: string, path: string | undefined): Signer {
  const gpg = programOf('gpg', environment(path), 'install gnupg');
  let home: Promise<string> | undefined;
  const prepare = async () => {
    // The agent's socket lies in it, and a socket's path is short (108 bytes): not below DATA_DIR.
    const folder = await mkdtemp(join(tmpdir(), 'fairway-gpg-'));
    try {
      const imported = await run(gpg, folder, ['--import', keyFile]);
      if (imported.code !== 0) throw unfit('gpg', imported.stderr);
      return folder;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  };
  const ready = () => {
    home ??= prepare();
    // A key file that was mended meanwhile is read at the next signature.
    home.catch(() => (home = undefined));
    return home;
  };
  return {
    sign: async (commit) => signature('gpg', await run(gpg, await ready(), ['--armor', '--detach-sign'], commit)),
    close: async () => {
      const folder = await home?.catch(() => undefined);
      if (folder === undefined) return;
      const connect = programOf('gpgconf', environment(path), 'install gnupg');
      await connect.run(tmpdir(), ['--homedir', folder, '--kill', 'all'], { silenceMs: SIGN_MS }).catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function run(gpg: Program, home: string, args: readonly string[], input?: Buffer): Promise<GitResult> {
  const all = ['--homedir', home, '--batch', '--no-tty', '--quiet', '--pinentry-mode', 'error', ...args];
  return gpg.run(tmpdir(), all, { silenceMs: SIGN_MS, ...(input === undefined ? {} : { input }) });
}

function signature(kind: Signing['kind'], { code, stdout, stderr }: GitResult): string {
  if (code === 0 && /^-----BEGIN (SSH|PGP) SIGNATURE-----/.test(stdout)) return stdout;
  throw unfit(kind, stderr);
}

function unfit(kind: Signing['kind'], stderr: string): FairwayError {
  const words = redact(stderr.trim().split('\n').at(-1) ?? '') || 'no reason was given';
  const wanted = kind === 'ssh' ? 'an OpenSSH private key' : 'an OpenPGP secret key';
  return new FairwayError(
    'config.invalid',
    `Commits cannot be signed: ${words}. COMMIT_SIGNING_KEY_FILE must name ${wanted} without a passphrase which the writer alone may read.`,
    { disposition: 'retryable' },
  );
}
