import { silentLogger } from '@fairway/core';
import { expect, it, vi } from 'vitest';
import type { BranchEdits, Forge, ForgePullRequest, PolicyTest, Repository } from '../../ports.ts';
import { policyTester, type PolicyTestContext } from './policy-tests.ts';

const MAIN = 'm'.repeat(40);
const EDITED = 'e'.repeat(40);

/** One branch of a person that edits the policy of one model, and what is told of it. */
function world(test: PolicyTestContext['tester']['test']) {
  const told: string[] = [];
  const head = vi.fn(async () => MAIN);
  const repository = {
    head,
    read: async (commit: string) => ({ text: `of ${commit}`, blob: commit }),
  } as unknown as Repository;
  const branches: BranchEdits = {
    all: () => new Map([['tighter', EDITED]]),
    changed: async () => ['models/m/policy.yaml'],
    get: async () => true,
  };
  const find = vi.fn<Forge['find']>(async () => OPEN);
  const forge = {
    find,
    foreign: async function* () {},
    comment: async (number: number) => void told.push(`comment on ${number}`),
    setStatus: async (commit: string, { state }: { state: string }) => void told.push(`${state} of ${commit}`),
  } as unknown as Forge;
  const held = new Set<string>();
  const exclusive = {
    take: async (name: string) => !held.has(name) && held.add(name).has(name),
    drop: async (name: string) => void held.delete(name),
  };
  const context = { repository, branches, forge, tester: { test }, exclusive, bodyLimit: 65_536, log: silentLogger };
  return { part: policyTester(context, 1), told, held, head, find };
}
const OPEN = { number: 7, state: 'open', headSha: EDITED } as ForgePullRequest;
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
  await expect.poll(() => held.size, { timeout: 60_000 }).toBe(1);
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
