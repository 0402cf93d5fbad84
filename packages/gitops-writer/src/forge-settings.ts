import { createPrivateKey, type KeyObject } from 'node:crypto';
import { choice, type Clock, type EnvOf, FairwayError, optionalText, text, url } from '@fairway/core';
import { addressOf } from './forges/github/address.ts';
import { installationTokens } from './forges/github/app.ts';
import { FORGES } from './forges.ts';
import type { Forge, ForgeLimits, GitCredentials, SharedCalls } from './ports.ts';

/** Which forge, where, and in whose name. */
export const FORGE_ENV = {
  FORGE: choice('kind of the forge', ['github', 'gitlab', 'gitea'], 'gitea'),
  FORGE_URL: url('base URL of the forge', ['http', 'https']),
  FORGE_REPOSITORY: text('owner/name of the GitOps repository on the forge; on GitLab with all its groups'),
  FORGE_TOKEN: optionalText('token of the forge, for Git and the API'),
  GITHUB_APP_ID: optionalText('id of the GitHub App that takes the place of FORGE_TOKEN'),
  GITHUB_APP_INSTALLATION_ID: optionalText("id of the App's installation on the owner of the repository"),
  GITHUB_APP_PRIVATE_KEY: { about: 'private key of the App (PEM)', read: readPrivateKey },
  WEBHOOK_SECRET: text('secret that the forge signs its webhooks with'),
  WEBHOOK_SECRET_PREVIOUS: optionalText('the secret before it, while the forge still signs with that one'),
};

type ForgeEnv = EnvOf<typeof FORGE_ENV> & { readonly GIT_USER: string; readonly GIT_BRANCH: string };

export type OpenForge = {
  readonly forge: Forge;
  readonly limits: ForgeLimits;
  /** For Git over HTTPS: the same token. */
  readonly credentials: GitCredentials;
  /** Told of a token that is no longer taken, where there can be another. */
  readonly refused: ((token: string) => void) | undefined;
};

/** Checks what only makes sense together; all problems at once as `config.invalid`. `shared`: counts the calls of all replicas. */
export function openForge(env: ForgeEnv, clock: Clock, shared?: SharedCalls): OpenForge {
  const problems = [...authProblems(env), ...addressProblems(env), ...secretProblems(env)];
  if (problems.length > 0) {
    throw new FairwayError('config.invalid', `The configuration is not usable:\n  ${problems.join('\n  ')}`, {
      detail: { problems },
    });
  }
  const { FORGE_URL, FORGE_REPOSITORY: repository, GIT_BRANCH: base } = env;
  const { open, limits } = FORGES[env.FORGE];
  const { current: credentials, refused } = tokensOf(env, clock);
  return {
    forge: open({ url: FORGE_URL, repository, credentials, refused, base, clock, shared }),
    limits,
    credentials,
    refused,
  };
}

type Tokens = { readonly current: GitCredentials; readonly refused: ((token: string) => void) | undefined };

function tokensOf(env: ForgeEnv, clock: Clock): Tokens {
  const { GITHUB_APP_ID: appId, GITHUB_APP_INSTALLATION_ID: installationId, GITHUB_APP_PRIVATE_KEY: privateKey } = env;
  const { GIT_USER: user, FORGE_TOKEN: token = '', FORGE_REPOSITORY: repository } = env;
  if (appId === undefined || installationId === undefined || privateKey === undefined)
    return { current: () => Promise.resolve({ user, token }), refused: undefined };
  const address = addressOf(env.FORGE_URL);
  return installationTokens({ appId, installationId, privateKey, repository, address, clock });
}

const APP = ['GITHUB_APP_ID', 'GITHUB_APP_INSTALLATION_ID', 'GITHUB_APP_PRIVATE_KEY'] as const;

function authProblems(env: ForgeEnv): string[] {
  const given = APP.filter((name) => env[name] !== undefined);
  if (given.length === 0) {
    if (env.FORGE_TOKEN !== undefined) return [];
    const instead = env.FORGE === 'github' ? `; a GitHub App will do instead: ${APP.join(', ')}` : '';
    return [`FORGE_TOKEN is not set (${FORGE_ENV.FORGE_TOKEN.about})${instead}.`];
  }
  if (env.FORGE !== 'github') return given.map((name) => `${name} is set, and FORGE is ${env.FORGE}: unset it.`);
  if (env.FORGE_TOKEN !== undefined) return [`FORGE_TOKEN and ${given[0]} are both set: keep the token or the App.`];
  return APP.filter((name) => env[name] === undefined).map(
    (name) => `${name} is not set (${FORGE_ENV[name].about}), and ${given[0]} is.`,
  );
}

function addressProblems({ FORGE: kind, FORGE_REPOSITORY: repository, FORGE_URL: address }: ForgeEnv): string[] {
  const parts = repository.split('/');
  const isPath = parts.every((part) => /^[^\s\p{Cc}:?#\\]+$/u.test(part) && !/^\.+$/.test(part));
  const fits = isPath && !repository.endsWith('.git') && (kind === 'gitlab' ? parts.length > 1 : parts.length === 2);
  const form = kind === 'gitlab' ? 'group/subgroup/project' : 'owner/name';
  const { username, password, search } = new URL(address);
  return [
    ...(fits ? [] : [`FORGE_REPOSITORY must be ${form}, without the address of the forge and without .git.`]),
    ...(username + password + search === '' ? [] : ['FORGE_URL must hold neither a user nor a password nor a query.']),
  ];
}

/** A signing token of GitLab that is mistyped would refuse every delivery. */
function secretProblems(env: ForgeEnv): string[] {
  const names = ['WEBHOOK_SECRET', 'WEBHOOK_SECRET_PREVIOUS'] as const;
  return names
    .filter((name) => env.FORGE === 'gitlab' && env[name]?.startsWith('whsec_') === true)
    .filter(
      (name) => !/^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(env[name] ?? ''),
    )
    .map((name) => `${name} begins as a signing token of GitLab and is none: copy it again, whsec_ and base64.`);
}

/** PKCS #1, as GitHub hands it out, or PKCS #8; in a variable its line ends may be written as \n. */
function readPrivateKey(raw: string | undefined): { value: KeyObject | undefined } | { problem: string } {
  if (raw === undefined) return { value: undefined };
  try {
    const value = createPrivateKey(raw.replaceAll('\\n', '\n'));
    if (value.asymmetricKeyType === 'rsa') return { value };
  } catch {
    // What it says could show a part of the key.
  }
  return { problem: 'must be an RSA private key in PEM form, as GitHub hands it out' };
}
