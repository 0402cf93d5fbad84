import type { Change, Liveness } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWriter } from '../../harness/writer-process.ts';
import { readyPod, rolledOutDeployment, seconds, syncedApplication } from './cluster.ts';
import { registerVersion } from './model.ts';
import { approve, MODEL, startWorld, type World } from './world.ts';

const PROD = `${MODEL}-prod`;

let world: World;
let version = 0;
beforeAll(async () => {
  world = await startWorld({ writer: (env) => startWriter({ ...env, HEALTH_HYSTERESIS_MS: '3000' }) });
});
afterAll(() => world.stop());

type Merged = { readonly change: Change; readonly commit: string };

/** A new version whose pull request for prod has just been merged by a person. */
async function merged(): Promise<Merged> {
  version += 1;
  await registerVersion(world.registry, MODEL, String(version), version);
  const { body } = await approve(world, String(version), 'prod', `ends-${version}`);
  const { id, pullRequest } = await world.until(body.change.id, ({ phase }) => phase === 'proposed');
  await world.onForge('POST', `/pulls/${pullRequest?.number}/merge`, { Do: 'merge' });
  const change = await world.until(id, ({ phase }) => phase === 'merged');
  return { change, commit: change.pullRequest?.mergeCommit ?? '' };
}
const argo = (commit: string, status = {}) => world.cluster.application(PROD, syncedApplication(PROD, commit, status));
const seen = (id: string, state: Liveness['state'], reason: RegExp) =>
  world.until(id, ({ liveness }) => liveness?.state === state && reason.test(liveness.reason));
/** A Deployment of the change whose rollout has been complete since a while before now. */
const rolledOut = ({ change }: Merged, agoMs: number, status = {}) =>
  rolledOutDeployment(MODEL, change.id, {
    conditions: [
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', lastUpdateTime: seconds(-agoMs) },
    ],
    ...status,
  });
function pods({ change }: Merged): void {
  world.cluster.pods(PROD, [readyPod('pod-1', MODEL, change.id, world.cluster.ip)]);
  world.cluster.serving({ version: change.version, state: 'AVAILABLE' });
}
const failed = (id: string) => world.until(id, ({ phase }) => phase === 'failed');

it('an Application that was Degraded before is waited out until our own rollout is done, and beyond', async () => {
  const at = await merged();
  const before = { health: { status: 'Degraded', message: 'old pods crash', lastTransitionTime: seconds(-600_000) } };
  world.cluster.deployment(PROD, MODEL, rolledOut(at, 0, { updatedReplicas: 0, availableReplicas: 0 }));
  argo(at.commit, before);
  const during = await seen(at.change.id, 'progressing', /0 of 1 pods are available.*Degraded since/);
  expect(during.phase).toBe('verifying');
  world.cluster.deployment(PROD, MODEL, rolledOut(at, 0));
  argo(at.commit, { ...before, reconciledAt: seconds(1_000) });
  await seen(at.change.id, 'degraded', /does not count against it/);
  pods(at);
  argo(at.commit);
  const { phase, history } = await world.until(at.change.id, (change) => change.phase === 'live');
  expect([phase, history.some((entry) => entry.phase === 'failed')]).toEqual(['live', false]);
});

it('goes on where it was when the writer is killed in the middle of verifying', async () => {
  const at = await merged();
  world.cluster.deployment(PROD, MODEL, rolledOut(at, 0));
  pods(at);
  world.cluster.serving({ version: at.change.version, state: 'LOADING' });
  // Without a time of Argo CD's own, what the writer has seen itself is kept with the change.
  argo(at.commit, { health: { status: 'Healthy' } });
  await seen(at.change.id, 'progressing', /believed once it has been so for 3 s/);
  await world.stopWriter('SIGKILL');
  await world.startWriter();
  await seen(at.change.id, 'progressing', /says LOADING/);
  await world.stopWriter('SIGKILL');
  world.cluster.serving({ version: at.change.version, state: 'AVAILABLE' });
  await world.startWriter();
  const { history } = await world.until(at.change.id, ({ phase }) => phase === 'live', 60_000);
  expect(history.filter(({ phase }) => phase === 'live')).toHaveLength(1);
});

it('does not need the watch: with every connection cut and every version forgotten it still comes to live', async () => {
  const at = await merged();
  const { api } = world.cluster;
  await expect.poll(() => api.watchers()).toBe(1);
  argo(at.commit, { operationState: { phase: 'Running' } });
  await seen(at.change.id, 'syncing', /is applying/);
  api.setDown(true);
  api.cutWatches();
  await expect.poll(() => world.output()).toContain('a watch broke');
  api.compact();
  api.setDown(false);
  world.cluster.rollOut(MODEL, 'prod', at.change.id, at.change.version, at.commit);
  await world.until(at.change.id, ({ phase }) => phase === 'live');
  await expect.poll(() => api.watchers(), { timeout: 60_000 }).toBe(1);
});

it('fails when the Application turns Degraded after our rollout', async () => {
  const at = await merged();
  world.cluster.deployment(PROD, MODEL, rolledOut(at, 0));
  const health = { status: 'Degraded', message: 'crash', lastTransitionTime: seconds(60_000) };
  argo(at.commit, { health });
  const end = await failed(at.change.id);
  expect(end.reason).toContain('after the rollout (crash)');
  expect(end.liveness?.state).toBe('degraded');
});

it('fails when our rollout passes its progress deadline', async () => {
  const at = await merged();
  const conditions = [
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'has timed out progressing' },
  ];
  world.cluster.deployment(PROD, MODEL, rolledOut(at, 0, { conditions, updatedReplicas: 0 }));
  argo(at.commit, { health: { status: 'Degraded', lastTransitionTime: seconds() } });
  expect((await failed(at.change.id)).reason).toContain('has timed out progressing');
});

it('fails when the sync of our revision fails, or of a later one with our files as they are', async () => {
  const at = await merged();
  const folder = await world.clone('later');
  const later = await world.git.commit(folder, 'models/other/notes.md', 'unrelated\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
  argo(later, {
    sync: { status: 'OutOfSync', revision: later },
    operationState: {
      phase: 'Failed',
      message: 'quota exceeded',
      finishedAt: seconds(),
      syncResult: { revision: later },
    },
    conditions: [{ type: 'SyncError', message: 'Failed last sync attempt' }],
  });
  const end = await failed(at.change.id);
  expect(end.reason).toContain('quota exceeded');
  expect(end.liveness).toMatchObject({ state: 'sync-failed', reason: expect.stringContaining('quota exceeded') });
});
