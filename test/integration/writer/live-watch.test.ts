import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, systemClock } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applicationHints } from '../../../packages/gitops-writer/src/app/application-hints.ts';
import { applicationCache } from '../../../packages/gitops-writer/src/cluster/applications.ts';
import { kubeConfig, kubernetesCluster } from '../../../packages/gitops-writer/src/cluster/kubernetes.ts';
import { claims } from '../../../packages/gitops-writer/src/store/claims.ts';
import { migrate } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { openPool } from '../../../packages/gitops-writer/src/store/pool.ts';
import { turnLocks } from '../../../packages/gitops-writer/src/store/turn-locks.ts';
import { type KubeApi, startKubeApi, writeKubeconfig } from '../../harness/kube-api.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { syncedApplication } from './cluster.ts';

const COLLECTION = '/apis/argoproj.io/v1alpha1/namespaces/openshift-gitops/applications';
const LOG = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const X = 'a'.repeat(40);
const Y = 'b'.repeat(40);

let dir: string;
let api: KubeApi;
let watched: ReturnType<typeof applicationCache>;
let heard: string[];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway watch '));
  api = await startKubeApi();
  writeKubeconfig(join(dir, 'kubeconfig'), api.url);
  watched = applicationCache(kubeConfig(join(dir, 'kubeconfig')), 'openshift-gitops', systemClock, LOG);
  heard = [];
  watched.onChange((name) => void heard.push(name));
});
afterEach(async () => {
  await watched.stop();
  api.stop();
  rmSync(dir, { recursive: true, force: true });
});

const put = (name: string, revision: string) => api.put(`${COLLECTION}/${name}`, syncedApplication(name, revision));
const revisionOf = (name: string) => {
  const found = watched.look(name);
  return found === undefined || found === 'unknown' ? found : found.compared[0]?.revision;
};
const count = (verb: string) => api.asked.filter((asked) => asked.verb === verb && asked.path === COLLECTION).length;
const PATIENT = { timeout: 60_000 };
async function start(): Promise<void> {
  await watched.start();
  await expect.poll(() => watched.look('a'), PATIENT).not.toBe('unknown');
  // The list is there before the watch that follows it.
  await expect.poll(() => api.watchers(), PATIENT).toBe(1);
}

describe('watched Applications', () => {
  it('are there at once, and what changes about them is told, and only that', async () => {
    put('a', X);
    await start();
    expect([revisionOf('a'), revisionOf('nobody'), heard]).toEqual([X, undefined, []]);
    put('b', X);
    // What decides nothing is no news.
    const same = structuredClone(api.read(`${COLLECTION}/a`) as { metadata: object });
    api.put(`${COLLECTION}/a`, { ...same, metadata: { ...same.metadata, labels: { colour: 'red' } } });
    put('a', Y);
    api.remove(`${COLLECTION}/b`);
    await expect.poll(() => heard, PATIENT).toEqual(['b', 'a', 'b']);
    expect([revisionOf('a'), revisionOf('b')]).toEqual([Y, undefined]);
  });

  it('are listed page by page', async () => {
    for (let i = 0; i < 1_100; i++) put(`app-${i}`, X);
    put('a', X);
    await start();
    expect(count('list')).toBe(3);
    expect([revisionOf('app-0'), revisionOf('app-1099')]).toEqual([X, X]);
  });

  it('miss nothing while the connection is cut, and need no new list', async () => {
    put('a', X);
    await start();
    api.bookmark();
    api.cutWatches();
    put('a', Y);
    put('b', X);
    await expect.poll(() => revisionOf('b'), PATIENT).toBe(X);
    expect([revisionOf('a'), heard, count('list')]).toEqual([Y, ['a', 'b'], 1]);
    expect(count('watch')).toBeGreaterThan(1);
  });

  it('are listed anew when what happened meanwhile has been forgotten (410), and only news is told', async () => {
    for (const name of ['a', 'b', 'c']) put(name, X);
    await start();
    api.setDown(true);
    api.cutWatches();
    put('a', Y);
    api.remove(`${COLLECTION}/c`);
    api.compact();
    api.setDown(false);
    await expect.poll(() => revisionOf('a'), PATIENT).toBe(Y);
    expect([revisionOf('b'), revisionOf('c'), count('list')]).toEqual([X, undefined, 2]);
    expect(heard.toSorted()).toEqual(['a', 'c']);
  });

  it('are not believed while the API is away: they are read one by one, which says so', async () => {
    put('a', X);
    await start();
    const cluster = kubernetesCluster(kubeConfig(join(dir, 'kubeconfig')), 'openshift-gitops', watched);
    expect((await cluster.application('a', 'cached'))?.compared[0]?.revision).toBe(X);
    expect(count('get')).toBe(0);
    api.setDown(true);
    api.cutWatches();
    await expect.poll(() => watched.look('a'), PATIENT).toBe('unknown');
    await expect(cluster.application('a', 'cached')).rejects.toThrow(/the connection was cut/);
    api.setDown(false);
    expect((await cluster.application('a', 'now'))?.compared[0]?.revision).toBe(X);
    await expect.poll(() => watched.look('a'), PATIENT).not.toBe('unknown');
  });

  it('are not spoilt by one that cannot be read', async () => {
    put('a', X);
    api.put(`${COLLECTION}/odd`, { metadata: { name: 'odd' }, status: { sync: { status: 'Fine' } } });
    await start();
    expect([revisionOf('a'), watched.look('odd')]).toEqual([X, 'unknown']);
  });

  it('leave no connection behind', async () => {
    put('a', X);
    await start();
    await watched.stop();
    await expect.poll(() => api.watchers(), PATIENT).toBe(0);
    await watched.stop();
  });
});

describe('hints of Applications', () => {
  it('are told together, and wake what they concern', async () => {
    const asked: string[][] = [];
    const woken: string[] = [];
    const hintApplications = (names: readonly string[]) => {
      asked.push([...names]);
      return Promise.resolve(names.map((name) => `change of ${name}`));
    };
    const wake = (ids: readonly string[]) => Promise.resolve(void woken.push(...ids));
    let tell: (name: string) => void = () => {};
    const hints = applicationHints(
      { onChange: (to) => void (tell = to) },
      { hintApplications },
      { add: () => Promise.resolve(), wake },
      LOG,
    );
    for (const name of ['a', 'b', 'a']) tell(name);
    await expect.poll(() => woken).toEqual(['change of a', 'change of b']);
    tell('c');
    await expect.poll(() => asked).toEqual([['a', 'b'], ['c']]);
    await hints.stop();
  });

  it('reach changes that wait for the cluster, by the name that Argo CD gives their Application', async () => {
    const { url, stop } = await startPostgres();
    const pool = openPool(url, 2, LOG);
    await migrate(pool);
    const insert = (id: string, kind: string, model: string, environment: string, phase: string) =>
      pool.query(
        `INSERT INTO changes.changes (id, kind, model, version, environment, phase, branch, actor, evidence, history, created_at, updated_at, next_at)
         VALUES ($1, $2, $3, '1', $4, $5, $1, 'test', '{}', '[]', now(), now(), now() + interval '1 hour')`,
        [id, kind, model, environment, phase],
      );
    await insert('merged', 'deploy', 'm', 'a-b', 'merged');
    await insert('back', 'rollback', 'm-a', 'b', 'verifying');
    await insert('train', 'retrain', 'm', 'prod', 'syncing');
    await insert('early', 'deploy', 'm', 'a-b', 'proposed');
    await insert('over', 'deploy', 'm', 'a-b', 'live');
    await insert('other', 'deploy', 'm', 'prod', 'merged');
    const store = claims(pool, turnLocks(url, LOG), () => []);
    expect((await store.hintApplications(['m-a-b', 'm-retrain-train', 'nobody'])).toSorted()).toEqual([
      'back',
      'merged',
      'train',
    ]);
    await pool.query(`UPDATE changes.changes SET next_at = next_at - interval '2 seconds'`);
    expect((await store.due(10)).toSorted()).toEqual(['back', 'merged', 'train']);
    await pool.end();
    await stop();
  });
});
