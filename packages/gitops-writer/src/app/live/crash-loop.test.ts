import { expect, it } from 'vitest';
import type { Deployment, Pod } from '../../ports.ts';
import { crashLoop, isOverdue } from './crash-loop.ts';

const pod = (change: Partial<Pod> = {}): Pod => ({
  name: 'm-7d',
  ready: false,
  terminating: false,
  stamp: 'me',
  exitCodes: [],
  crashing: [{ container: 'serving', restarts: 3 }],
  ...change,
});

it('is the failure of the change whose pods fall, with a sentence that says where the reason is', () => {
  const { crashing: _, ...sound } = pod({ name: 'm-1a', ready: true });
  expect(crashLoop([sound, pod()], 'me')).toMatchObject({
    state: 'degraded',
    fails: true,
    reason: expect.stringMatching(
      /container serving of pod m-7d .*kubectl logs m-7d --container serving --previous\.$/,
    ),
  });
});

it.each<[string, Partial<Pod>]>([
  ['fell twice, and may come up', { crashing: [{ container: 'serving', restarts: 2 }] }],
  ['is of another change', { stamp: 'older' }],
  ['is on its way out', { terminating: true }],
])('is not a pod that %s', (_, change) => {
  expect(crashLoop([pod(change)], 'me')).toBeUndefined();
});

it('says the same sentence however often the pod has fallen', () => {
  const often = pod({ crashing: [{ container: 'serving', restarts: 40 }] });
  expect(crashLoop([often], 'me')).toEqual(crashLoop([pod()], 'me'));
});

const SINCE = '2026-11-22T10:00:00Z';
const deployment = { deadlineMs: 600_000, available: 1, desired: 2 } as Deployment;
it.each<[string, Partial<Deployment>, string | undefined, number, boolean]>([
  ['the deadline went by', {}, SINCE, 600_000, true],
  ['the deadline is not over', {}, SINCE, 599_999, false],
  ['all pods are there', { available: 2 }, SINCE, 600_000, false],
  ['the rollout never was complete', {}, undefined, 600_000, false],
])('is asked for when pods lack for too long: %s', (_, change, since, ms, expected) => {
  expect(isOverdue({ ...deployment, ...change }, since, Date.parse(SINCE) + ms)).toBe(expected);
});
