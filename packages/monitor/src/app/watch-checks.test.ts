import { expect, test } from 'vitest';
import type { CheckStore, FutureHours, RemarkedPolicy, UnusablePolicy } from '../ports/notify.ts';
import type { OutboxItem } from '../ports.ts';
import { checkWatcher } from './watch-checks.ts';

const MINUTE = 60_000;

function world() {
  const state = {
    now: Date.parse('2026-01-10T12:00:00Z'),
    writer: undefined as Error | undefined,
    policies: [] as UnusablePolicy[],
    remarks: [] as RemarkedPolicy[],
    ahead: [] as FutureHours[],
    told: new Map<string, OutboxItem>(),
  };
  const store: CheckStore = {
    unusablePolicies: async () => state.policies,
    remarkedPolicies: async () => state.remarks,
    deadRetrains: async () => [],
    futureHours: async () => state.ahead,
    add: async (items) => {
      for (const item of items) if (!state.told.has(item.deliveryId)) state.told.set(item.deliveryId, item);
    },
  };
  const models = async () => {
    if (state.writer !== undefined) throw state.writer;
    return [];
  };
  const start = () =>
    checkWatcher({ store, writer: { models }, dashboardUrl: 'http://dash/', clock: { now: () => state.now } });
  const titles = () => [...state.told.values()].map(({ event, title }) => `${event}: ${title}`);
  return { state, start, titles };
}

test('a policy that cannot be used is told once for each problem, over restarts too', async () => {
  const { state, start, titles } = world();
  state.policies = [{ model: 'loans', blob: 'b1', problem: 'period has an unknown key.' }];
  for (let i = 0; i < 3; i += 1) await start()();
  expect(titles()).toEqual(['check-failed: loans cannot be checked: its policy cannot be used']);
  const [card] = state.told.values();
  expect(card).toMatchObject({
    kind: 'card',
    model: 'loans',
    link: 'http://dash/models/loans',
    payload: { content: { deliveryId: card?.deliveryId, text: expect.stringContaining('period has an unknown key.') } },
  });
  state.policies = [{ model: 'loans', blob: 'b2', problem: 'period is missing.' }];
  await start()();
  expect(titles()).toHaveLength(2);
});

test('predictions of a clock that runs ahead are told once for each day that they reach further', async () => {
  const { state, start, titles } = world();
  const at = (last: string) => [{ model: 'loans', version: '1', environment: 'prod', last }];
  for (const last of ['2027-03-01T10:00:00.000Z', '2027-03-01T11:00:00.000Z', '2027-03-02T00:00:00.000Z']) {
    state.ahead = at(last);
    await start()();
  }
  const title = 'check-failed: loans has predictions that are dated in the future';
  expect(titles()).toEqual([title, title]);
  const [card] = state.told.values();
  expect(card).toMatchObject({
    version: '1',
    payload: {
      content: { text: expect.stringContaining('Up to the hour of 2027-03-01T10:00:00.000Z. A clock runs ahead') },
    },
  });
});

test('a writer that is away for a short time is no news; for a long time it is, once a day', async () => {
  const { state, start, titles } = world();
  const look = start();
  state.writer = new Error('It does not answer.');
  for (let i = 0; i < 10; i += 1, state.now += MINUTE) await look();
  expect(titles()).toEqual([]);
  state.writer = undefined;
  await look();
  state.writer = new Error('It does not answer.');
  for (let i = 0; i < 30; i += 1, state.now += MINUTE) await look();
  expect(titles()).toEqual(['check-failed: Models cannot be checked: the writer does not answer']);
  state.now += 24 * 60 * MINUTE;
  await look();
  expect(titles()).toHaveLength(2);
});

test('a channel that a policy names and the monitor lacks is told once, with the policy that names it', async () => {
  const { state, start, titles } = world();
  state.remarks = [{ model: 'loans', blob: 'b1', remark: 'notify.to names mial for alert.' }];
  for (let i = 0; i < 2; i += 1) await start()();
  expect(titles()).toEqual(['policy-mistake: The policy of loans names a channel that there is not']);
  const [item] = state.told.values();
  expect(JSON.stringify(item?.payload)).toContain('notify.to names mial for alert.');
  state.remarks = [{ model: 'loans', blob: 'b2', remark: 'notify.to names mial for alert.' }];
  await start()();
  expect(titles()).toHaveLength(2);
});
