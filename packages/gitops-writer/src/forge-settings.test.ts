import { generateKeyPairSync } from 'node:crypto';
import { type FairwayError, readEnv } from '@fairway/core';
import { expect, it } from 'vitest';
import { FORGE_ENV, openForge } from './forge-settings.ts';

const PEM = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString();
const clock = { now: () => 0 };
const base = { FORGE_URL: 'https://forge.example.com', FORGE_REPOSITORY: 'bank/gitops', WEBHOOK_SECRET: 's' };
const opened = (given: Record<string, string>) =>
  openForge({ ...readEnv({ ...base, ...given }, FORGE_ENV), GIT_USER: 'fairway-bot', GIT_BRANCH: 'main' }, clock);
const problemsOf = (given: Record<string, string>): unknown => {
  try {
    opened(given);
    return [];
  } catch (error) {
    return (error as FairwayError).detail['problems'];
  }
};
const app = { FORGE: 'github', GITHUB_APP_ID: '1', GITHUB_APP_INSTALLATION_ID: '2', GITHUB_APP_PRIVATE_KEY: PEM };

it.each([
  ['github', 65_536],
  ['gitlab', 1_000_000],
  ['gitea', 1_000_000],
])('opens %s with a token', async (FORGE, body) => {
  const { credentials, limits } = opened({ FORGE, FORGE_TOKEN: 'a-token' });
  expect(await credentials()).toEqual({ user: 'fairway-bot', token: 'a-token' });
  expect(limits).toEqual({ body });
});

it.each([
  ['an App', app],
  ['a key on one line', { ...app, GITHUB_APP_PRIVATE_KEY: PEM.replaceAll('\n', '\\n') }],
  ['groups on GitLab', { FORGE: 'gitlab', FORGE_TOKEN: 't', FORGE_REPOSITORY: 'bank/risk/gitops' }],
  [
    'a signing token of GitLab',
    { FORGE: 'gitlab', FORGE_TOKEN: 't', WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
  ],
])('takes %s', (_what, given) => expect(problemsOf(given)).toEqual([]));

it.each([
  [{}, ['FORGE_TOKEN is not set (token of the forge, for Git and the API).']],
  [{ FORGE: 'github' }, [/a GitHub App will do instead: GITHUB_APP_ID/]],
  [{ ...app, FORGE_TOKEN: 't' }, [/both set: keep the token or the App/]],
  [
    { FORGE: 'github', GITHUB_APP_ID: '1' },
    [/^GITHUB_APP_INSTALLATION_ID is not set/, /^GITHUB_APP_PRIVATE_KEY is not set/],
  ],
  [{ FORGE: 'gitlab', FORGE_TOKEN: 't', GITHUB_APP_ID: '1' }, [/^GITHUB_APP_ID is set, and FORGE is gitlab/]],
  [{ ...app, GITHUB_APP_PRIVATE_KEY: 'secret words' }, [/^GITHUB_APP_PRIVATE_KEY must be an RSA private key/]],
  [{ FORGE_TOKEN: 't', FORGE_REPOSITORY: 'bank/risk/gitops' }, [/owner\/name/]],
  [{ FORGE_TOKEN: 't', FORGE_REPOSITORY: 'gitops' }, [/owner\/name/]],
  [{ FORGE_TOKEN: 't', FORGE_REPOSITORY: 'bank/..' }, [/owner\/name/]],
  [{ FORGE_TOKEN: 't', FORGE_REPOSITORY: 'bank/gitops.git' }, [/without \.git/]],
  [{ FORGE: 'gitlab', FORGE_TOKEN: 't', FORGE_REPOSITORY: 'https://x/y' }, [/group\/subgroup\/project/]],
  [{ FORGE: 'gitlab', FORGE_TOKEN: 't', WEBHOOK_SECRET: 'whsec_abc' }, [/^WEBHOOK_SECRET begins as a signing token/]],
  [
    { FORGE_URL: 'https://u:p@forge.example.com', FORGE_REPOSITORY: 'x' },
    [/^FORGE_TOKEN/, /^FORGE_REPOSITORY/, /^FORGE_URL/],
  ],
])('of %j says what to mend', (given, expected) => {
  const problems = problemsOf(given) as string[];
  expect(problems).toHaveLength(expected.length);
  for (const [i, words] of expected.entries()) expect(problems[i]).toMatch(words);
  for (const problem of problems) expect(problem).not.toContain('secret words');
});
