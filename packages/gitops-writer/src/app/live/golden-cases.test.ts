import type { Change } from '@fairway/core';
import { expect, it } from 'vitest';
import type { Pod } from '../../ports.ts';
import { toApplication } from '../../cluster/application.ts';
import { toPod } from '../../cluster/workloads.ts';
import { toldByGoldenCases } from './golden-cases.ts';
import type { LookContext } from './look.ts';
import { applied } from './settled.ts';

const change: Pick<Change, 'id'> = { id: '0123456789abcdef0123' };
const failedHook = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  namespace: 'm-prod',
  name: `smoke-${change.id}`,
  hookType: 'PostSync',
  hookPhase: 'Failed',
  syncPhase: 'PostSync',
  message: 'Job has reached the specified backoff limit',
};
const deployment = { group: 'apps', kind: 'Deployment', name: 'm', hookPhase: 'Succeeded', status: 'Synced' };

const application = (resources: object[]) =>
  toApplication({
    metadata: { name: 'm-prod' },
    status: {
      operationState: {
        phase: 'Failed',
        message: 'one or more synchronization tasks completed unsuccessfully',
        syncResult: { revision: 'a'.repeat(40), resources },
      },
    },
  });

const podThatSaid = (message: string): Pod =>
  toPod({
    metadata: { name: 'p' },
    status: {
      containerStatuses: [
        {
          name: 'smoke',
          image: '',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: 1, message } },
        },
      ],
    },
  });

const context = (pods: () => Promise<Pod[]>): { context: LookContext; asked: unknown[] } => {
  const asked: unknown[] = [];
  const cluster = { pods: (...of: unknown[]) => (asked.push(of), pods()) };
  const log = { warn: () => {} };
  return { context: { cluster, log } as unknown as LookContext, asked };
};

async function reason(resources: object[], pods: () => Promise<Pod[]>) {
  const app = application(resources);
  const world = context(pods);
  const objection = await toldByGoldenCases(applied(app, { kind: 'contains' }), app, change.id, world.context);
  return { objection, asked: world.asked };
}

it('tells a failed sync in the words of the pod that asked the golden cases', async () => {
  const pods = async () => [podThatSaid('1 of 3 golden cases failed:\ncase 2: P is 1')];
  const { objection, asked } = await reason([deployment, failedHook], pods);
  expect(objection).toEqual({
    state: 'sync-failed',
    reason: 'The golden cases failed: 1 of 3 golden cases failed: case 2: P is 1',
    fails: true,
  });
  expect(asked).toEqual([['m-prod', { 'fairway.dev/smoke': change.id }]]);
});

it('shows no more of it than people read, and no credentials', async () => {
  const pods = async () => [podThatSaid(`https://user:secret@host/ ${'x'.repeat(4000)}`)];
  const { objection } = await reason([failedHook], pods);
  expect(objection?.reason.length).toBeLessThan(700);
  expect(objection?.reason).not.toContain('secret');
});

it.each<[string, () => Promise<Pod[]>]>([
  ['the pod is gone', async () => []],
  ['the pods cannot be read', () => Promise.reject(new Error('forbidden'))],
])('has Argo CD tell when %s', async (_, pods) => {
  const { objection } = await reason([failedHook], pods);
  expect(objection?.reason).toBe(
    `The golden cases failed: Argo CD says "Job has reached the specified backoff limit" of Job smoke-${change.id}; its log says more: kubectl logs --namespace m-prod job/smoke-${change.id}`,
  );
  expect(objection?.fails).toBe(true);
});

it.each<[string, object[]]>([
  ['another hook', [{ ...failedHook, name: 'smoke-of-somebody' }]],
  ['no hook', [{ ...failedHook, hookType: '', name: failedHook.name }]],
  ['a hook that succeeded', [{ ...failedHook, hookPhase: 'Succeeded' }]],
])('leaves the failure of %s as it is', async (_, resources) => {
  const { objection, asked } = await reason(resources, async () => []);
  expect(objection?.reason).toContain('Argo CD could not apply aaaaaaaaaaaa: one or more synchronization tasks');
  expect(asked).toEqual([]);
});
