import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@fairway/core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type GitEngine, gitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import { gitClient } from '../../conformance/forge/git-client.ts';
import { call, newRepository, OWNER, SECOND, startTarget, type Target } from '../../conformance/forge/target.ts';
import { type Fate, type HostileProxy, PASS, type Seen, startHostileProxy } from '../../harness/hostile-proxy.ts';
import { BOT, FOLDER, request } from './support.ts';

let forge: Target;
let proxy: HostileProxy;
let dir: string;
let full: string;
let engines: GitEngine[] = [];
beforeAll(async () => {
  forge = await startTarget();
});
afterAll(() => forge.stop());
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway http '));
  proxy = await startHostileProxy(forge.url);
  ({ full } = await newRepository(forge));
});
afterEach(async () => {
  await Promise.all(engines.map(({ mirror }) => mirror.close()));
  engines = [];
  await proxy.stop();
  rmSync(dir, { recursive: true, force: true });
});

const TOKEN = SECOND.token;
const BASIC = Buffer.from(`${SECOND.name}:${TOKEN}`).toString('base64');
function open({
  token = () => TOKEN,
  refused = undefined as ((token: string) => void) | undefined,
  silenceMs = 30_000,
  path = `/${full}.git`,
  data = 'data',
  branch = 'main',
} = {}) {
  const engine = gitEngine({
    access: {
      url: `${proxy.url}${path}`,
      credentials: () => Promise.resolve({ user: SECOND.name, token: token() }),
      refused,
    },
    branch,
    dataDir: join(dir, data),
    person: BOT,
    clock: systemClock,
    path: process.env['PATH'],
    silenceMs,
  });
  engines.push(engine);
  return engine;
}
const isPush = ({ method, url }: Seen) => method === 'POST' && url.endsWith('git-receive-pack');
const onPush = (fate: Fate) => (seen: Seen) => (isPush(seen) ? fate : PASS);
const branches = async () => {
  const { body } = await call(forge, 'GET', `/repos/${full}/branches?limit=50`, { token: OWNER.token });
  return body.map(({ name }) => name).sort();
};
const processes = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
const retryable = (words: RegExp) => ({
  code: 'git.unavailable',
  disposition: 'retryable',
  message: expect.stringMatching(words),
});
/** An operator mends it; the change waits. */
const waiting = (words: RegExp) => ({
  code: 'git.refused',
  disposition: 'retryable',
  message: expect.stringMatching(words),
});

/** A commit on the head, not pushed yet. */
async function drafted(engine: GitEngine) {
  const head = await engine.repository.head(0);
  return { head, commit: await engine.repository.commit(request(head)) };
}

it('reads, pushes together and deletes over HTTP; the token is asked for each command', async () => {
  let asked = 0;
  const { repository } = open({ token: () => (asked++, TOKEN) });
  const head = await repository.head(0);
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, i) => repository.commit(request(head, `${i}\n`, `models/m${i}`))),
  );
  await Promise.all(made.map((commit, i) => repository.push(`b${i}`, commit, undefined)));
  expect(await branches()).toHaveLength(21);
  expect(proxy.seen.filter(isPush).length).toBeLessThanOrEqual(2);
  await repository.push('b3', undefined, made[3]);
  expect(await branches()).toHaveLength(20);
  expect(asked).toBeGreaterThanOrEqual(3);
});

it('never shows the token: not to other processes, in the mirror, or in errors', async () => {
  const engine = open();
  const { commit } = await drafted(engine);
  proxy.fate = onPush({ kind: 'hold' });
  const pushed = engine.repository.push('x', commit, undefined);
  await expect.poll(() => proxy.seen.some(isPush)).toBe(true);
  const running = processes();
  expect(running.some((line) => line.includes('git push --porcelain'))).toBe(true);
  expect(running.filter((line) => line.includes(TOKEN) || line.includes(BASIC))).toEqual([]);
  proxy.release();
  await pushed;
  for (const name of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const text = readFileSync(join(name.parentPath, name.name), 'latin1');
    expect(text.includes(TOKEN) || text.includes(BASIC), name.name).toBe(false);
  }
  const fates: Fate[] = [{ kind: 'status', status: 401 }, { kind: 'status', status: 500 }, { kind: 'cut' }];
  for (const fate of fates) {
    proxy.fate = () => fate;
    const error = await engine.repository.head(0).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(Error);
    const said = `${(error as Error).message} ${JSON.stringify(error)} ${String((error as Error).cause)}`;
    expect(said).not.toContain(TOKEN);
    expect(said).not.toContain(BASIC);
  }
});

it('says that the credentials are not taken, and works with the next token', async () => {
  let token = 'a-token-that-has-expired';
  const { repository } = open({ token: () => token });
  await expect(repository.head(0)).rejects.toMatchObject(waiting(/does not take the credentials/));
  token = TOKEN;
  expect(await repository.head(0)).toHaveLength(40);
});

it('gets another token at once when the one it has is taken no longer, once for each command', async () => {
  const refused: string[] = [];
  const token = () => (refused.length === 0 ? 'a-token-that-was-revoked' : TOKEN);
  const { repository } = open({ token, refused: (one) => void refused.push(one) });
  const head = await repository.head(0);
  expect(refused).toEqual(['a-token-that-was-revoked']);
  const commit = await repository.commit(request(head));
  refused.length = 0;
  await repository.push('x', commit, undefined);
  expect(await branches()).toEqual(['main', 'x']);
  const never = open({ token: () => 'never-taken', refused: (one) => void refused.push(one), data: 'never' });
  refused.length = 0;
  await expect(never.repository.head(0)).rejects.toMatchObject(waiting(/does not take the credentials/));
  expect(refused).toEqual(['never-taken']);
});

it('does not follow a redirect with the token', async () => {
  const elsewhere = await startHostileProxy(forge.url);
  try {
    proxy.fate = ({ url }) => ({ kind: 'status', status: 301, location: `${elsewhere.url}${url}` });
    await expect(open().repository.head(0)).rejects.toMatchObject(waiting(/redirect.*GIT_URL/));
    expect(elsewhere.seen).toEqual([]);
  } finally {
    await elsewhere.stop();
  }
});

it.each([500, 502, 503])('takes status %i for a bad day of the forge', async (status) => {
  const engine = open();
  const { commit } = await drafted(engine);
  proxy.fate = () => ({ kind: 'status', status });
  await expect(engine.repository.push('x', commit, undefined)).rejects.toMatchObject(retryable(/error of its own/));
  await expect(engine.repository.head(0)).rejects.toMatchObject(retryable(/error of its own/));
  proxy.fate = () => PASS;
  await engine.repository.push('x', commit, undefined);
  expect(await branches()).toContain('x');
});

it('gives up on a remote that hangs, leaves no process behind, and tries again', async () => {
  const engine = open({ silenceMs: 1_000 });
  proxy.fate = () => ({ kind: 'hang' });
  await expect(engine.repository.head(0)).rejects.toMatchObject(retryable(/does not answer/));
  await expect.poll(() => processes().filter((line) => line.includes(new URL(proxy.url).port))).toEqual([]);
  proxy.fate = () => PASS;
  expect(await open().repository.head(0)).toHaveLength(40);
});

it('knows that a push whose answer was cut off was done', async () => {
  const engine = open();
  const { commit } = await drafted(engine);
  proxy.fate = onPush({ kind: 'cut-answer' });
  await engine.repository.push('x', commit, undefined);
  expect(await branches()).toEqual(['main', 'x']);
  expect(await engine.repository.branch('x')).toBe(commit);
});

it('keeps a push that was cut off before the forge saw it, with nothing of it on the forge', async () => {
  const engine = open();
  const { commit } = await drafted(engine);
  proxy.fate = onPush({ kind: 'cut' });
  await expect(engine.repository.push('x', commit, undefined)).rejects.toMatchObject({ disposition: 'retryable' });
  expect(await branches()).toEqual(['main']);
  proxy.fate = () => PASS;
  await engine.repository.push('x', commit, undefined);
  expect(await branches()).toEqual(['main', 'x']);
});

it.each<[string, Fate]>([
  ['is reset when the forge has half of it', { kind: 'cut-half' }],
  ['is never answered', { kind: 'hang' }],
  ['is answered with 500', { kind: 'status', status: 500 }],
])('keeps a push that %s, with no half-written branch on the forge', async (_, fate) => {
  const engine = open({ silenceMs: 1_500 });
  const head = await engine.repository.head(0);
  const noise = Array.from({ length: 20_000 }, (_each, i) => Math.sin(i)).join('\n');
  const made = await Promise.all(
    [0, 1, 2].map((i) => engine.repository.commit(request(head, `${noise}${i}`, `models/m${i}`))),
  );
  const pushAll = () => Promise.allSettled(made.map((commit, i) => engine.repository.push(`b${i}`, commit, undefined)));
  proxy.fate = onPush(fate);
  for (const result of await pushAll()) {
    expect(result).toMatchObject({ reason: { code: 'git.unavailable', disposition: 'retryable' } });
  }
  expect(await branches()).toEqual(['main']);
  await expect.poll(() => processes().filter((line) => line.includes(new URL(proxy.url).port))).toEqual([]);
  proxy.fate = () => PASS;
  for (const result of await pushAll()) expect(result.status).toBe('fulfilled');
  expect(await branches()).toEqual(['b0', 'b1', 'b2', 'main']);
});

it('says that it is not known whether a push was done, when the forge is gone right after it', async () => {
  const engine = open();
  const { commit } = await drafted(engine);
  let gone = false;
  proxy.fate = (seen) => {
    if (gone) return { kind: 'status', status: 503 };
    gone = isPush(seen);
    return gone ? { kind: 'cut-answer' } : PASS;
  };
  await expect(engine.repository.push('x', commit, undefined)).rejects.toMatchObject(
    retryable(/Whether branch x was pushed/),
  );
  proxy.fate = () => PASS;
  await engine.repository.head(0);
  expect(await engine.repository.branch('x')).toBe(commit);
});

it('sends less at once when a proxy refuses a large push', async () => {
  const { repository } = open();
  const head = await repository.head(0);
  const noise = (i: number) => Array.from({ length: 400 }, (_, j) => Math.sin(i * 1_000 + j)).join('\n');
  const made = await Promise.all(
    Array.from({ length: 16 }, (_, i) => repository.commit(request(head, noise(i), `models/m${i}`))),
  );
  proxy.fate = (seen, bytes) => (isPush(seen) && bytes > 20_000 ? { kind: 'status', status: 413 } : PASS);
  await Promise.all(made.map((commit, i) => repository.push(`b${i}`, commit, undefined)));
  expect(await branches()).toHaveLength(17);
});

it('gets a commit that no branch leads to within the bounds for what comes from a fork', async () => {
  const engine = open();
  const { head, commit } = await drafted(engine);
  await engine.repository.push('x', commit, undefined);
  await engine.repository.push('x', undefined, commit);
  const other = open({ data: 'other' });
  await other.repository.head(0);
  expect(await other.branches.get(commit)).toBe('here');
  expect(await other.branches.changed(head, commit)).toEqual([`${FOLDER}/a.yaml`]);
});

it('says how to begin when the repository is empty, and goes on once it is not', async () => {
  const empty = await newRepository(forge, false);
  const { repository, mirror } = open({ path: `/${empty.full}.git` });
  await expect(repository.head(0)).rejects.toMatchObject(retryable(/is empty; make its first commit.*branch main/));
  expect(mirror.problem()).toMatch(/is empty/);
  const git = gitClient();
  try {
    const folder = await git.clone(`${forge.url}/${empty.full}.git`, 'first', OWNER);
    const first = await git.commit(folder, 'models/m/model.yaml', 'name: m\n');
    await git.ok(folder, ['push', '--quiet', 'origin', 'HEAD:main'], OWNER);
    expect(await repository.head(0)).toBe(first);
    expect(mirror.problem()).toBeUndefined();
  } finally {
    git.remove();
  }
});

it('names the default branch there is when GIT_BRANCH is not there', async () => {
  const { repository } = open({ branch: 'trunk' });
  await expect(repository.head(0)).rejects.toMatchObject(retryable(/no branch trunk; .*default branch there is main/));
});

it('says that there is no such repository', async () => {
  const { repository } = open({ path: '/alice/was-renamed.git' });
  await expect(repository.head(0)).rejects.toMatchObject(waiting(/no such repository.*GIT_URL/));
});
