import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitlabForge } from '../../../packages/gitops-writer/src/forges/gitlab/forge.ts';
import type { Forge } from '../../../packages/gitops-writer/src/ports.ts';
import { GITLAB_USERS, type GitlabFake, startGitlab } from '../../harness/forges/gitlab.ts';
import { type FakeRepository, mergePull } from '../../harness/forges/repository.ts';
import { type GitClient, gitClient } from '../forge/git-client.ts';
import { ofBase, push } from './target.ts';

/** What only GitLab has: merge trains, subgroups, statuses that refuse to be repeated, limits told late. */

const BRANCH = 'fairway/deploy/home-equity/dev/1f';
const REQUEST = { branch: BRANCH, title: 'Deploy', body: 'Body', labels: [], reviewers: [] };

let git: GitClient;
let server: GitlabFake;
let project: FakeRepository;
let folder: string;
let head: string;
let now: number;
beforeAll(() => {
  git = gitClient();
});
afterAll(() => git.remove());
beforeEach(async () => {
  now = Date.now();
  server = await startGitlab({ now: () => now });
  project = await server.newProject('bank/risk/models.v2/gitops');
  folder = await git.clone(project.dir, `w${project.id}`);
  head = await push(git, folder, BRANCH, { 'x.txt': 'x\n' });
});
afterEach(() => server.stop());

const forgeOf = (more: Partial<Parameters<typeof gitlabForge>[0]> = {}): Forge =>
  gitlabForge({
    url: `${server.url}/`,
    repository: project.full,
    credentials: () => Promise.resolve({ user: 'fairway-bot', token: GITLAB_USERS['fairway-bot'] }),
    base: 'main',
    clock: { now: () => now },
    ...more,
  });
const asked = (method: string, path: RegExp) =>
  server.seen.filter((call) => call.method === method && path.test(call.path)).map(({ status }) => status);

describe('a project with merge trains', () => {
  it('puts a merge request onto the train, once, and merges it itself', async () => {
    project.rules.queue = true;
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    const base = await ofBase(git, folder, '%H');
    for (let i = 0; i < 3; i++) expect((await forge.merge(number, head, 'Deploy')).kind).toBe('queued');
    expect(asked('POST', /merge_trains/)).toEqual([201]);
    expect(asked('PUT', /merge$/)).toEqual([]);
    expect((await forge.read(number)).standing).toMatchObject({ kind: 'queued' });
    expect(await ofBase(git, folder, '%H')).toBe(base);
    await mergePull(project, project.pulls[0] as (typeof project.pulls)[number], 'fairway-bot', 'From the train');
    expect(await forge.read(number)).toMatchObject({ state: 'merged' });
  });

  it('does not take a head that moved, nor one that a rule stands against', async () => {
    project.rules.queue = true;
    const forge = forgeOf();
    const { number } = await forge.open(REQUEST);
    expect((await forge.merge(number, '1'.repeat(40), 'Deploy')).kind).toBe('moved');
    project.rules.approvals = 1;
    await expect.poll(async () => (await forge.merge(number, head, 'Deploy')).kind).toBe('blocked');
    expect((await forge.read(number)).standing.kind).not.toBe('queued');
  });
});

it('names the project with all its groups in one part of the path', async () => {
  const { number } = await forgeOf().open(REQUEST);
  expect(number).toBe(1);
  expect(server.seen[0]?.path).toMatch(/^\/projects\/bank%2Frisk%2Fmodels.v2%2Fgitops\//);
});

it('does not obey what a model card says', async () => {
  const forge = forgeOf();
  const body = 'Card\n\n/close\n/draft\n/label ~bad';
  const { number } = await forge.open({ ...REQUEST, body });
  await forge.comment(number, '<!-- m -->', '/close\nwas in the card');
  expect(await forge.read(number)).toMatchObject({ state: 'open', body });
  expect(project.pulls[0]).toMatchObject({ draft: false, labels: [] });
});

it('takes a status that was set meanwhile for set', async () => {
  const forge = forgeOf();
  const status = { context: 'fairway/live', state: 'pending', description: 'Waiting' } as const;
  await Promise.all(Array.from({ length: 4 }, () => forge.setStatus(head, status)));
  expect(asked('POST', /statuses/).filter((code) => code === 400).length).toBeGreaterThan(0);
  expect(project.statuses.get(head)).toHaveLength(1);
});

it('waits as long as it is told once it is limited', async () => {
  const forge = forgeOf();
  Object.assign(server.quota, { remaining: 0, resetAt: Math.ceil(now / 1_000) + 40 });
  const refusal = await forge.find(BRANCH).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'forge.unavailable', detail: { retryAfterMs: expect.any(Number) } });
  await expect(forge.open(REQUEST)).rejects.toMatchObject({ code: 'forge.unavailable' });
  expect(server.seen).toHaveLength(1);
  now += 42_000;
  Object.assign(server.quota, { remaining: 100 });
  expect(await forge.open(REQUEST)).toMatchObject({ branch: BRANCH });
});

it('tells a user who may not merge from a token that is wrong', async () => {
  const forge = forgeOf();
  const { number } = await forge.open(REQUEST);
  await forge.read(number);
  server.failures.push({ status: 200, body: { merge_trains_enabled: false } });
  server.failures.push({ status: 401, body: { message: '401 Unauthorized' } });
  expect((await forgeOf().merge(number, head, '')).kind).toBe('not-yet');
  const wrong = forgeOf({ credentials: () => Promise.resolve({ user: 'x', token: 'a-wrong-token' }) });
  const error = await wrong.merge(number, head, '').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'forge.refused', disposition: 'retryable' });
  expect((error as Error).message).toContain('FORGE_TOKEN');
});
