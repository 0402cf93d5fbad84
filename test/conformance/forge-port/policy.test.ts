import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import { policyTester } from '../../../packages/gitops-writer/src/app/policy-tests/policy-tests.ts';
import { gitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import type { BranchEdits, PolicyTest, Repository } from '../../../packages/gitops-writer/src/ports.ts';
import type { GitClient } from '../forge/git-client.ts';
import { freshTargets } from './fresh.ts';
import { SERVERS } from './servers.ts';
import { type PortTarget, push } from './target.ts';

const BRANCH = 'tighter-limits';
const PATH = 'models/home-equity/policy.yaml';

/** What the tester reads commits with. */
type Reads = { readonly repository: Repository; readonly branches: BranchEdits };

describe.each(Object.entries(SERVERS))('policies of pull requests on %s', (_name, start) => {
  let git: GitClient;
  let target: PortTarget;
  freshTargets(start, (fresh, client) => {
    target = fresh;
    git = client;
  });

  /** The one branch as its commit is in the clone, through the clone's own git: what is held against forges is the telling. */
  function cloneWith(commit: string): Reads {
    const ask = (...args: string[]) => git.ok(target.folder, args);
    const branches: BranchEdits = {
      all: () => new Map([[BRANCH, commit]]),
      changed: async (base, head) => (await ask('diff', '--name-only', `${base}...${head}`)).trim().split('\n'),
      get: async () => 'here',
    };
    const repository = {
      head: async () => (await ask('rev-parse', 'origin/main')).trim(),
      read: async (at: string, path: string) => {
        if ((await ask('ls-tree', at, path)) === '') return undefined;
        const blob = (await ask('rev-parse', `${at}:${path}`)).trim();
        return { text: await ask('show', `${at}:${path}`), blob };
      },
    } as unknown as Repository;
    return { branches, repository };
  }

  /** Looks for edited policies until one was tested and told. */
  async function look({ branches, repository }: Reads, isTold: () => Promise<void>): Promise<void> {
    let tests = 0;
    const test = async (_model: string, policy: string): Promise<PolicyTest> => {
      tests++;
      return policy.includes('nonsense')
        ? { kind: 'refused', reason: 'rules is nonsense.' }
        : { kind: 'tested', windows: [], problems: [], summary: 'No window.' };
    };
    const exclusive = { take: async () => true, keep: async () => true, drop: async () => {} };
    const news = async () => undefined;
    const { forge, limits } = target;
    const context = { repository, branches, forge, news, tester: { test }, exclusive, bodyLimit: limits.body };
    const part = policyTester({ ...context, log: silentLogger }, 50);
    await part.start();
    try {
      await expect.poll(() => tests, { timeout: 60_000 }).toBeGreaterThan(0);
      await isTold();
    } finally {
      await part.stop();
    }
    // What was under way when it was stopped is done now.
    await isTold();
  }
  const told = async (number: number, commit: string) => {
    const { comments } = await target.shown(number);
    const states = (await target.statuses(commit)).map(({ context, state }) => [context, state]);
    return { comments: comments.map(({ author, text }) => [author, text.includes('rules is nonsense.')]), states };
  };

  it('are told in one comment and a status of the commit, again after a restart, and in other words for another commit', async () => {
    const first = await push(git, target.folder, BRANCH, { [PATH]: 'rules: nonsense\n' });
    const request = { branch: BRANCH, title: 'Tighter', body: '', labels: [], reviewers: [] };
    const { number } = await target.forge.open(request);
    const refused = { comments: [[target.bot, true]], states: [['fairway/policy', 'failure']] };
    const isRefused = () => expect.poll(() => told(number, first), { timeout: 60_000 }).toEqual(refused);
    await look(cloneWith(first), isRefused);
    await look(cloneWith(first), isRefused);

    const second = await push(git, target.folder, BRANCH, { [PATH]: 'rules: []\n' });
    const usable = { comments: [[target.bot, false]], states: [['fairway/policy', 'success']] };
    await look(cloneWith(second), () => expect.poll(() => told(number, second), { timeout: 60_000 }).toEqual(usable));
  });

  it('are tested where they come from a fork, whose branch is nowhere in the repository', async ({ skip }) => {
    const { openFromFork } = target;
    if (openFromFork === undefined) {
      skip('the embedded forge has no forks');
      return;
    }
    const head = await push(git, target.folder, BRANCH, { [PATH]: 'rules: nonsense\n' });
    const number = await openFromFork(BRANCH);
    await git.ok(target.folder, ['push', '--quiet', 'origin', `:refs/heads/${BRANCH}`]);
    const dataDir = mkdtempSync(join(tmpdir(), 'fairway fork '));
    const { repository, branches, mirror } = gitEngine({
      access: { url: `file://${await origin()}`, credentials: async () => undefined },
      branch: 'main',
      dataDir,
      person: { name: 'Fairway', email: 'fairway@example.com' },
      clock: { now: () => Date.now() },
      path: process.env['PATH'],
    });
    try {
      await look({ repository, branches }, () =>
        expect
          .poll(() => told(number, head), { timeout: 60_000 })
          .toEqual({ comments: [[target.bot, true]], states: [['fairway/policy', 'failure']] }),
      );
    } finally {
      await mirror.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  const origin = async () => (await git.ok(target.folder, ['config', 'remote.origin.url'])).trim();
});
