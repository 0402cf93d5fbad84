import { describe, expect, it } from 'vitest';
import { DEPLOYMENT, JOB, type Kind, POD, SECRET } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import { healthOf, worstHealth } from './health.ts';

const health = (kind: Kind, fields: object) =>
  healthOf(kind, { metadata: { name: 'x', generation: 2 }, ...fields } as unknown as KubeObject)?.status;
const replicas = (
  updatedReplicas: number,
  replicas: number,
  availableReplicas: number,
  conditions: object[] = [],
  observedGeneration = 2,
) => ({
  spec: { replicas: 1 },
  status: { observedGeneration, updatedReplicas, replicas, availableReplicas, conditions },
});

describe('healthOf', () => {
  it.each([
    ['a Deployment that is rolled out', DEPLOYMENT, replicas(1, 1, 1), 'Healthy'],
    ['one whose controller has not seen it yet', DEPLOYMENT, replicas(1, 1, 1, [], 1), 'Progressing'],
    ['one with an old pod left', DEPLOYMENT, replicas(1, 2, 2), 'Progressing'],
    ['one without an available pod', DEPLOYMENT, replicas(1, 1, 0), 'Progressing'],
    [
      'one that is too late',
      DEPLOYMENT,
      replicas(1, 2, 1, [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }]),
      'Degraded',
    ],
    ['a paused one', DEPLOYMENT, { spec: { paused: true } }, 'Suspended'],
    ['a Job that runs', JOB, { spec: {} }, 'Progressing'],
    ['a complete Job', JOB, { spec: {}, status: { conditions: [{ type: 'Complete', status: 'True' }] } }, 'Healthy'],
    ['a failed Job', JOB, { spec: {}, status: { conditions: [{ type: 'Failed', status: 'True' }] } }, 'Degraded'],
    [
      'a pod that cannot pull',
      POD,
      {
        spec: { restartPolicy: 'Always' },
        status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] },
      },
      'Degraded',
    ],
    ['a Secret', SECRET, {}, undefined],
  ])('%s: %s', (_, kind, fields, status) => expect(health(kind, fields)).toBe(status));
});

describe('worstHealth', () => {
  it.each([
    [[], 'Healthy'],
    [['Healthy', 'Progressing'], 'Progressing'],
    [['Missing', 'Progressing'], 'Missing'],
    [['Degraded', 'Missing', 'Healthy'], 'Degraded'],
  ] as const)('%j: %s', (all, worst) => expect(worstHealth(all.map((status) => ({ status })))).toBe(worst));
});
