import { execFileSync } from 'node:child_process';
import type { Change, Liveness } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readyPod, rolledOutDeployment, seconds, SIGNATURE, syncedApplication } from './cluster.ts';
import { registerVersion } from './model.ts';
import { approve, MODEL, startWorld, type World } from './world.ts';

const DEV = `${MODEL}-dev`;
const FOLDER = `models/${MODEL}/environments/dev`;
const MANY = 500;

let world: World;
let version = 0;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** A new version that has just been merged for dev. */
async function merged(): Promise<{ change: Change; commit: string }> {
  version += 1;
  await registerVersion(world.registry, MODEL, String(version), version);
  const { body } = await approve(world, String(version), 'dev', `live-${version}`);
  const change = await world.until(body.change.id, ({ phase }) => phase === 'merged');
  return { change, commit: change.pullRequest?.mergeCommit ?? '' };
}
const rollOut = ({ change, commit }: Awaited<ReturnType<typeof merged>>) =>
  world.cluster.rollOut(MODEL, 'dev', change.id, change.version, commit);
/** The same without Argo CD's word. */
const workload = ({ change }: Awaited<ReturnType<typeof merged>>) => {
  world.cluster.deployment(DEV, MODEL, rolledOutDeployment(MODEL, change.id));
  world.cluster.pods(DEV, [readyPod('pod-1', MODEL, change.id, world.cluster.ip)]);
  world.cluster.serving({ version: change.version, state: 'AVAILABLE' });
};
const argo = (commit: string, status = {}, spec = {}) =>
  world.cluster.application(DEV, syncedApplication(DEV, commit, status, spec));
/** Waits until the change is seen in a state, for a reason. */
const seen = (id: string, state: Liveness['state'], reason: RegExp) =>
  world.until(id, ({ liveness }) => liveness?.state === state && reason.test(liveness.reason));
/** The writer hears of the cluster a moment after it has changed. */
const WAIT = { timeout: 60_000 };
const live = (id: string) => world.until(id, ({ phase }) => phase === 'live');
const now = async (id: string): Promise<Liveness> => {
  const { body } = await world.api('GET', `/v1/changes/${id}/liveness`);
  return (body as unknown as { liveness: Liveness }).liveness;
};

describe('a poisoned Argo CD cache', () => {
  it('Synced at the new revision and Healthy is never live before the Deployment, the pods and the model are', async () => {
    const at = await merged();
    const { id } = at.change;
    const pod = (stamp: string) => [readyPod('pod-1', MODEL, stamp, world.cluster.ip)];
    // Argo CD says from the first moment on what a finished rollout looks like.
    world.cluster.deployment(DEV, MODEL, rolledOutDeployment(MODEL, 'older'));
    world.cluster.pods(DEV, pod('older'));
    world.cluster.serving({ version: '999', state: 'AVAILABLE' });
    argo(at.commit);
    await seen(id, 'progressing', /Deployment carries change older/);
    world.cluster.deployment(DEV, MODEL, rolledOutDeployment(MODEL, id));
    await seen(id, 'progressing', /pod-1 still serves change older/);
    world.cluster.pods(DEV, pod(id));
    await seen(id, 'progressing', /pod-1 says 404, not a model status about version/);
    world.cluster.serving({ version: at.change.version, state: 'LOADING' });
    await seen(id, 'progressing', /pod-1 says LOADING/);
    world.cluster.serving({ version: at.change.version, state: 'AVAILABLE', signature: 'unreadable' });
    await seen(id, 'progressing', /signature that pod-1 serves cannot be read: it answers 500/);
    const other = { ...SIGNATURE, outputs: [{ name: 'P_BAD1', dtype: 'DT_DOUBLE', shape: [-1, 1] }] } as const;
    world.cluster.serving({ version: at.change.version, state: 'AVAILABLE', signature: other });
    const wrong = await seen(id, 'degraded', /another signature than the approved one: .*DT_DOUBLE/);
    expect(wrong.phase).toBe('verifying');
    world.cluster.serving({ version: at.change.version, state: 'AVAILABLE' });
    const { history, liveness } = await live(id);
    expect(history.filter(({ phase }) => phase === 'live')).toHaveLength(1);
    expect(liveness).toMatchObject({ state: 'live', reason: expect.stringContaining('1 of 1 pods serve') });
  });

  it('does not take one pod’s word for the others', async () => {
    const at = await merged();
    const { id } = at.change;
    const second = await world.cluster.addServing();
    const two = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
    const deployment = rolledOutDeployment(MODEL, id, two);
    world.cluster.deployment(DEV, MODEL, { ...deployment, spec: { ...(deployment['spec'] as object), replicas: 2 } });
    world.cluster.pods(DEV, [readyPod('pod-1', MODEL, id, world.cluster.ip), readyPod('pod-2', MODEL, id, second.ip)]);
    world.cluster.serving({ version: at.change.version, state: 'AVAILABLE' });
    argo(at.commit);
    await seen(id, 'progressing', /pod-2 says 404/);
    second.say({ version: at.change.version, state: 'AVAILABLE' });
    expect((await live(id)).reason).toContain('2 of 2 pods');
    expect(second.asked).toContain(`/v1/models/${MODEL}/versions/${at.change.version}/metadata`);
  });
});

describe('a shared branch', () => {
  it(`${MANY} unrelated later commits neither keep a change from being live nor end it`, async () => {
    const at = await merged();
    const folder = await world.clone('unrelated');
    const stream = Array.from({ length: MANY }, (_, i) => {
      const file = `models/other/notes-${i % 10}.md`;
      const message = `Note ${i}`;
      const head = i === 0 ? 'from refs/heads/main^0\n' : '';
      return `commit refs/heads/main\ncommitter P <p@example.com> ${1_800_000_000 + i} +0000\ndata ${message.length}\n${message}\n${head}M 644 inline ${file}\ndata ${message.length}\n${message}\n`;
    }).join('');
    execFileSync('git', ['fast-import', '--quiet', '--force'], { cwd: folder, input: stream });
    await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
    const head = (await world.git.ok(folder, ['rev-parse', 'main'])).trim();
    const later = await world.git.ok(folder, ['rev-list', '--count', `${at.commit}..main`]);
    expect(Number(later)).toBe(MANY);
    // What a comparison for equality would ask: it fails here, and the change is live.
    expect(head).not.toBe(at.commit);
    rollOut({ ...at, commit: head });
    await live(at.change.id);
    expect((await now(at.change.id)).state).toBe('live');
  });

  it('a later commit to the same files supersedes a change; that is no failure', async () => {
    const at = await merged();
    const folder = await world.clone('same-path');
    const by = await world.git.commit(folder, `${FOLDER}/service.yaml`, 'kind: Service\n');
    await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
    argo(by);
    const ended = await world.until(at.change.id, ({ phase }) => phase === 'superseded');
    expect(ended.reason).toContain(by.slice(0, 12));
    expect(ended.liveness?.state).toBe('superseded');
    const { notifications } = (await world.api('GET', '/v1/notifications')).body;
    expect(notifications.filter(({ event }) => event === 'failed')).toEqual([]);
  });
});

describe('a sync', () => {
  it('under way is told as such, and so is one that is asked for', async () => {
    const at = await merged();
    argo(at.commit, { operationState: { phase: 'Running', message: 'waiting for healthy state' } });
    const running = await seen(at.change.id, 'syncing', /waiting for healthy state/);
    expect(running.phase).toBe('syncing');
    world.cluster.application(DEV, { ...syncedApplication(DEV, at.commit), operation: { sync: {} } });
    await seen(at.change.id, 'syncing', /asked for/);
    rollOut(at);
    await live(at.change.id);
  });

  it('of another revision that failed is waited out', async () => {
    const at = await merged();
    const folder = await world.clone('older');
    const older = (await world.git.ok(folder, ['rev-parse', `${at.commit}^1`])).trim();
    argo(at.commit, {
      sync: { status: 'OutOfSync', revision: at.commit },
      operationState: { phase: 'Failed', message: 'denied', finishedAt: seconds(), syncResult: { revision: older } },
    });
    await seen(at.change.id, 'waiting-for-sync', /not begun to apply/);
    rollOut(at);
    await live(at.change.id);
  });

  it('is kept back by a sync window without an alarm', async () => {
    const at = await merged();
    const always = { kind: 'deny', schedule: '* * * * *', duration: '10m', namespaces: ['*-dev'] };
    world.cluster.project('fairway', { syncWindows: [always] });
    argo(at.commit, { sync: { status: 'OutOfSync', revision: at.commit }, operationState: undefined });
    const blocked = await seen(at.change.id, 'blocked-by-sync-window', /project fairway denies it now/);
    expect(blocked.phase).toBe('merged');
    world.cluster.project('fairway', { syncWindows: [] });
    rollOut(at);
    await live(at.change.id);
  });

  it('is asked of people where auto-sync is off, or the Application is missing', async () => {
    const at = await merged();
    world.cluster.removeApplication(DEV);
    await seen(at.change.id, 'waiting-for-sync', /no Argo CD Application home-equity-dev/);
    const late = { sync: { status: 'OutOfSync', revision: at.commit }, operationState: undefined };
    argo(at.commit, late, { syncPolicy: {} });
    await seen(at.change.id, 'waiting-for-sync', /Auto-sync is off/);
    rollOut(at);
    await live(at.change.id);
  });

  it('that somebody undoes is drift, before and after the change was live', async () => {
    const at = await merged();
    const resources = [{ kind: 'Service', version: 'v1', namespace: DEV, name: MODEL, status: 'OutOfSync' }];
    const drift = { sync: { status: 'OutOfSync', revision: at.commit }, resources };
    argo(at.commit, drift);
    await seen(at.change.id, 'drifted', /Service home-equity/);
    rollOut(at);
    await live(at.change.id);
    argo(at.commit, drift);
    await expect.poll(async () => (await now(at.change.id)).state, WAIT).toBe('drifted');
    argo(at.commit);
    await expect.poll(async () => (await now(at.change.id)).state, WAIT).toBe('live');
  });
});

describe('an old comparison', () => {
  it('is refreshed once, and believed when it is new', async () => {
    const at = await merged();
    const old = { reconciledAt: seconds(-3_600_000) };
    // What is there of the change before must not be refreshed meanwhile.
    world.cluster.removeApplication(DEV);
    const before = world.cluster.refreshes.length;
    world.cluster.argoAnswers(false);
    argo(at.commit, old);
    await seen(at.change.id, 'unknown', /from before the change was merged/);
    await expect.poll(() => world.cluster.refreshes.length).toBe(before + 1);
    const pending = world.cluster.readApplication(DEV) as { metadata: { annotations: Record<string, string> } };
    expect(pending.metadata.annotations).toMatchObject({ 'argocd.argoproj.io/refresh': 'normal' });
    expect(Date.parse(pending.metadata.annotations['argocd.argoproj.io/refresh-timestamp'] ?? '')).not.toBeNaN();
    // The request is still there, so when the change is looked at anew there is no second one.
    world.cluster.application(DEV, { ...pending, operation: { sync: {} } });
    await seen(at.change.id, 'syncing', /asked for/);
    world.cluster.application(DEV, pending);
    await seen(at.change.id, 'unknown', /from before the change was merged/);
    expect(world.cluster.refreshes.length).toBe(before + 1);
    world.cluster.argoAnswers(true);
    workload(at);
    argo(at.commit, old);
    await live(at.change.id);
    expect(world.cluster.refreshes.length).toBe(before + 2);
  });

  it('of no commit at all is refreshed too', async () => {
    const at = await merged();
    argo('', { sync: { status: 'Unknown', revision: '' } });
    await seen(at.change.id, 'waiting-for-sync', /names no commit/);
    rollOut(at);
    await live(at.change.id);
  });
});
