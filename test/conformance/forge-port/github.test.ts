import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installationTokens } from '../../../packages/gitops-writer/src/forges/github/app.ts';
import { githubForge } from '../../../packages/gitops-writer/src/forges/github/forge.ts';
import { GITHUB_LIMITS } from '../../../packages/gitops-writer/src/forges/http/budget.ts';
import type { Forge, GitCredentials } from '../../../packages/gitops-writer/src/ports.ts';
import { type FakeApp, type GithubFake, GITHUB_USERS, startGithub } from '../../harness/forges/github.ts';
import { runQueue } from '../../harness/forges/github-talk.ts';
import type { FakeRepository } from '../../harness/forges/repository.ts';
import { type GitClient, gitClient } from '../forge/git-client.ts';
import { ofBase, push } from './target.ts';

/** What only GitHub has: the merge queue, Apps, its limits, free conditional reads. */

const BRANCH = 'fairway/deploy/home-equity/dev/1f';
const REQUEST = { branch: BRANCH, title: 'Deploy', body: 'Body', labels: [], reviewers: [] };
const HOUR = 3_600_000;
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pat: GitCredentials = () => Promise.resolve({ user: 'fairway-bot', token: GITHUB_USERS['fairway-bot'] });

let git: GitClient;
let server: GithubFake;
let app: FakeApp & { tokenMs: number };
let repository: FakeRepository;
let folder: string;
let head: string;
let now: number;
beforeAll(() => {
  git = gitClient();
});
afterAll(() => git.remove());
beforeEach(async () => {
  now = Date.now();
  app = { id: '4711', installationId: '99', publicKey: keys.publicKey, tokenMs: HOUR, tokens: new Set() };
  server = await startGithub({ app, now: () => now });
  repository = await server.newRepository('bank/gitops');
  folder = await git.clone(repository.dir, `w${Math.random().toString(36).slice(2)}`);
  head = await push(git, folder, BRANCH, { 'x.txt': 'x\n' });
});
afterEach(() => server.stop());

const clock = { now: () => now };
const address = () => ({ api: server.api, graphql: server.graphql, limits: GITHUB_LIMITS });
const forgeOf = (credentials: Parameters<typeof githubForge>[0]['credentials'] = { current: pat }): Forge =>
  githubForge({ address: address(), repository: repository.full, credentials, base: 'main', clock });
const appTokens = (more: Partial<Parameters<typeof installationTokens>[0]> = {}) =>
  installationTokens({
    appId: app.id,
    installationId: app.installationId,
    privateKey: keys.privateKey,
    repository: repository.full,
    address: address(),
    clock,
    ...more,
  });
const asked = (method: string, path: RegExp) =>
  server.seen.filter((call) => call.method === method && path.test(call.path)).map(({ status }) => status);

describe('a branch with a merge queue', () => {
  it('takes a pull request into the queue, once, and merges it itself', async () => {
    repository.rules.queue = true;
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    const base = await ofBase(git, folder, '%H');
    for (let i = 0; i < 3; i++) {
      const answer = await forge.merge(number, head, 'Deploy');
      expect(answer).toEqual({
        kind: 'queued',
        reason: `Pull request #${number} waits in the merge queue (position 1).`,
      });
    }
    expect((await forge.read(number)).standing).toMatchObject({ kind: 'queued' });
    expect(await ofBase(git, folder, '%H')).toBe(base);
    await runQueue(repository, 'github-merge-queue[bot]');
    expect(await forge.read(number)).toMatchObject({ state: 'merged', endedBy: 'github-merge-queue[bot]' });
  });

  it('does not take a head that moved, nor one that a rule stands against', async () => {
    repository.rules.queue = true;
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    expect((await forge.merge(number, '1'.repeat(40), 'Deploy')).kind).toBe('moved');
    repository.rules.approvals = 1;
    expect((await forge.merge(number, head, 'Deploy')).kind).toBe('blocked');
    expect((await forge.read(number)).standing.kind).not.toBe('queued');
  });

  it('is listed once in half a minute for all, and looked for once in ten minutes where there is none', async () => {
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    for (let i = 0; i < 4; i++) await forge.read(number);
    expect(asked('POST', /graphql/)).toEqual([200]);
    now += 601_000;
    repository.rules.queue = true;
    for (let i = 0; i < 20; i++) await forge.read(number);
    expect(asked('POST', /graphql/)).toEqual([200, 200]);
    now += 31_000;
    for (let i = 0; i < 20; i++) await forge.read(number);
    expect(asked('POST', /graphql/)).toEqual([200, 200, 200]);
  });

  it('does not keep a pull request from being read when GraphQL fails', async () => {
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    await forge.read(number);
    now += 601_000;
    const reading = forge.read(number);
    server.failures.push({ status: 200, body: await single(number) }, { status: 502 });
    expect(await reading).toMatchObject({ number, state: 'open' });
  });
});

const single = async (number: number): Promise<unknown> => {
  const answer = await fetch(`${server.api}/repos/bank/gitops/pulls/${number}`, {
    headers: { authorization: `Bearer ${GITHUB_USERS['fairway-bot']}` },
  });
  return answer.json();
};

describe('a GitHub App', () => {
  it('works with a token for this repository, kept until shortly before its end', async () => {
    const tokens = appTokens();
    const forge = forgeOf(tokens);
    const { number } = await forge.open(REQUEST);
    await forge.comment(number, '<!-- m -->', 'Hello');
    expect(repository.pulls[0]).toMatchObject({ author: 'fairway[bot]' });
    expect(asked('POST', /access_tokens/)).toEqual([201]);
    expect(await tokens.current()).toEqual({ user: 'x-access-token', token: 'ghs_0_gitops_token-of-the-tests' });
    now += HOUR - 400_000;
    expect((await tokens.current()).token).toContain('ghs_0');
    now += 150_000;
    expect((await tokens.current()).token).toContain('ghs_1');
  });

  it('asks for one token, however many ask it', async () => {
    const tokens = appTokens();
    const all = await Promise.all(Array.from({ length: 10 }, () => tokens.current()));
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(asked('POST', /access_tokens/)).toEqual([201]);
  });

  it('asks again when GitHub no longer takes a token', async () => {
    const tokens = appTokens();
    const forge = forgeOf(tokens);
    const { number } = await forge.open(REQUEST);
    app.tokens.clear();
    expect((await forge.read(number)).number).toBe(number);
    expect(asked('POST', /access_tokens/)).toEqual([201, 201]);
  });

  it('goes on with the old token for a while when it gets no new one', async () => {
    const tokens = appTokens();
    const { token } = await tokens.current();
    now += HOUR - 200_000;
    server.failures.push({ status: 503 }, { status: 503 });
    expect((await tokens.current()).token).toBe(token);
    now += 190_000;
    await expect(tokens.current()).rejects.toMatchObject({ code: 'forge.unavailable' });
    expect((await tokens.current()).token).not.toBe(token);
  });

  it.each([
    ['another key', { privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }],
    ['another App', { appId: '1' }],
    ['another installation', { installationId: '1' }],
    ['a repository it is not installed on', { repository: 'bank/other' }],
  ])('says what to mend: %s', async (_what, wrong) => {
    const error = await appTokens(wrong)
      .current()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'forge.refused', disposition: 'retryable' });
    expect((error as Error).message).toContain('GITHUB_APP_INSTALLATION_ID');
    expect((error as Error).message).not.toContain('PRIVATE KEY');
  });
});

describe('limits', () => {
  it('reads what has not changed for nothing', async () => {
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    for (let i = 0; i < 2; i++) await forge.read(number);
    Object.assign(server.quota, { remaining: 3, resetAt: now / 1_000 + 100 });
    for (let i = 0; i < 10; i++) await forge.read(number);
    expect(server.quota.remaining).toBe(3);
    expect(asked('GET', /pulls\/1$/).slice(-10)).toEqual(Array.from({ length: 10 }, () => 304));
    head = await push(git, folder, BRANCH, { 'x.txt': 'changed\n' });
    expect((await forge.read(number)).headSha).toBe(head);
  });

  it('writes a status once', async () => {
    const forge = forgeOf();
    const status = { context: 'fairway/approval', state: 'success', description: 'Approved' } as const;
    for (let i = 0; i < 5; i++) await forge.setStatus(head, status);
    expect(asked('POST', /statuses/)).toEqual([201]);
  });

  it('asks nothing until the hour is over once the quota is used up', async () => {
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    Object.assign(server.quota, { remaining: 0, resetAt: Math.ceil(now / 1_000) + 600 });
    await expect(forge.read(number)).rejects.toMatchObject({ code: 'forge.unavailable' });
    const { length } = server.seen;
    now += 300_000;
    const again = await forge.find(BRANCH).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: expect.any(Number) } });
    expect(server.seen).toHaveLength(length);
    now += 302_000;
    Object.assign(server.quota, { remaining: 5_000 });
    expect(await forge.find(BRANCH)).toMatchObject({ number });
  });

  it('pauses as long as the secondary limit says', async () => {
    const forge = forgeOf();
    server.writes = { left: 0, retryAfterS: 37 };
    const refusal = await forge.open(REQUEST).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: 37_000 } });
    server.writes = { left: 1, retryAfterS: 37 };
    await expect(forge.find(BRANCH)).rejects.toMatchObject({ detail: { retryAfterMs: 37_000 } });
    now += 37_001;
    expect(await forge.open(REQUEST)).toMatchObject({ branch: BRANCH });
  });

  it('slows down when GitHub says that pull requests come too quickly, which fails none', async () => {
    const forge = forgeOf();
    const errors = [{ resource: 'PullRequest', code: 'custom', message: 'was submitted too quickly' }];
    server.failures.push({ status: 422, body: { message: 'Validation Failed', errors } });
    const refusal = await forge.open(REQUEST).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: 60_000 } });
    expect((refusal as Error).message).toContain('was submitted too quickly');
    now += 60_001;
    expect(await forge.open(REQUEST)).toMatchObject({ branch: BRANCH });
  });

  it('keeps below 80 writes a minute by itself', async () => {
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    const say = (i: number) => forge.comment(number, `<!-- ${i} -->`, 'x');
    for (let i = 0; i < 79; i++) await say(i);
    const error = await say(79).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: 60_000 } });
    expect(server.seen.filter(({ method, path }) => method !== 'GET' && !path.includes('graphql'))).toHaveLength(80);
  });
});

it('says that the token is wrong, and keeps the change for when it is mended', async () => {
  const wrong = { current: () => Promise.resolve({ user: 'x', token: 'a-wrong-token' }) };
  const error = await forgeOf(wrong)
    .find(BRANCH)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'forge.refused', disposition: 'retryable' });
  expect((error as Error).message).toMatch(/401: Bad credentials.*FORGE_TOKEN/);
  expect((error as Error).message).not.toContain('a-wrong-token');
});

it.each([
  { resource: 'PullRequest', field: 'head', code: 'invalid' },
  { resource: 'PullRequest', code: 'custom', message: "Head sha can't be blank" },
])('asks again while GitHub has not noticed the branch: %j', async (error) => {
  const forge = forgeOf();
  server.failures.push({ status: 422, body: { message: 'Validation Failed', errors: [error] } });
  await expect(forge.open(REQUEST)).rejects.toMatchObject({
    code: 'forge.unavailable',
    disposition: 'retryable',
    message: expect.stringContaining(`has not noticed branch ${BRANCH} yet`),
  });
  expect(await forge.open(REQUEST)).toMatchObject({ branch: BRANCH });
});

it('names a test merge nowhere', async () => {
  const forge = forgeOf();
  const { number } = await forge.open(REQUEST);
  expect(await single(number)).toMatchObject({ merge_commit_sha: expect.stringMatching(/^[0-9a-f]{40}$/) });
  expect(await forge.read(number)).not.toHaveProperty('mergeCommit');
});
