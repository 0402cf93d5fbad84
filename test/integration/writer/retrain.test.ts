import type { RetrainRequest, Verdict } from '@fairway/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { syncedApplication } from './cluster.ts';
import { cardEvents, MODEL, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const verdict = (period: string): Verdict => ({
  id: `v-${period}`,
  window: {
    model: MODEL,
    version: '1',
    environment: 'prod',
    period,
    start: '2026-01-01T00:00:00.000Z',
    end: '2026-04-01T00:00:00.000Z',
  },
  state: 'alert',
  metrics: {
    predictions: 2000,
    labelled: 2000,
    events: 400,
    auc: 0.7,
    aucInterval: [0.68, 0.72],
    ks: 0.4,
    gini: 0.4,
    meanScore: 0.2,
    eventRate: 0.2,
    brier: 0.1,
    psi: { X: 0.3 },
    psiWithMissing: {},
    missing: {},
    scorePsi: 0.1,
  },
  findings: [
    {
      rule: 'auc',
      metric: 'auc',
      value: 0.7,
      limit: 0.8,
      op: '<',
      sample: 2000,
      severity: 'alert',
      message: 'AUC is 0.7.',
    },
  ],
  policy: 'a'.repeat(40),
  counts: 'b'.repeat(64),
  judgedAt: '2026-04-01T01:00:00.000Z',
});
const request = (period: string): RetrainRequest => ({
  kind: 'retrain',
  model: MODEL,
  version: '1',
  environment: 'prod',
  dedupeKey: `${MODEL} 1 auc ${period}`,
  actor: 'fairway-monitor',
  verdict: verdict(period),
  windows: [],
  moved: [],
  charts: [{ name: 'auc', title: `AUC in ${period}`, svg: '<svg viewBox="0 0 9 9"><text x="1">AUC</text></svg>' }],
  snapshot: {
    id: `s-${period}`,
    model: MODEL,
    version: '1',
    environment: 'prod',
    file: `${period}.csv.gz`,
    query: 'SELECT 1',
    start: '2026-01-01T00:00:00.000Z',
    end: '2026-04-01T00:00:00.000Z',
    rows: 10,
    labels: 10,
    events: 2,
    columns: [{ name: 'X', type: 'number' }],
    sha256: 'c'.repeat(64),
    createdAt: '2026-04-01T01:00:00.000Z',
  },
});
const ask = (period: string) => world.api('POST', '/v1/changes', request(period));
const pulls = async () => (await world.onForge('GET', '/pulls?state=all')).body;

/** A retrain change whose pull request is merged and synced, and whose Job is what `status` says. */
async function trained(period: string, status: object, exitCode: number) {
  const { id } = (await ask(period)).body.change;
  const proposed = await world.until(id, ({ phase }) => phase === 'proposed');
  await world.onForge('POST', `/pulls/${proposed.pullRequest?.number}/merge`, { Do: 'merge' });
  const merged = await world.until(id, ({ phase }) => phase === 'merged');
  const application = `${MODEL}-retrain-${id}`;
  world.cluster.application(application, syncedApplication(application, merged.pullRequest?.mergeCommit ?? ''));
  await world.until(id, ({ reason }) => reason === 'The training Job is not there yet.');
  const state = { terminated: { exitCode } };
  world.cluster.pods(`${MODEL}-retrain`, [
    { metadata: { name: 'trainer' }, status: { containerStatuses: [{ name: 'trainer', state }] } },
  ]);
  world.cluster.job(`${MODEL}-retrain`, `retrain-${id}`, { metadata: { name: `retrain-${id}` }, status });
  return id;
}

it('proposes one retraining, and brings it up to date instead of doubling it', async () => {
  const first = await ask('2026Q1');
  expect(first.status).toBe(202);
  const { id, branch } = await world.until(first.body.change.id, ({ phase }) => phase === 'proposed');
  expect((await ask('2026Q1')).status).toBe(200);
  const second = await ask('2026Q2');
  expect([second.status, second.body.change.id]).toEqual([200, id]);
  await expect
    .poll(async () => (await pulls())[0]?.title, { timeout: 60_000 })
    .toBe(`Retrain ${MODEL} after 2026Q2 (prod)`);
  expect(await pulls()).toHaveLength(1);
  const folder = await world.clone('retrain');
  await world.git.ok(folder, ['checkout', '--quiet', branch]);
  const files = await world.git.ok(folder, ['ls-files', `models/${MODEL}/retrain/${id}`]);
  expect(files.split('\n').map((path) => path.split('/').at(-1))).toEqual([
    'auc.svg',
    'job.yaml',
    'kustomization.yaml',
    'report.md',
    'request.json',
    'service-account.yaml',
    'snapshot.json',
    'verdict.json',
  ]);
  expect(await world.git.ok(folder, ['rev-list', '--count', `main..${branch}`])).toBe('1');
  await world.onForge('PATCH', `/pulls/${(await pulls())[0]?.number}`, { state: 'closed' });
  await world.until(id, ({ phase }) => phase === 'rejected');
  // Rejected for this evidence: the same request opens nothing, newer evidence may.
  expect((await ask('2026Q1')).body.change).toMatchObject({ id, phase: 'rejected' });
});

it('is withdrawn before its merge when nobody asks any more, and asked for anew by newer evidence only', async () => {
  const { id } = (await ask('2025Q1')).body.change;
  const { pullRequest, branch } = await world.until(id, ({ phase }) => phase === 'proposed');
  const reason = 'Version 1 performs well again since 2025Q2.';
  const withdraw = () => world.api('POST', `/v1/changes/${id}/withdraw`, { actor: 'fairway-monitor', reason });
  expect((await withdraw()).status).toBe(200);
  expect(await world.until(id, ({ phase }) => phase === 'superseded')).toMatchObject({ reason });
  expect((await withdraw()).body.change).toMatchObject({ id, phase: 'superseded' });
  const number = pullRequest?.number ?? 0;
  expect((await pulls()).find((pull) => pull.number === number)).toMatchObject({ state: 'closed' });
  const said = await world.onForge('GET', `/issues/${number}/comments`);
  expect((said.body as readonly { body: string }[])[0]?.body).toContain('**Withdrawn.** Version 1 performs well again');
  expect((await world.onForge('GET', `/branches/${encodeURIComponent(branch)}`)).status).toBe(404);
  expect((await ask('2025Q1')).body.change).toMatchObject({ id, phase: 'superseded' });
  const { id: next } = (await ask('2025Q3')).body.change;
  expect(next).not.toBe(id);
  await world.until(next, ({ phase }) => phase === 'proposed');
  await world.api('POST', `/v1/changes/${next}/withdraw`, { actor: 'fairway-monitor', reason });
  await world.until(next, ({ phase }) => phase === 'superseded');
});

it('refuses to withdraw what is no retraining, or is not there', async () => {
  const missing = await world.api('POST', `/v1/changes/${'f'.repeat(20)}/withdraw`, { actor: 'a', reason: 'r' });
  expect(missing.status).toBe(404);
});

it('is finished when the Job is', async () => {
  const id = await trained('2026Q3', { conditions: [{ type: 'Complete', status: 'True' }] }, 0);
  const { reason, pullRequest } = await world.until(id, ({ phase }) => phase === 'live');
  expect(reason).toBe('training job finished, candidate registered');
  const { statuses } = (await world.onForge('GET', `/commits/${pullRequest?.mergeCommit}/status`)).body;
  expect(statuses).toMatchObject([{ context: 'fairway/live', status: 'success' }]);
  await expect
    .poll(() => cardEvents(world))
    .toEqual(['rejected', 'retrain-finished', 'retrain-merged', 'superseded', 'superseded']);
});

it('says when the gate refused the candidate', async () => {
  const id = await trained(
    '2026Q4',
    { conditions: [{ type: 'Failed', status: 'True', reason: 'PodFailurePolicy' }] },
    10,
  );
  expect((await world.until(id, ({ phase }) => phase === 'failed')).reason).toBe('the gate refused the candidate');
});

it('says why the Job failed', async () => {
  const failed = {
    type: 'Failed',
    status: 'True',
    reason: 'BackoffLimitExceeded',
    message: 'Job has reached the backoff limit',
  };
  const id = await trained('2027Q1', { conditions: [failed] }, 1);
  expect((await world.until(id, ({ phase }) => phase === 'failed')).reason).toContain(
    'Job has reached the backoff limit',
  );
});

it('refuses a chart that could do more than be looked at', async () => {
  for (const svg of ['<svg ><script>alert(1)</script></svg>', '<svg onload="x()"></svg>', '<img src="x">']) {
    const answer = await world.api('POST', '/v1/changes', {
      ...request('2027Q3'),
      charts: [{ name: 'auc', title: 'AUC', svg }],
    });
    expect(answer.body.detail).toContain('must be a plain drawing');
    expect(answer.status).toBe(400);
  }
});

it('refuses a snapshot that is no plain file name', async () => {
  const evil = request('2027Q2');
  const answer = await world.api('POST', '/v1/changes', {
    ...evil,
    snapshot: { ...evil.snapshot, file: '../../etc/passwd' },
  });
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain('snapshot.file: must be a plain file name');
});
