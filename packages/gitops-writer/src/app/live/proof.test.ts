import { type Logger, pause, type Signature } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import type { StoredChange } from '../../change.ts';
import type { Application, Cluster, Deployment, HowFresh, Pod, Relation } from '../../ports.ts';
import { type LookContext, lookAtSync } from './look.ts';
import { prove } from './proof.ts';

const X = 'a'.repeat(40);
const OLD = 'b'.repeat(40);
const NOW = Date.parse('2026-11-22T11:00:00Z');
const signature: Signature = { name: 'serving_default', method: 'predict', inputs: [], outputs: [] };
const stored = {
  change: { id: 'me', kind: 'deploy', model: 'm', version: '7', environment: 'prod', phase: 'verifying' },
  facts: { mergeCommit: X, mergedAt: '2026-11-22T10:00:00Z', stamp: 'me' },
} as unknown as StoredChange;
const application: Application = {
  name: 'm-prod',
  project: 'fairway',
  destination: {},
  autoSync: true,
  deleting: false,
  operationRequested: false,
  refreshRequested: false,
  syncStatus: 'Synced',
  compared: [{ repoURL: '', revision: X }],
  reconciledAt: '2026-11-22T10:00:05Z',
  health: 'Healthy',
  healthSince: '2026-11-22T10:00:05Z',
  operation: { phase: 'Succeeded', finishedAt: '2026-11-22T10:00:04Z', applied: [{ repoURL: '', revision: X }] },
  errors: [],
  resources: [],
};
const deployment: Deployment = {
  stamp: 'me',
  generation: 1,
  observedGeneration: 1,
  desired: 1,
  replicas: 1,
  updated: 1,
  available: 1,
  selector: {},
  deadlineMs: 600_000,
};
const pod = (name: string): Pod => ({ name, ready: true, terminating: false, stamp: 'me', exitCodes: [] });

type World = {
  readonly cached: Application;
  readonly now: Application;
  readonly pods: number;
  readonly relations: Readonly<Record<string, Relation>>;
  readonly modelVersion: string | undefined;
  readonly cluster: Partial<Cluster>;
};

/** A world in which everything holds, but for what a test changes. */
function world(change: Partial<World> = {}) {
  const { cached = application, now = cached, pods = 1 } = change;
  const reads: HowFresh[] = [];
  const warned: string[] = [];
  const desired = { ...deployment, desired: pods, replicas: pods, updated: pods, available: pods };
  const cluster: Partial<Cluster> = {
    application: (_name, how) => {
      reads.push(how);
      return Promise.resolve(how === 'cached' ? cached : now);
    },
    syncWindows: () => Promise.reject(new Error('forbidden')),
    deployment: () => Promise.resolve(desired),
    pods: () => Promise.resolve(Array.from({ length: pods }, (_, i) => pod(`p${i}`))),
    servingState: () => Promise.resolve('AVAILABLE'),
    servingSignature: () => Promise.resolve(signature),
    ...change.cluster,
  };
  const text = 'modelVersion' in change ? change.modelVersion : JSON.stringify({ signature });
  const context = {
    cluster,
    history: { relation: (_x: string, to: string) => Promise.resolve(change.relations?.[to] ?? { kind: 'contains' }) },
    repository: { read: () => Promise.resolve(text === undefined ? undefined : { text, blob: '' }) },
    clock: { now: () => NOW },
    log: { warn: (_fields: object, message: string) => void warned.push(message) } as unknown as Logger,
    live: { repositoryUrl: '', syncRule: 'strict', hysteresisMs: 5_000 },
  } as unknown as LookContext;
  return { context, reads, warned };
}
const judge = async (change: Partial<World>) => {
  const proof = await prove(stored, world(change).context, 5_000);
  return proof.live ? 'live' : proof.objection;
};

type But = { readonly [Field in keyof Application]?: Application[Field] | undefined };

describe('the proof', () => {
  it('is whole when every condition holds, and was read from the API server', async () => {
    const { context, reads } = world();
    expect(await prove(stored, context, 5_000)).toEqual({
      live: true,
      reason: '1 of 1 pods serve the version with the approved signature.',
    });
    expect(reads).toEqual(['cached', 'now']);
  });
  it.each<[string, Partial<Application>]>([
    ['an operation', { operationRequested: true }],
    ['another health', { health: 'Progressing' }],
    ['drift', { syncStatus: 'OutOfSync' }],
  ])('is not whole when the cache of the watch has missed %s', async (_, change) => {
    expect(await judge({ now: { ...application, ...change } })).not.toBe('live');
  });
  const but = (change: But) => ({ cached: { ...application, ...change } as Application });
  const rollout = (change: Partial<Deployment>) => ({
    cluster: { deployment: () => Promise.resolve({ ...deployment, ...change }) },
  });
  const podBut = (change: Partial<Pod>) => ({
    cluster: { pods: () => Promise.resolve([{ ...pod('p0'), ...change }]) },
  });
  const later = { compared: [{ repoURL: '', revision: OLD }] };
  // The numbers are those of the rule in docs/contracts.md. Each is broken alone: what holds besides must not make up for it.
  it.each<[string, Partial<World>, string]>([
    ['1: an operation runs', but({ operation: { phase: 'Running', applied: [] } }), 'syncing'],
    ['1: an operation ends', but({ operation: { phase: 'Terminating', applied: [] } }), 'syncing'],
    ['1: an operation is asked for', but({ operationRequested: true }), 'syncing'],
    ['1: it is being deleted', but({ deleting: true }), 'unknown'],
    ['2: compared before the merge', but({ reconciledAt: '2026-11-22T09:59:59Z', operation: undefined }), 'unknown'],
    ['2: compared before its sync ended', but({ reconciledAt: '2026-11-22T10:00:03Z' }), 'unknown'],
    ['2: never compared', but({ reconciledAt: undefined }), 'unknown'],
    ['3: ComparisonError', but({ errors: [{ type: 'ComparisonError', message: 'x' }] }), 'unknown'],
    ['3: InvalidSpecError', but({ errors: [{ type: 'InvalidSpecError', message: 'x' }] }), 'unknown'],
    ['3: SyncError', but({ errors: [{ type: 'SyncError', message: 'x' }] }), 'waiting-for-sync'],
    ['4: before the merge', { ...but(later), relations: { [OLD]: { kind: 'before' } } }, 'waiting-for-sync'],
    ['4: no commit that is known', { ...but(later), relations: { [OLD]: { kind: 'unknown' } } }, 'waiting-for-sync'],
    ['4: overwritten since', { ...but(later), relations: { [OLD]: { kind: 'superseded', by: 'y' } } }, 'superseded'],
    ['4: no commit at all', but({ compared: [{ repoURL: '', revision: '' }] }), 'waiting-for-sync'],
    ['5: OutOfSync after its sync', but({ syncStatus: 'OutOfSync' }), 'drifted'],
    ['5: nobody knows', but({ syncStatus: 'Unknown' }), 'unknown'],
    ['6: Progressing', but({ health: 'Progressing' }), 'progressing'],
    ['6: Degraded', but({ health: 'Degraded' }), 'degraded'],
    ['6: Healthy for a moment', but({ healthSince: '2026-11-22T10:59:58Z' }), 'progressing'],
    ['7: another stamp', rollout({ stamp: 'older' }), 'progressing'],
    ['7: not observed yet', rollout({ generation: 2 }), 'progressing'],
    ['7: old pods beside', rollout({ replicas: 2 }), 'progressing'],
    ['7: not all updated', rollout({ updated: 0 }), 'progressing'],
    ['7: not all available', rollout({ available: 0 }), 'progressing'],
    ['7: no pods wanted', rollout({ desired: 0, replicas: 0, updated: 0, available: 0 }), 'progressing'],
    ['7: a pod of another change', podBut({ stamp: 'older' }), 'progressing'],
    ['7: no pod is ready', podBut({ ready: false }), 'progressing'],
    ['7: its pod is going', podBut({ terminating: true }), 'progressing'],
    ['8: still loading', { cluster: { servingState: () => Promise.resolve('LOADING') } }, 'progressing'],
    [
      '8: another signature',
      { cluster: { servingSignature: async () => ({ ...signature, method: 'x' }) } },
      'degraded',
    ],
    ['8: no signature to be had', { cluster: { servingSignature: async () => 'it answers 500' } }, 'progressing'],
  ])('does not hold where only this is wrong: %s', async (_, change, state) => {
    expect(await judge(change)).toMatchObject({ state });
  });
  it('does not fail a change by a cache that has missed its recovery', async () => {
    const cached: Application = { ...application, operation: { phase: 'Failed', applied: application.compared } };
    const { context, reads } = world({ cached, now: application });
    expect((await prove(stored, context, 5_000)).live).toBe(true);
    const look = await lookAtSync(stored, context);
    expect([look.objection, reads]).toEqual([undefined, ['cached', 'now', 'cached', 'now']]);
  });
  it('asks nothing more once something objects: the cache is good enough to wait on', async () => {
    const { context, reads } = world({ cached: { ...application, operationRequested: true } });
    await prove(stored, context, 5_000);
    expect(reads).toEqual(['cached']);
  });
  it.each<[string, string | undefined, string]>([
    ['there is none', undefined, 'there is no models/m/environments/prod/modelversion.json'],
    ['it has no signature', '{}', 'has no signature'],
    ['it is not JSON', '{', 'is not JSON'],
  ])('needs the approved signature in Git: %s', async (_, modelVersion, why) => {
    expect(await judge({ modelVersion })).toMatchObject({ state: 'progressing', reason: expect.stringContaining(why) });
  });
  it('asks at most fifty of many pods, at most eight at the same time', async () => {
    let [asked, running, most] = [0, 0, 0];
    const servingState = async () => {
      asked += 1;
      running += 1;
      most = Math.max(most, running);
      await pause(1);
      running -= 1;
      return 'AVAILABLE';
    };
    const proof = await prove(stored, world({ pods: 120, cluster: { servingState } }).context, 5_000);
    expect(proof).toMatchObject({ live: true, reason: expect.stringContaining('120 of 120 pods') });
    expect([asked, most]).toEqual([50, 8]);
  });
  it('fails a change whose pods fall when their deadline has gone by once more, and lets it wait before', async () => {
    const fallen = { ...pod('p0'), ready: false, crashing: [{ container: 'serving', restarts: 5 }] };
    const short = { ...deployment, available: 0, deadlineMs: 5_000 };
    const cluster = (rolledOutAt: string): Partial<Cluster> => ({
      deployment: () => Promise.resolve({ ...short, rolledOutAt }),
      pods: () => Promise.resolve([fallen]),
    });
    const before = (ms: number) => new Date(NOW - ms).toISOString();
    expect(await judge({ cluster: cluster(before(5_000)) })).toMatchObject({
      fails: true,
      reason: expect.stringContaining('CrashLoopBackOff'),
    });
    expect(await judge({ cluster: cluster(before(4_999)) })).toMatchObject({
      reason: expect.stringContaining('0 of 1'),
    });
  });
  it('finds the one pod of many that still loads', async () => {
    const servingState = ({ name }: Pod) => Promise.resolve(name === 'p6' ? 'LOADING' : 'AVAILABLE');
    expect(await judge({ pods: 12, cluster: { servingState } })).toMatchObject({
      reason: expect.stringContaining('p6 says LOADING'),
    });
  });
});

describe('what was applied', () => {
  const failed = (revision: string): Application => ({
    ...application,
    syncStatus: 'OutOfSync',
    operation: { phase: 'Failed', message: 'denied', applied: [{ repoURL: '', revision }] },
  });
  it('counts as ours by ancestry, not by the revision that was compared', async () => {
    const later = 'c'.repeat(40);
    expect(await judge({ cached: failed(later) })).toMatchObject({ state: 'sync-failed', fails: true });
    const before: Record<string, Relation> = { [OLD]: { kind: 'before' } };
    expect(await judge({ cached: failed(OLD), relations: before })).toMatchObject({ state: 'waiting-for-sync' });
  });
  it('is drift when it was ours, and a sync to come when it was not', async () => {
    const outOfSync = (revision: string): Application => ({
      ...application,
      syncStatus: 'OutOfSync',
      operation: { phase: 'Succeeded', applied: [{ repoURL: '', revision }] },
    });
    expect(await judge({ cached: outOfSync(X) })).toMatchObject({ state: 'drifted' });
    const relations: Record<string, Relation> = { [OLD]: { kind: 'before' } };
    expect(await judge({ cached: outOfSync(OLD), relations })).toMatchObject({ state: 'waiting-for-sync' });
  });
  it('is told without the sync windows when the project cannot be read', async () => {
    const { context, warned } = world({ cached: { ...application, syncStatus: 'OutOfSync' } });
    expect((await lookAtSync(stored, context)).objection?.state).toBe('drifted');
    expect(warned).toHaveLength(1);
  });
});
