import { describe, expect, it } from 'vitest';
import type { Deployment } from '../workloads.ts';
import { bounds, planRecreate, planRollingUpdate, type SetState } from './rollout.ts';

const set = (name: string, replicas: number, available: number): SetState => ({ name, replicas, available });
const one = { surge: 1, unavailable: 0 };

describe('bounds', () => {
  it.each([
    [1, {}, { surge: 1, unavailable: 0 }],
    [10, {}, { surge: 3, unavailable: 2 }],
    [4, { maxSurge: 0, maxUnavailable: '10%' }, { surge: 0, unavailable: 1 }],
    [4, { maxSurge: 2, maxUnavailable: 1 }, { surge: 2, unavailable: 1 }],
  ])('%i replicas with %j', (replicas, rollingUpdate, result) => {
    expect(bounds({ spec: { replicas, strategy: { rollingUpdate } } } as Deployment)).toEqual(result);
  });
});

describe('planRollingUpdate', () => {
  it.each([
    ['a first rollout goes to full size', 3, one, set('new', 0, 0), [], [{ name: 'new', replicas: 3 }]],
    [
      'the new pod comes before the old one goes',
      1,
      one,
      set('new', 0, 0),
      [set('old', 1, 1)],
      [{ name: 'new', replicas: 1 }],
    ],
    ['the old pod stays while the new one is not available', 1, one, set('new', 1, 0), [set('old', 1, 1)], []],
    [
      'the old pod goes once the new one is available',
      1,
      one,
      set('new', 1, 1),
      [set('old', 1, 1)],
      [{ name: 'old', replicas: 0 }],
    ],
    ['a broken old pod stays until the new one is available', 1, one, set('new', 1, 0), [set('old', 1, 0)], []],
    [
      'a broken new one makes room for its successor, the old one stays',
      1,
      one,
      set('new', 0, 0),
      [set('old', 1, 1), set('bad', 1, 0)],
      [{ name: 'bad', replicas: 0 }],
    ],
    ['scaling down goes straight', 1, one, set('new', 3, 3), [], [{ name: 'new', replicas: 1 }]],
  ])('%s', (_, desired, limits, next, old, plan) =>
    expect(planRollingUpdate(desired, limits, next, old)).toEqual(plan),
  );
});

describe('planRecreate', () => {
  it('waits until the old pods are gone', () => {
    expect(planRecreate(1, set('new', 0, 0), [set('old', 1, 1)], 1)).toEqual([{ name: 'old', replicas: 0 }]);
    expect(planRecreate(1, set('new', 0, 0), [set('old', 0, 0)], 1)).toEqual([]);
    expect(planRecreate(1, set('new', 0, 0), [set('old', 0, 0)], 0)).toEqual([{ name: 'new', replicas: 1 }]);
  });
});
