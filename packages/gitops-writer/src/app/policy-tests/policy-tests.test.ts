import { silentLogger } from '@fairway/core';
import { expect, it, vi } from 'vitest';
import type { BranchEdits, Forge, ForgePullRequest, PolicyTest, Repository } from '../../ports.ts';
import { policyTester, type PolicyTestContext } from './policy-tests.ts';

const MAIN = 'm'.repeat(40);
const EDITED = 'e'.repeat(40);
const LARGE = 'f'.repeat(40);

/** One branch of a person that edits the policy of one model, and what is told of it. */
function world(test: PolicyTestContext['tester']['test']) {
  const told: string[] = [];
  const said: string[] = [];
  const head = vi.fn(async () => MAIN);
  const repository = {
    head,
    read: async (commit: string) => ({ text: `of ${commit}`, blob: commit }),
  } as unknown as Repository;
  const branches: BranchEdits = {
    all: () => new Map([['tighter', EDITED]]),
    changed: async () => ['models/m/policy.yaml'],
    get: async (commit) => (commit === LARGE ? { largerThanMib: 32 } : 'here'),
  };
  const find = vi.fn<Forge['find']>(async () => OPEN);
  const read = vi.fn<Forge['read']>(async () => FORK);
  const forks: ForgePullRequest[] = [];
  const foreign = vi.fn(async function* () {
    yield* forks;
  });
  const forge = {
    find,
    foreign,
    read,
    comment: async (number: number, _: string, text: string) => {
      told.push(`comment on ${number}`);
      said.push(text);
    },
    setStatus: async (commit: string, { state }: { state: string }) => void told.push(`${state} of ${commit}`),
  } as unknown as Forge;
  const held = new Set<string>();
  const elsewhere = { leads: false };
  const exclusive = {
    take: async (name: string) => !held.has(name) && held.add(name).has(name),
    keep: async (name: string) => !elsewhere.leads && held.add(name).has(name),
    drop: async (name: string) => void held.delete(name),
  };
  const news = vi.fn(async (): Promise<string | undefined> => undefined);
  const context = {
    repository,
    branches,
    forge,
    news,
    tester: { test },
    exclusive,
    bodyLimit: 65_536,
    log: silentLogger,
  };
  return { part: policyTester(context, 1), told, said, held, head, find, forks, foreign, news, elsewhere };
}
const OPEN = { number: 7, state: 'open', headSha: EDITED } as ForgePullRequest;
const FORK = { ...OPEN, number: 8, headSha: LARGE } as ForgePullRequest;
const TESTED: PolicyTest = { kind: 'tested', windows: [], problems: [], summary: 'No window.' };

it('tells a pull request once, however often it looks', async () => {
  const test = vi.fn(async () => TESTED);
  const { part, told, held, head } = world(test);
  await part.start();
  await expect.poll(() => head.mock.calls.length, { timeout: 60_000 }).toBeGreaterThan(10);
  await part.stop();
  expect(told).toEqual(['comment on 7', `success of ${EDITED}`]);
  expect(test.mock.calls).toHaveLength(2);
  expect(held.size).toBe(0);
});

it('tries again what could not be told', async () => {
  let tries = 0;
  const { part, told } = world(async () => {
    if (tries++ < 2) throw new Error('away');
    return TESTED;
  });
  await part.start();
  await expect.poll(() => told, { timeout: 60_000 }).toHaveLength(2);
  await part.stop();
});

it('waits for no test when it is stopped', async () => {
  const { part, told, held } = world(
    (_model, _policy, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('canceled')))),
  );
  await part.start();
  await expect.poll(() => [...held], { timeout: 60_000 }).toEqual(['policy tests', 'policy branch tighter']);
  await part.stop();
  expect([told, held.size]).toEqual([[], 0]);
});

it.each<[string, ForgePullRequest | undefined]>([
  ['no pull request', undefined],
  ['a closed one', { ...OPEN, state: 'closed' }],
])('asks for %s ever more seldom, and finds the one that is opened after all', async (_, answer) => {
  const { part, told, head, find } = world(async () => TESTED);
  find.mockResolvedValue(answer);
  await part.start();
  await expect.poll(() => head.mock.calls.length, { timeout: 60_000 }).toBeGreaterThan(200);
  // The first two, then with 1, 3, 7, 15 and 20 looks between them.
  expect(find.mock.calls.length).toBeLessThan(head.mock.calls.length / 2 / 20 + 6);
  expect(told).toEqual([]);
  find.mockResolvedValue(OPEN);
  await expect.poll(() => told, { timeout: 60_000 }).toHaveLength(2);
  await part.stop();
});

it('tests what cannot be told ever more seldom', async () => {
  const test = vi.fn(async () => Promise.reject(new Error('away')));
  const { part, head } = world(test);
  await part.start();
  await expect.poll(() => head.mock.calls.length, { timeout: 60_000 }).toBeGreaterThan(200);
  await part.stop();
  expect(test.mock.calls.length).toBeLessThan(head.mock.calls.length / 2 / 20 + 6);
});

it('lists pull requests of forks when the forge has told something, and else ever more seldom while nothing changes', async () => {
  const { part, head, foreign, news } = world(async () => TESTED);
  await part.start();
  const looks = () => head.mock.calls.length / 2;
  await expect.poll(looks, { timeout: 60_000 }).toBeGreaterThan(100);
  const quiet = foreign.mock.calls.length;
  // The first, then with 1, 3, 7 and 10 looks between them.
  expect(quiet).toBeLessThan(looks() / 10 + 6);
  expect(quiet).toBeGreaterThan(looks() / 11 - 1);
  for (let i = 0; i < 3; i++) {
    const before = foreign.mock.calls.length;
    news.mockResolvedValue(`delivery ${i}`);
    const from = looks();
    await expect.poll(() => foreign.mock.calls.length, { timeout: 60_000 }).toBeGreaterThan(before);
    expect(looks() - from).toBeLessThan(100);
  }
  await part.stop();
});

it('says once of a fork that brings too much that it was not read, and nothing of its policy', async () => {
  const test = vi.fn(async () => TESTED);
  const { part, told, said, head, forks, find } = world(test);
  find.mockResolvedValue(undefined);
  forks.push(FORK);
  await part.start();
  await expect.poll(() => told, { timeout: 60_000 }).toHaveLength(2);
  const looks = head.mock.calls.length;
  await expect.poll(() => head.mock.calls.length, { timeout: 60_000 }).toBeGreaterThan(looks + 20);
  await part.stop();
  expect(told).toEqual(['comment on 8', `failure of ${LARGE}`]);
  expect(said[0]).toContain('brings more than 32 MiB that this repository does not have');
  expect(test).not.toHaveBeenCalled();
});

it('asks the forge nothing while another replica looks, and looks at all anew when that one is gone', async () => {
  const { part, told, head, foreign, elsewhere } = world(async () => TESTED);
  elsewhere.leads = true;
  await part.start();
  await new Promise((resolve) => setImmediate(resolve));
  expect([head.mock.calls.length, foreign.mock.calls.length]).toEqual([0, 0]);
  elsewhere.leads = false;
  await expect.poll(() => told, { timeout: 60_000 }).toHaveLength(2);
  elsewhere.leads = true;
  await part.stop();
});
