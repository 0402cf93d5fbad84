import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GitClient, gitClient } from './git-client.ts';
import { call, newRepository, startTarget, type Target } from './target.ts';

let forge: Target;
let git: GitClient;
beforeAll(async () => {
  forge = await startTarget();
  git = gitClient();
});
afterAll(async () => {
  git.remove();
  await forge.stop();
});

const headOf = async (api: string, branch: string) =>
  (await call(forge, 'GET', `${api}/branches/${branch}`)).body.commit?.id;

it('clones for anybody, with and without .git, shallow and partial', async () => {
  const { cloneUrl } = await newRepository(forge);
  for (const [url, ...options] of [
    [cloneUrl],
    [cloneUrl.replace(/\.git$/, '')],
    [cloneUrl, '--depth=1'],
    [cloneUrl, '--filter=blob:none'],
    [cloneUrl, '--mirror'],
  ] as const) {
    const into = randomBytes(4).toString('hex');
    const { code, err } = await git.run(git.dir, ['clone', '--quiet', ...options, url ?? '', into]);
    expect(code, err).toBe(0);
  }
});

it('takes a first push into an empty repository', async () => {
  const { api, cloneUrl, name } = await newRepository(forge, false);
  const dir = await git.clone(cloneUrl, name);
  await git.ok(dir, ['checkout', '--quiet', '-B', 'main']);
  const sha = await git.commit(dir, 'a.txt', 'one\n');
  await git.ok(dir, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main'], forge.owner);
  expect(await headOf(api, 'main')).toBe(sha);
});

it('refuses a push by nobody and with a wrong token', async () => {
  const { api, cloneUrl, name } = await newRepository(forge);
  const dir = await git.clone(cloneUrl, name);
  const before = await headOf(api, 'main');
  await git.commit(dir, 'a.txt', 'one\n');
  expect((await git.run(dir, ['push', 'origin', 'main'])).code).not.toBe(0);
  const wrong = await git.run(dir, ['push', 'origin', 'main'], { name: forge.owner.name, token: 'wrong-token' });
  expect(wrong.err).toMatch(/Authentication failed|401|403/);
  expect(await headOf(api, 'main')).toBe(before);
});

it('carries a pack of some megabytes both ways', async () => {
  const { api, cloneUrl, name } = await newRepository(forge);
  const dir = await git.clone(cloneUrl, name);
  for (let i = 0; i < 4; i += 1) await git.commit(dir, `blob-${i}`, randomBytes(1_500_000).toString('base64'));
  const sha = await git.ok(dir, ['rev-parse', 'HEAD']);
  await git.ok(dir, ['push', '--quiet', 'origin', 'main'], forge.owner);
  expect(await headOf(api, 'main')).toBe(sha);
  const again = await git.clone(cloneUrl, `${name}-again`);
  expect(await git.ok(again, ['rev-parse', 'HEAD'])).toBe(sha);
});

it('understands long, gzip-compressed fetch requests', async () => {
  const { cloneUrl, name } = await newRepository(forge);
  const dir = await git.clone(cloneUrl, name);
  for (let i = 0; i < 60; i += 1) await git.ok(dir, ['commit', '--quiet', '--allow-empty', '--message', `c${i}`]);
  await git.ok(dir, ['push', '--quiet', 'origin', 'main'], forge.owner);
  const other = await git.clone(cloneUrl, `${name}-other`);
  await git.ok(other, ['checkout', '--quiet', '-b', 'own', 'HEAD~50']);
  for (let i = 0; i < 60; i += 1) await git.ok(other, ['commit', '--quiet', '--allow-empty', '--message', `d${i}`]);
  const sha = await git.commit(dir, 'b.txt', 'two\n');
  await git.ok(dir, ['push', '--quiet', 'origin', 'main'], forge.owner);
  await git.ok(other, ['fetch', '--quiet', 'origin']);
  expect(await git.ok(other, ['rev-parse', 'origin/main'])).toBe(sha);
});

it('moves a branch under a lease, and refuses a stale one', async () => {
  const { api, cloneUrl, name } = await newRepository(forge);
  const dir = await git.clone(cloneUrl, name);
  const first = await git.commit(dir, 'a.txt', 'one\n');
  const push = (lease: string, what: string) =>
    git.run(dir, ['push', '--porcelain', '--atomic', `--force-with-lease=${lease}`, 'origin', what], forge.second);
  expect((await push('refs/heads/fairway/x:', 'HEAD:refs/heads/fairway/x')).code).toBe(0);
  await git.ok(dir, ['commit', '--quiet', '--amend', '--message', 'again']);
  const second = await git.ok(dir, ['rev-parse', 'HEAD']);
  const stale = await push(`refs/heads/fairway/x:${second}`, 'HEAD:refs/heads/fairway/x');
  expect(stale.code).not.toBe(0);
  expect(stale.out).toContain('stale info');
  const taken = await push('refs/heads/fairway/x:', 'HEAD:refs/heads/fairway/x');
  expect(taken.code).not.toBe(0);
  expect((await push(`refs/heads/fairway/x:${first}`, 'HEAD:refs/heads/fairway/x')).code).toBe(0);
  expect(await headOf(api, 'fairway/x')).toBe(second);
});

it('deletes a branch by push and by the API', async () => {
  const { api, cloneUrl, name } = await newRepository(forge);
  const dir = await git.clone(cloneUrl, name);
  await git.ok(dir, ['push', '--quiet', 'origin', 'HEAD:refs/heads/a/b', 'HEAD:refs/heads/c/d'], forge.owner);
  await git.ok(dir, ['push', '--quiet', '--delete', 'origin', 'a/b'], forge.owner);
  expect((await call(forge, 'GET', `${api}/branches/a/b`)).status).toBe(404);
  const { status } = await call(forge, 'DELETE', `${api}/branches/c%2Fd`, { token: forge.owner.token });
  expect(status).toBe(204);
  expect((await call(forge, 'GET', `${api}/branches/c/d`)).status).toBe(404);
});

it('takes concurrent pushes to different branches', async () => {
  const { api, cloneUrl, name } = await newRepository(forge);
  const dir = await git.clone(cloneUrl, name);
  const branches = Array.from({ length: 6 }, (_, i) => `c/${i}`);
  const pushes = branches.map((branch) => git.run(dir, ['push', 'origin', `HEAD:refs/heads/${branch}`], forge.owner));
  for (const { code, err } of await Promise.all(pushes)) expect(code, err).toBe(0);
  const listed = (await call(forge, 'GET', `${api}/branches?limit=50`)).body.map((branch) => branch.name);
  expect(listed.sort()).toEqual([...branches, 'main'].sort());
  // A folder of branches is no branch.
  expect((await call(forge, 'GET', `${api}/branches/c`)).status).toBe(404);
  expect((await call(forge, 'GET', `${api}/branches/c/1`)).body.name).toBe('c/1');
});

it('lets exactly one of several concurrent pushes to one branch win', async () => {
  const { api, cloneUrl, name } = await newRepository(forge);
  const dirs = await Promise.all([0, 1, 2].map((i) => git.clone(cloneUrl, `${name}-${i}`)));
  const shas = await Promise.all(dirs.map((dir, i) => git.commit(dir, `f${i}`, `${i}\n`)));
  const pushes = await Promise.all(dirs.map((dir) => git.run(dir, ['push', 'origin', 'main'], forge.owner)));
  const won = pushes.flatMap(({ code }, i) => (code === 0 ? [shas[i]] : []));
  expect(won).toHaveLength(1);
  expect(await headOf(api, 'main')).toBe(won[0]);
});
