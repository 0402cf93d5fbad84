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

/** A pull request of `files`, one commit each, on `branch`; the head's commit and the number. */
async function pullRequest(branch: string, files: Record<string, string>): Promise<{ number: number; head: string }> {
  await git.ok(dir, ['fetch', '--quiet', 'origin']);
  await git.ok(dir, ['checkout', '--quiet', '-B', branch, 'origin/main']);
  for (const [path, text] of Object.entries(files)) await git.commit(dir, path, text);
  await git.ok(dir, ['push', '--quiet', 'origin', branch], forge.second);
  const body = { head: branch, base: 'main', title: `Change ${branch}` };
  const { number } = (await call(forge, 'POST', `${api}/pulls`, { token: forge.second.token, body })).body;
  await expect.poll(async () => (await get(number)).mergeable, { timeout: 60_000 }).toBe(true);
  return { number, head: await git.ok(dir, ['rev-parse', 'HEAD']) };
}
const get = async (number: number) => (await call(forge, 'GET', `${api}/pulls/${number}`)).body;
const merge = (number: number, body: object, token = forge.owner.token) =>
  call(forge, 'POST', `${api}/pulls/${number}/merge`, { token, body });
/** Commits a file on main and pushes it. */
async function onMain(path: string, text: string): Promise<string> {
  await git.ok(dir, ['fetch', '--quiet', 'origin']);
  await git.ok(dir, ['checkout', '--quiet', '-B', 'main', 'origin/main']);
  const sha = await git.commit(dir, path, text);
  await git.ok(dir, ['push', '--quiet', 'origin', 'main'], forge.owner);
  return sha;
}
async function main(format: string, ...more: string[]): Promise<string> {
  await git.ok(dir, ['fetch', '--quiet', '--prune', 'origin']);
  return git.ok(dir, ['log', '-1', `--format=${format}`, 'origin/main', ...more]);
}

describe('merging', () => {
  it('makes a merge commit in the name of who merged', async () => {
    const base = await onMain('other.txt', 'o\n');
    const { number, head } = await pullRequest('b', { 'x.txt': 'x\n' });
    const { status, text } = await merge(number, { Do: 'merge', head_commit_id: head });
    expect([status, text]).toEqual([200, '']);
    const pull = await get(number);
    expect(pull).toMatchObject({
      state: 'closed',
      merged: true,
      merged_at: expect.any(String),
      merged_by: { login: forge.owner.name },
      merge_commit_sha: await main('%H'),
      mergeable: false,
      head: { sha: head },
    });
    expect(await main('%P')).toBe(`${base} ${head}`);
    expect(await main('%an')).toBe(forge.owner.name);
    expect(await main('%s')).toBe(`Merge pull request 'Change b' (#${number}) from b into main`);
    expect(await git.ok(dir, ['show', 'origin/main:x.txt'])).toBe('x');
    expect((await call(forge, 'GET', `${api}/pulls/${number}/merge`)).status).toBe(204);
  });

  it('takes title and message from the caller', async () => {
    const { number } = await pullRequest('b', { 'x.txt': 'x\n' });
    await merge(number, { Do: 'merge', MergeTitleField: 'Title', MergeMessageField: 'Line\n\nFairway-Change: 1f' });
    expect(await main('%B')).toBe('Title\n\nLine\n\nFairway-Change: 1f');
  });

  it('squashes into one commit', async () => {
    const { number } = await pullRequest('b', { 'x.txt': 'x\n', 'y.txt': 'y\n' });
    const base = await main('%H');
    expect((await merge(number, { Do: 'squash' })).status).toBe(200);
    expect(await main('%P')).toBe(base);
    expect(await main('%s')).toBe(`Change b (#${number})`);
    expect(await git.ok(dir, ['ls-tree', '--name-only', 'origin/main'])).toBe('README.md\nx.txt\ny.txt');
  });

  it('rebases commit by commit onto a base that moved', async () => {
    const { number } = await pullRequest('b', { 'x.txt': 'x\n', 'y.txt': 'y\n' });
    const base = await onMain('other.txt', 'o\n');
    expect((await merge(number, { Do: 'rebase' })).status).toBe(200);
    await main('%H');
    const log = await git.ok(dir, ['log', '--format=%s %an', `${base}..origin/main`]);
    expect(log.split('\n')).toEqual(['Write y.txt Test', 'Write x.txt Test']);
    expect(await git.ok(dir, ['ls-tree', '--name-only', 'origin/main'])).toBe('README.md\nother.txt\nx.txt\ny.txt');
    expect((await get(number)).merge_commit_sha).toBe(await main('%H'));
  });

  it('fast-forwards', async () => {
    const { number, head } = await pullRequest('b', { 'x.txt': 'x\n' });
    expect((await merge(number, { Do: 'fast-forward-only' })).status).toBe(200);
    expect(await main('%H')).toBe(head);
  });

  it('deletes the branch when asked', async () => {
    const { number, head } = await pullRequest('fairway/b', { 'x.txt': 'x\n' });
    await merge(number, { Do: 'merge', delete_branch_after_merge: true });
    expect((await call(forge, 'GET', `${api}/branches/fairway/b`)).status).toBe(404);
    expect(await get(number)).toMatchObject({ merged: true, head: { sha: head } });
    expect((await call(forge, 'GET', `${api}/pulls/${number}/files`)).body).toHaveLength(1);
  });

  it('keeps its files and commits to itself afterwards', async () => {
    const { number, head } = await pullRequest('b', { 'x.txt': 'x\n' });
    await merge(number, { Do: 'merge' });
    await onMain('later.txt', 'l\n');
    expect((await call(forge, 'GET', `${api}/pulls/${number}/files`)).body.map((f) => f.filename)).toEqual(['x.txt']);
    expect((await call(forge, 'GET', `${api}/pulls/${number}/commits`)).body.map((c) => c.sha)).toEqual([head]);
  });
});

describe('refusing to merge', () => {
  it('another head than the required one: 409', async () => {
    const { number, head } = await pullRequest('b', { 'x.txt': 'x\n' });
    await git.commit(dir, 'x.txt', 'changed after approval\n');
    await git.ok(dir, ['push', '--quiet', 'origin', 'b'], forge.second);
    await expect.poll(async () => (await get(number)).mergeable, { timeout: 60_000 }).toBe(true);
    const before = await main('%H');
    expect((await merge(number, { Do: 'merge', head_commit_id: head })).status).toBe(409);
    expect(await main('%H')).toBe(before);
    expect(await get(number)).toMatchObject({ state: 'open', merged: false });
  });

  it('a conflict: 405', async () => {
    const { number } = await pullRequest('b', { 'README.md': 'mine\n' });
    await onMain('README.md', 'theirs\n');
    await expect.poll(async () => (await get(number)).mergeable, { timeout: 60_000 }).toBe(false);
    expect((await merge(number, { Do: 'merge' })).status).toBe(405);
  });

  it('a merged one: 405; a closed one: 404, as Gitea does', async () => {
    const { number } = await pullRequest('b', { 'x.txt': 'x\n' });
    await merge(number, { Do: 'merge' });
    expect((await merge(number, { Do: 'merge' })).status).toBe(405);
    const patch = { token: forge.owner.token, body: { state: 'open' } };
    expect((await call(forge, 'PATCH', `${api}/pulls/${number}`, patch)).status).toBe(412);
    const { number: other } = await pullRequest('c', { 'y.txt': 'y\n' });
    await call(forge, 'PATCH', `${api}/pulls/${other}`, { token: forge.owner.token, body: { state: 'closed' } });
    expect((await merge(other, { Do: 'merge' })).status).toBe(404);
    expect((await call(forge, 'GET', `${api}/pulls/${other}/merge`)).status).toBe(404);
  });

  it('work in progress: 405; an unknown style: 422; nobody: 401', async () => {
    const { number } = await pullRequest('b', { 'x.txt': 'x\n' });
    expect((await merge(number, { Do: 'octopus' })).status).toBe(422);
    expect((await call(forge, 'POST', `${api}/pulls/${number}/merge`, { body: { Do: 'merge' } })).status).toBe(401);
    const body = { title: 'WIP: not yet' };
    await call(forge, 'PATCH', `${api}/pulls/${number}`, { token: forge.owner.token, body });
    expect((await merge(number, { Do: 'merge' })).status).toBe(405);
  });

  it('but one of two that race', async () => {
    const { number } = await pullRequest('b', { 'x.txt': 'x\n' });
    const statuses = (await Promise.all([merge(number, { Do: 'merge' }), merge(number, { Do: 'merge' })])).map(
      (a) => a.status,
    );
    expect(statuses.sort((a, b) => a - b)).toEqual([200, 405]);
  });
});

it('stays open when its commits reach the base by a plain push', async () => {
  const { number } = await pullRequest('b', { 'x.txt': 'x\n' });
  await git.ok(dir, ['push', '--quiet', 'origin', 'b:main'], forge.owner);
  expect(await get(number)).toMatchObject({ state: 'open', merged: false });
});

it('leaves the base alone when pushes and merges race', async () => {
  const pulls = [];
  for (const name of ['a', 'b', 'c']) pulls.push(await pullRequest(name, { [`${name}.txt`]: name }));
  await git.ok(dir, ['checkout', '--quiet', '-B', 'main', 'origin/main']);
  await git.commit(dir, 'pushed.txt', 'p\n');
  const [push, ...merges] = await Promise.all([
    git.run(dir, ['push', 'origin', 'main'], forge.owner),
    ...pulls.map(({ number }) => merge(number, { Do: 'merge' })),
  ]);
  await main('%H');
  const files = (await git.ok(dir, ['ls-tree', '--name-only', 'origin/main'])).split('\n');
  expect(files.includes('pushed.txt')).toBe(push.code === 0);
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    expect([200, 409]).toContain(merges[i]?.status);
    expect(files.includes(`${name}.txt`)).toBe(merges[i]?.status === 200);
  }
});
