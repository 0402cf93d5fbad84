import { describe, expect, it } from 'vitest';
import type { Application, Deployment, Pod, Relation } from '../ports.ts';
import { rolloutVerdict, syncVerdict } from './live.ts';

const X = 'a'.repeat(40);
const MERGED = '2026-11-22T10:00:00.700Z';
const contains: Relation = { kind: 'contains' };
const application: Application = {
  deleting: false,
  operationRequested: false,
  refreshRequested: false,
  syncStatus: 'Synced',
  revision: X,
  reconciledAt: '2026-11-22T10:00:05Z',
  health: 'Healthy',
  operation: { phase: 'Succeeded', finishedAt: '2026-11-22T10:00:04Z', revision: X },
  errors: [],
};
const state = (change: Partial<Application>, relation: Relation = contains) =>
  syncVerdict({ ...application, ...change }, relation, MERGED);

describe('what Argo CD says of a merged change', () => {
  it('is synced when a settled, fresh comparison contains the merge', () => {
    expect(state({}).state).toBe('synced');
  });
  it('waits for an Application that is not there, and asks for no refresh of it', () => {
    expect(syncVerdict(undefined, { kind: 'unknown' }, MERGED)).toMatchObject({ state: 'waiting-for-sync' });
  });
  it('does not care how many commits came later, as long as the folder is the same', () => {
    expect(state({ revision: 'b'.repeat(40) }).state).toBe('synced');
  });
  it('is superseded when a later commit changed the folder', () => {
    expect(state({}, { kind: 'superseded', by: 'c'.repeat(40) })).toMatchObject({ state: 'superseded' });
  });
  it.each<[string, Partial<Application>, Relation, string]>([
    ['a requested operation', { operationRequested: true }, contains, 'syncing'],
    ['a running operation', { operation: { phase: 'Running' } }, contains, 'syncing'],
    ['an older comparison', {}, { kind: 'before' }, 'waiting-for-sync'],
    ['a revision nobody knows', {}, { kind: 'unknown' }, 'waiting-for-sync'],
    ['a comparison from before the merge', { reconciledAt: '2026-11-22T09:59:59Z' }, contains, 'waiting-for-sync'],
    [
      'a comparison from before the operation ended',
      { reconciledAt: '2026-11-22T10:00:03Z' },
      contains,
      'waiting-for-sync',
    ],
    ['a comparison error', { errors: ['ComparisonError: no such host'] }, contains, 'blocked'],
    ['drift', { syncStatus: 'OutOfSync' }, contains, 'syncing'],
    ['deletion', { deleting: true }, contains, 'blocked'],
    ['a failed operation', { operation: { phase: 'Failed', revision: X, message: 'denied' } }, contains, 'sync-failed'],
  ])('tells %s apart', (_, change, relation, expected) => {
    expect(state(change, relation).state).toBe(expected);
  });
  it('counts seconds, which is all Argo CD keeps', () => {
    expect(state({ reconciledAt: '2026-11-22T10:00:00Z', operation: { phase: 'Succeeded', revision: X } }).state).toBe(
      'synced',
    );
  });
  it('asks for a refresh where the comparison is old', () => {
    expect(state({}, { kind: 'before' }).stale).toBe(true);
    expect(state({ reconciledAt: '2026-11-22T09:00:00Z' }).stale).toBe(true);
    expect(state({}).stale).toBeUndefined();
  });
  it('does not blame this change for an operation of an older revision', () => {
    expect(
      state({ operation: { phase: 'Failed', revision: 'b'.repeat(40), finishedAt: '2026-11-22T09:00:00Z' } }).state,
    ).toBe('synced');
  });
});

const deployment: Deployment = {
  stamp: 'me',
  generation: 3,
  observedGeneration: 3,
  desired: 2,
  replicas: 2,
  updated: 2,
  available: 2,
  selector: {},
};
const pod = (name: string, stamp = 'me'): Pod => ({ name, ready: true, terminating: false, stamp, exitCodes: [] });
const pods = [
  { pod: pod('a'), serving: 'AVAILABLE' },
  { pod: pod('b'), serving: 'AVAILABLE' },
];
const rollout = (change: Partial<Deployment>, words = pods) =>
  rolloutVerdict(application, { ...deployment, ...change }, words, 'me').state;

describe('proof outside Argo CD', () => {
  it('is live when every ready pod serves the version', () => {
    expect(rollout({})).toBe('live');
  });
  it('is not live while old pods run although Argo CD is Synced at the new revision', () => {
    expect(rollout({ stamp: 'older' })).toBe('progressing');
    expect(rollout({}, [...pods, { pod: pod('c', 'older'), serving: 'AVAILABLE' }])).toBe('progressing');
    expect(rollout({ replicas: 3 })).toBe('progressing');
  });
  it('is not live while TensorFlow Serving loads in one of the pods', () => {
    expect(rollout({}, [pods[0] as (typeof pods)[0], { pod: pod('b'), serving: 'LOADING' }])).toBe('progressing');
  });
  it('is not live before the rollout was observed, or while it lacks pods', () => {
    expect(rollout({ observedGeneration: 2 })).toBe('progressing');
    expect(rollout({ available: 1 })).toBe('progressing');
    expect(rollout({}, [pods[0] as (typeof pods)[0]])).toBe('progressing');
    expect(rolloutVerdict(application, undefined, [], 'me').state).toBe('progressing');
  });
  it('is not live while Argo CD says otherwise', () => {
    expect(rolloutVerdict({ ...application, health: 'Progressing' }, deployment, pods, 'me').state).toBe('progressing');
  });
  it('is degraded past the progress deadline', () => {
    expect(rollout({ stuck: 'timed out' })).toBe('degraded');
  });
});
