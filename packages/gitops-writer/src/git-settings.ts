import { accessSync, constants } from 'node:fs';
import { choice, type Clock, type EnvOf, FairwayError, flag, optionalText, text } from '@fairway/core';
import type { GitSettings } from './git/engine.ts';
import type { CredentialSource } from './git/environment.ts';
import { isSsh } from './git/ssh.ts';

/** How the writer reaches the GitOps repository, and whose its commits are. */
export const GIT_ENV = {
  GIT_URL: {
    about: 'clone URL of the GitOps repository: https, ssh, or user@host:path',
    read: readGitUrl,
  },
  GIT_BRANCH: text('default branch of the GitOps repository', 'main'),
  GIT_USER: text('user name that goes with FORGE_TOKEN for Git'),
  GIT_CA_FILE: optionalText('certificate authorities (PEM) that are trusted for GIT_URL instead of the system ones'),
  GIT_SSH_KEY_FILE: optionalText('OpenSSH private key without passphrase, for Git over SSH'),
  GIT_SSH_KNOWN_HOSTS_FILE: optionalText('host keys that are trusted for Git over SSH; no other is'),
  COMMIT_NAME: optionalText('name in commits; GIT_USER when not set'),
  COMMIT_EMAIL: optionalText('address in commits; GIT_USER@noreply.localhost when not set'),
  COMMIT_SIGN_OFF: flag('whether commits end in Signed-off-by', false),
  COMMIT_SIGNING: choice('how commits are signed', ['none', 'ssh', 'gpg'], 'none'),
  COMMIT_SIGNING_KEY_FILE: optionalText('private key without passphrase that commits are signed with'),
};

type GitEnv = EnvOf<typeof GIT_ENV> & { readonly DATA_DIR: string };

/** Checks what only makes sense together; all problems at once as `config.invalid`. */
export function gitSettings(
  env: GitEnv,
  credentials: CredentialSource,
  clock: Clock,
  path: string | undefined,
): GitSettings {
  const problems = [...sshProblems(env), ...signingProblems(env), ...fileProblems(env)];
  if (problems.length > 0) {
    throw new FairwayError('config.invalid', `The configuration is not usable:\n  ${problems.join('\n  ')}`, {
      detail: { problems },
    });
  }
  const { GIT_SSH_KEY_FILE: keyFile, GIT_SSH_KNOWN_HOSTS_FILE: knownHostsFile } = env;
  const { COMMIT_SIGNING: kind, COMMIT_SIGNING_KEY_FILE: signingKey } = env;
  return {
    access: {
      url: env.GIT_URL,
      credentials,
      caFile: env.GIT_CA_FILE,
      ssh: keyFile === undefined || knownHostsFile === undefined ? undefined : { keyFile, knownHostsFile },
    },
    branch: env.GIT_BRANCH,
    dataDir: env.DATA_DIR,
    person: { name: env.COMMIT_NAME ?? env.GIT_USER, email: env.COMMIT_EMAIL ?? `${env.GIT_USER}@noreply.localhost` },
    signOff: env.COMMIT_SIGN_OFF,
    signing: kind === 'none' || signingKey === undefined ? undefined : { kind, keyFile: signingKey },
    clock,
    path,
  };
}

function readGitUrl(raw: string | undefined): { value: string } | { problem: string } {
  if (raw === undefined) return { problem: 'is not set' };
  const wanted = 'must be a URL that starts with https://, http://, ssh:// or file://, or user@host:path';
  if (/[\s\p{Cc}]/u.test(raw) && !raw.startsWith('file:')) return { problem: wanted };
  if (isSsh(raw) && !raw.startsWith('ssh:')) return { value: raw };
  if (!URL.canParse(raw)) return { problem: wanted };
  const { protocol, username, password } = new URL(raw);
  if (!['https:', 'http:', 'ssh:', 'file:'].includes(protocol)) return { problem: wanted };
  if (password !== '' || (protocol.startsWith('http') && username !== '')) {
    return { problem: 'must not hold a user or a password; the token goes into FORGE_TOKEN' };
  }
  return { value: raw };
}

function sshProblems(env: GitEnv): string[] {
  if (!isSsh(env.GIT_URL)) return [];
  const names = ['GIT_SSH_KEY_FILE', 'GIT_SSH_KNOWN_HOSTS_FILE'] as const;
  return names
    .filter((name) => env[name] === undefined)
    .map((name) => `${name} is not set (${GIT_ENV[name].about}); GIT_URL wants SSH.`);
}

function signingProblems({ COMMIT_SIGNING: kind, COMMIT_SIGNING_KEY_FILE: file }: GitEnv): string[] {
  if (kind !== 'none' && file === undefined) {
    return [
      `COMMIT_SIGNING_KEY_FILE is not set (${GIT_ENV.COMMIT_SIGNING_KEY_FILE.about}); COMMIT_SIGNING is ${kind}.`,
    ];
  }
  return [];
}

function fileProblems(env: GitEnv): string[] {
  const names = ['GIT_CA_FILE', 'GIT_SSH_KEY_FILE', 'GIT_SSH_KNOWN_HOSTS_FILE', 'COMMIT_SIGNING_KEY_FILE'] as const;
  return names.flatMap((name) => {
    const file = env[name];
    if (file === undefined) return [];
    if (/["\p{Cc}]/u.test(file)) return [`${name} must be a path without quotation marks and control characters.`];
    try {
      accessSync(file, constants.R_OK);
      return [];
    } catch {
      return [`${name} names a file that cannot be read; check the path and its permissions.`];
    }
  });
}
