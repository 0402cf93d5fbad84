import { expect, it } from 'vitest';
import { toDeployment, toPod } from './workloads.ts';

const container = (name: string, restartCount: number, reason?: string) => ({
  name,
  restartCount,
  image: '',
  imageID: '',
  ready: false,
  ...(reason === undefined ? {} : { state: { waiting: { reason } } }),
});

it('tells which containers are restarted in vain', () => {
  const containerStatuses = [container('serving', 4, 'CrashLoopBackOff'), container('agent', 1)];
  const pod = toPod({ status: { containerStatuses } });
  expect(pod.crashing).toEqual([{ container: 'serving', restarts: 4 }]);
  expect(toPod({ status: { containerStatuses: [container('serving', 0, 'ContainerCreating')] } })).not.toHaveProperty(
    'crashing',
  );
});

it.each([
  ['its own', { progressDeadlineSeconds: 60 }, 60_000],
  ['that of Kubernetes', {}, 600_000],
])('knows the deadline of a rollout: %s', (_, fields, deadlineMs) => {
  const spec = { selector: {}, template: {}, ...fields };
  expect(toDeployment({ spec }).deadlineMs).toBe(deadlineMs);
});
