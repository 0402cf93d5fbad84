import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type GitClient, gitClient } from '../../conformance/forge/git-client.ts';
import {
  call,
  type EmbeddedForge,
  newRepository,
  OWNER,
  SECOND,
  startForgeOn,
} from '../../conformance/forge/target.ts';
import { freePort } from '../../harness/ports.ts';

let dataDir: string;
let forge: EmbeddedForge;
let git: GitClient;
let repository: Awaited<ReturnType<typeof newRepository>>;
let dir: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'fairway forge '));
  // Not one of the ephemeral range, which somebody's outgoing connection could take between two forges.
  forge = await startForgeOn(dataDir, await freePort());
  git = gitClient();
  repository = await newRepository(forge);
  dir = await git.clone(repository.cloneUrl, repository.name);
});
afterEach(async () => {
  await forge.kill();
  git.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

const bare = () => join(dataDir, 'data', 'repositories', `${repository.full}.git`);
const stateFile = () => join(dataDir, 'data', 'repositories', `${repository.full}.json`);
async function pullRequest(): Promise<{ number: number; head: string }> {
  await git.ok(dir, ['checkout', '--quiet', '-b', 'b']);
  const head = await git.commit(dir, 'x.txt', 'x\n');
  await git.ok(dir, ['push', '--quiet', 'origin', 'b'], SECOND);
  const body = { head: 'b', base: 'main', title: 'T' };
  const { number } = (await call(forge, 'POST', `${repository.api}/pulls`, { token: SECOND.token, body })).body;
  return { number, head };
}
const pull = async (number: number) => (await call(forge, 'GET', `${repository.api}/pulls/${number}`)).body;
const again = async () => {
  await forge.kill();
  forge = await startForgeOn(dataDir, forge.port);
};

it('has everything it acknowledged after a kill', async () => {
  const { number } = await pullRequest();
  const before = await pull(number);
  await call(forge, 'POST', `${repository.api}/issues/${number}/comments`, {
    token: SECOND.token,
    body: { body: 'hi' },
  });
  await again();
  expect(await pull(number)).toEqual(Object.assign(before, { comments: 1 }));
  const merged = await call(forge, 'POST', `${repository.api}/pulls/${number}/merge`, {
    token: OWNER.token,
    body: { Do: 'merge' },
  });
  expect(merged.status).toBe(200);
  await again();
  expect(await pull(number)).toMatchObject({ merged: true, state: 'closed' });
});

it('loses no push it acknowledged when killed while many arrive', async () => {
  const pushes = Array.from({ length: 12 }, (_, i) =>
    git
      .run(dir, ['push', 'origin', `HEAD:refs/heads/p/${i}`], OWNER)
      .then(({ code }) => (code === 0 ? `p/${i}` : undefined)),
  );
  await Promise.race(pushes);
  await again();
  const acknowledged = (await Promise.all(pushes)).filter((branch) => branch !== undefined);
  expect(acknowledged.length).toBeGreaterThan(0);
  const there = (await call(forge, 'GET', `${repository.api}/branches?limit=50`)).body.map((branch) => branch.name);
  expect(there).toEqual(expect.arrayContaining(acknowledged));
  for (let i = 0; i < 12; i += 1) {
    const { code, err } = await git.run(dir, ['push', 'origin', `HEAD:refs/heads/p/${i}`], OWNER);
    expect(code, err).toBe(0);
  }
});

it('finishes a merge that moved the base just before the kill', async () => {
  const { number, head } = await pullRequest();
  await forge.kill();
  const tree = await git.ok(bare(), ['rev-parse', `${head}^{tree}`]);
  const commit = await git.ok(bare(), ['commit-tree', tree, '-p', 'main', '-p', head, '-m', 'merge']);
  await git.ok(bare(), ['update-ref', 'refs/heads/main', commit]);
  noteMerging(number, commit);
  forge = await startForgeOn(dataDir, forge.port);
  expect(await pull(number)).toMatchObject({
    merged: true,
    state: 'closed',
    merge_commit_sha: commit,
    merged_by: { login: 'alice' },
  });
});

it('forgets a merge that had not moved the base', async () => {
  const { number, head } = await pullRequest();
  await forge.kill();
  const tree = await git.ok(bare(), ['rev-parse', `${head}^{tree}`]);
  noteMerging(number, await git.ok(bare(), ['commit-tree', tree, '-p', 'main', '-p', head, '-m', 'merge']));
  forge = await startForgeOn(dataDir, forge.port);
  expect(await pull(number)).toMatchObject({ merged: false, state: 'open', mergeable: true });
});

function noteMerging(number: number, commit: string): void {
  const state = JSON.parse(readFileSync(stateFile(), 'utf8')) as { pulls: { number: number; merging?: object }[] };
  const found = state.pulls.find((candidate) => candidate.number === number);
  if (found) found.merging = { commit, by: 'alice', at: new Date().toISOString() };
  writeFileSync(stateFile(), JSON.stringify(state));
}

it('sweeps away lock files of a killed Git', async () => {
  await forge.kill();
  writeFileSync(join(bare(), 'refs', 'heads', 'main.lock'), '');
  writeFileSync(join(bare(), 'packed-refs.lock'), '');
  forge = await startForgeOn(dataDir, forge.port);
  await git.commit(dir, 'y.txt', 'y\n');
  const { code, err } = await git.run(dir, ['push', 'origin', 'main'], OWNER);
  expect(code, err).toBe(0);
});

it('notices a branch that moved while it was away', async () => {
  const { number } = await pullRequest();
  const next = await git.commit(dir, 'x.txt', 'y\n');
  await forge.kill();
  await git.ok(dir, ['push', '--quiet', bare(), 'b:b']);
  forge = await startForgeOn(dataDir, forge.port);
  expect((await pull(number)).head.sha).toBe(next);
  expect(await git.ok(dir, ['ls-remote', 'origin', `refs/pull/${number}/head`])).toContain(next);
});

/** Processes that run git's HTTP backend, by the data folder in their environment. */
function backends(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes('http-backend') && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dataDir);
      } catch {
        return false;
      }
    })
    .map(Number);
}

it('leaves no backend behind when it is killed in the middle of a push', async () => {
  const socket = connect(forge.port, '127.0.0.1');
  socket.on('error', () => {});
  const authorization = `Basic ${Buffer.from(`${OWNER.name}:${OWNER.token}`).toString('base64')}`;
  socket.write(
    `POST /${repository.full}.git/git-receive-pack HTTP/1.1\r\nHost: forge\r\nAuthorization: ${authorization}\r\n` +
      'Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n00a0',
  );
  await expect.poll(() => backends().length, { timeout: 60_000 }).toBeGreaterThan(0);
  await forge.kill();
  await expect.poll(backends, { timeout: 60_000 }).toEqual([]);
  socket.destroy();
});
