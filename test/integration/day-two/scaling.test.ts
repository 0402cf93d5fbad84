import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACK_QUEUE, silentLogger } from '@fairway/core';
import { openPool } from '../../../packages/monitor/src/store/database.ts';
import { redisFound } from '../../harness/redis.ts';
import { type KubeObject, rendering } from '../../manifests/render.ts';
import { producer, startRedis } from '../monitor/queue.ts';
import { cases, packsOf } from '../monitor/support.ts';

const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };

type Scaled = { minReplicaCount: number; maxReplicaCount: number; triggers: [{ metadata: { listName: string } }] };
type Hpa = { minReplicas: number; maxReplicas: number };

let keda: readonly KubeObject[];
let openshift: readonly KubeObject[];
beforeAll(() => {
  keda = rendering('manifests/install/overlays/kubernetes').objects;
  openshift = rendering('manifests/install/overlays/openshift').objects;
});

function one(objects: readonly KubeObject[], kind: string, name: RegExp, field: string): unknown {
  const found = objects.find((object) => object.kind === kind && name.test(object.metadata.name));
  if (found === undefined) throw new Error(`there is no ${kind} ${String(name)}`);
  return found[field];
}

const recorderOf = (objects: readonly KubeObject[]) =>
  one(objects, 'Deployment', /^fairway-recorder$/, 'spec') as { replicas?: number };

describe('the recorder', () => {
  it('is scaled by one autoscaler in each overlay, which alone says how many there are', () => {
    expect((one(keda, 'ScaledObject', /^fairway-recorder$/, 'spec') as Scaled).minReplicaCount).toBe(2);
    expect((one(openshift, 'HorizontalPodAutoscaler', /^fairway-recorder$/, 'spec') as Hpa).minReplicas).toBe(2);
    expect(recorderOf(keda).replicas).toBeUndefined();
    expect(recorderOf(openshift).replicas).toBeUndefined();
  });

  it('at its most leaves room in a PostgreSQL of 100 connections for monitors and writers', async () => {
    const pool = openPool('postgres://u:p@127.0.0.1:1/d', 'test', silentLogger);
    const each = pool.options.max ?? Number.POSITIVE_INFINITY;
    await pool.end();
    const most = [
      (one(keda, 'ScaledObject', /^fairway-recorder$/, 'spec') as Scaled).maxReplicaCount,
      (one(openshift, 'HorizontalPodAutoscaler', /^fairway-recorder$/, 'spec') as Hpa).maxReplicas,
    ];
    // Two monitors of as many, three of the superuser's own; writers have 16 and one for turns each, and may take a server of their own.
    for (const replicas of most) expect(replicas * each + 2 * each + 3).toBeLessThanOrEqual(100);
  });
});

describe.skipIf(!redisFound)('the list that KEDA measures (skipped where redis-server is not installed)', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('is as long as packs wait, under the prefix that the recorder has in the same overlay', async () => {
    const { QUEUE_PREFIX: prefix = '' } = one(keda, 'ConfigMap', /^fairway-recorder-/, 'data') as Record<
      string,
      string
    >;
    const [{ metadata }] = (one(keda, 'ScaledObject', /^fairway-recorder$/, 'spec') as Scaled).triggers;
    expect(metadata.listName).toContain(PACK_QUEUE);
    const queue = producer(redis.url, prefix);
    await queue.add(packsOf(cases(70, 3), PERIOD, 'keda', '1', 10));
    await queue.close();
    const client = new Redis(redis.url);
    expect(await client.llen(metadata.listName)).toBe(7);
    client.disconnect();
  });
});
