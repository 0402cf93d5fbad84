import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GitClient, gitClient } from './git-client.ts';
import { call, newRepository, startTarget, type Target } from './target.ts';

let forge: Target;
let git: GitClient;
let api: string;
let dir: string;

beforeAll(async () => {
  forge = await startTarget();
  git = gitClient();
});
afterAll(async () => {
  git.remove();
  await forge.stop();
});
beforeEach(async () => {
  const repository = await newRepository(forge);
  api = repository.api;
  dir = await git.clone(repository.cloneUrl, repository.name);
});

/** Commits a file on a branch from main and pushes it. */
async function branch(name: string, path: string, text: string): Promise<string> {
  await git.ok(dir, ['checkout', '--quiet', '-B', name, 'origin/main']);
  const sha = await git.commit(dir, path, text);
  await git.ok(dir, ['push', '--quiet', '--force', 'origin', name], forge.second);
  return sha;
}
const open = (head: string, extra: object = {}) =>
  call(forge, 'POST', `${api}/pulls`, {
    token: forge.second.token,
    body: { head, base: 'main', title: `Deploy ${head}`, body: 'Because.', ...extra },
  });
const get = (path: string) => call(forge, 'GET', `${api}${path}`);

describe('opening', () => {
  it('answers the whole pull request', async () => {
    const sha = await branch('fairway/deploy/x', 'x.txt', 'x\n');
    const { status, body } = await open('fairway/deploy/x');
    expect(status).toBe(201);
    expect(body).toMatchObject({
      number: expect.any(Number),
      title: 'Deploy fairway/deploy/x',
      body: 'Because.',
      state: 'open',
      merged: false,
      merged_at: null,
      merge_commit_sha: null,
      closed_at: null,
      user: { login: forge.second.name },
      head: { ref: 'fairway/deploy/x', label: 'fairway/deploy/x', sha },
      base: { ref: 'main', label: 'main', sha: expect.stringMatching(/^[0-9a-f]{40}$/) },
      html_url: expect.stringMatching(/\/pulls\/\d+$/),
      diff_url: expect.stringMatching(/\.diff$/),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/),
    });
    expect(body.merge_base).toBe(body.base.sha);
  });

  it('is refused twice for one pair with 409, and allowed again after closing', async () => {
    await branch('b', 'x.txt', 'x\n');
    const { body } = await open('b');
    expect((await open('b')).status).toBe(409);
    await call(forge, 'PATCH', `${api}/pulls/${body.number}`, {
      token: forge.owner.token,
      body: { state: 'closed' },
    });
    expect((await open('b')).status).toBe(201);
  });

  it('needs branches that exist (404), that differ (422), and a title (422)', async () => {
    await branch('b', 'x.txt', 'x\n');
    expect((await open('none')).status).toBe(404);
    expect((await open('b', { base: 'none' })).status).toBe(404);
    expect((await open('main')).status).toBe(422);
    expect((await open('b', { title: '' })).status).toBe(422);
  });

  it('takes the head as owner:branch too', async () => {
    await branch('b', 'x.txt', 'x\n');
    expect((await open(`${forge.owner.name}:b`)).body.head.ref).toBe('b');
  });
});

describe('finding', () => {
  it('lists by state, newest first, a page at a time', async () => {
    for (const name of ['a', 'b', 'c']) {
      await branch(name, `${name}.txt`, name);
      await open(name);
    }
    const [, second] = (await get('/pulls')).body;
    await call(forge, 'PATCH', `${api}/pulls/${second?.number}`, {
      token: forge.owner.token,
      body: { state: 'closed' },
    });
    const refs = async (query: string) => (await get(`/pulls?${query}`)).body.map((pull) => pull.head.ref);
    expect(await refs('')).toEqual(['c', 'a']);
    expect(await refs('state=closed')).toEqual(['b']);
    expect(await refs('state=all')).toEqual(['c', 'b', 'a']);
    const page = await get('/pulls?state=all&limit=2&page=2');
    expect(page.body.map((pull) => pull.head.ref)).toEqual(['a']);
    expect(page.headers.get('x-total-count')).toBe('3');
  });

  it('gets by number, and by base and head with slashes', async () => {
    await branch('fairway/deploy/m/prod/1f', 'x.txt', 'x\n');
    const { number } = (await open('fairway/deploy/m/prod/1f')).body;
    expect((await get(`/pulls/${number}`)).body.number).toBe(number);
    expect((await get('/pulls/main/fairway/deploy/m/prod/1f')).body.number).toBe(number);
    expect((await get(`/pulls/main/${encodeURIComponent('fairway/deploy/m/prod/1f')}`)).body.number).toBe(number);
    expect((await get('/pulls/main/none')).status).toBe(404);
    expect((await get('/pulls/9999')).status).toBe(404);
  });

  it('shows its diff, files and commits', async () => {
    const sha = await branch('b', 'models/x.txt', 'one\ntwo\n');
    const { number } = (await open('b')).body;
    expect((await get(`/pulls/${number}.diff`)).text).toContain('+one\n+two\n');
    const files = await get(`/pulls/${number}/files`);
    expect(files.body).toMatchObject([
      { filename: 'models/x.txt', status: 'added', additions: 2, deletions: 0, changes: 2 },
    ]);
    const commits = await get(`/pulls/${number}/commits`);
    expect(commits.body).toMatchObject([{ sha, commit: { message: expect.stringContaining('models/x.txt') } }]);
  });
});

describe('changing', () => {
  it('edits title, body and state, and answers 201', async () => {
    await branch('b', 'x.txt', 'x\n');
    const { number } = (await open('b')).body;
    const edit = (body: object) => call(forge, 'PATCH', `${api}/pulls/${number}`, { token: forge.second.token, body });
    const edited = await edit({ title: 'New', body: 'Newer' });
    expect(edited.status).toBe(201);
    expect(edited.body).toMatchObject({ title: 'New', body: 'Newer', state: 'open' });
    const closed = await edit({ state: 'closed' });
    expect(closed.body).toMatchObject({ state: 'closed', merged: false, closed_at: expect.any(String) });
    expect((await edit({ state: 'open' })).body).toMatchObject({ state: 'open', closed_at: null });
  });

  it('tells in the timeline who closed it', async () => {
    await branch('b', 'x.txt', 'x\n');
    const { number } = (await open('b')).body;
    const edit = (state: string) =>
      call(forge, 'PATCH', `${api}/pulls/${number}`, { token: forge.second.token, body: { state } });
    const closings = async () =>
      (await get(`/issues/${number}/timeline`)).body
        .filter((event) => event.type === 'close')
        .map(({ user }) => user.login);
    expect(await closings()).toEqual([]);
    await edit('closed');
    expect(await closings()).toEqual([forge.second.name]);
  });

  it('follows pushes to its branch', async () => {
    const first = await branch('b', 'x.txt', 'x\n');
    const { number } = (await open('b')).body;
    const second = await branch('b', 'x.txt', 'y\n');
    expect(second).not.toBe(first);
    expect((await get(`/pulls/${number}`)).body.head.sha).toBe(second);
    expect(await git.ok(dir, ['ls-remote', 'origin', `refs/pull/${number}/head`])).toContain(second);
  });

  it('closes when its branch is deleted, and keeps its head', async () => {
    const sha = await branch('b', 'x.txt', 'x\n');
    const { number } = (await open('b')).body;
    await git.ok(dir, ['push', '--quiet', '--delete', 'origin', 'b'], forge.owner);
    await expect
      .poll(async () => (await get(`/pulls/${number}`)).body, { timeout: 60_000 })
      .toMatchObject({ state: 'closed', merged: false, head: { sha } });
  });

  it('tells whether it can be merged', async () => {
    await branch('b', 'README.md', 'mine\n');
    const { number } = (await open('b')).body;
    const mergeable = async () => (await get(`/pulls/${number}`)).body.mergeable;
    await expect.poll(mergeable, { timeout: 60_000 }).toBe(true);
    await git.ok(dir, ['checkout', '--quiet', '-B', 'main', 'origin/main']);
    await git.commit(dir, 'README.md', 'theirs\n');
    await git.ok(dir, ['push', '--quiet', 'origin', 'main'], forge.owner);
    await expect.poll(mergeable, { timeout: 60_000 }).toBe(false);
  });

  it('asks known users for a review', async () => {
    await branch('b', 'x.txt', 'x\n');
    const { number } = (await open('b')).body;
    const ask = (reviewers: string[]) =>
      call(forge, 'POST', `${api}/pulls/${number}/requested_reviewers`, {
        token: forge.owner.token,
        body: { reviewers },
      });
    expect((await ask([forge.owner.name])).status).toBe(201);
    expect((await ask(['nobody-of-that-name'])).status).toBe(404);
    const { body } = await get(`/pulls/${number}`);
    expect(body.requested_reviewers.map((user) => user.login)).toEqual([forge.owner.name]);
    expect((await get(`/pulls/${number}/reviews`)).body).toMatchObject([
      { user: { login: forge.owner.name }, state: 'REQUEST_REVIEW' },
    ]);
  });
});
