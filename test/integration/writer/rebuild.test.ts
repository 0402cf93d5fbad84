import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Change } from '@fairway/core';
import { audit } from '@fairway/gitops-writer';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BIN } from '../../harness/demo.ts';
import { approve, MODEL, startWorld, type World } from './world.ts';
import { folderOf, people, proposed } from './ways.ts';

let world: World;
let bank: ReturnType<typeof people>;

beforeAll(async () => {
  world = await startWorld();
  bank = people(world);
  for (const version of ['1', '2', '3', '4']) await bank.register(version);
});
afterAll(() => world.stop());

const listed = async () => (await world.api('GET', '/v1/changes?limit=100')).body.changes;
/** What a rebuilt change has in common with what it was: times of steps and words are told anew. */
function lasting(change: Change) {
  const { id, kind, model, version, environment, digest, branch, image, actor, pullRequest, phase, createdAt } = change;
  const pull = [pullRequest?.number, pullRequest?.state, pullRequest?.mergeCommit];
  const created = createdAt.slice(0, 19);
  return { id, kind, model, version, environment, digest, branch, image, actor, pull, phase, created };
}
const byId = (changes: readonly Change[]) => [...changes].sort((a, b) => (a.id < b.id ? -1 : 1)).map(lasting);
const liveThere = async () =>
  (await world.api('GET', '/v1/models')).body.models.flatMap(({ environments }) =>
    environments.map(({ name, live }) => [name, live?.version]),
  );

async function loseDatabase(): Promise<void> {
  await world.stopWriter('SIGTERM');
  const client = new Client({ connectionString: world.env.DATABASE_URL });
  await client.connect();
  await client.query('DROP SCHEMA changes CASCADE');
  await client.end();
  await world.startWriter();
}

async function askForRetraining(period: string): Promise<Change> {
  const window = {
    model: MODEL,
    version: '1',
    environment: 'prod',
    period,
    start: '2026-01-01T00:00:00.000Z',
    end: '2026-04-01T00:00:00.000Z',
  };
  const metrics = {
    predictions: 10,
    labelled: 10,
    events: 2,
    auc: 0.7,
    aucInterval: null,
    ks: 0.4,
    gini: 0.4,
    meanScore: 0.2,
    eventRate: 0.2,
    brier: 0.1,
    psi: {},
    psiWithMissing: {},
    missing: {},
    scorePsi: 0.1,
  };
  const answer = await world.api('POST', '/v1/changes', {
    kind: 'retrain',
    model: MODEL,
    version: '1',
    environment: 'prod',
    dedupeKey: `${MODEL} ${period}`,
    actor: 'fairway-monitor',
    verdict: {
      id: `v-${period}`,
      window,
      state: 'alert',
      metrics,
      findings: [],
      policy: 'c'.repeat(40),
      counts: 'd'.repeat(64),
      judgedAt: window.end,
    },
    windows: [],
    snapshot: {
      id: 's',
      model: MODEL,
      version: '1',
      environment: 'prod',
      file: 's.csv.gz',
      query: 'q',
      start: window.start,
      end: window.end,
      rows: 1,
      labels: 1,
      events: 1,
      columns: [],
      sha256: 'e'.repeat(64),
      createdAt: window.end,
    },
  });
  return world.until(answer.body.change.id, proposed);
}

/** What `fairway rebuild` prints. */
async function fairwayRebuild(): Promise<string> {
  const env = { ...process.env, FAIRWAY_WRITER_URL: world.url(), FAIRWAY_WRITER_TOKEN: world.env.WRITER_TOKEN };
  return (await promisify(execFile)(process.execPath, [BIN, 'rebuild'], { env })).stdout;
}

/** Somebody opens a pull request under a name of ours. */
async function forge(): Promise<string> {
  const branch = `fairway/deploy/${MODEL}/dev/${'f'.repeat(20)}`;
  const folder = await bank.clone();
  await world.git.ok(folder, ['checkout', '--quiet', '-b', branch]);
  const message = `Deploy\n\nFairway-Change: ${'f'.repeat(20)}\nFairway-Model: ${MODEL}\n`;
  await world.git.commit(folder, `${folderOf('dev')}/version.yaml`, 'change: mine\n', message);
  await world.git.ok(folder, ['push', '--quiet', 'origin', branch], world.forge.owner);
  await world.onForge('POST', '/pulls', { head: branch, base: 'main', title: 'Deploy', body: 'x' });
  return branch;
}

it('brings every change back from Git and the forge after the database is lost, and the clone holds under audit', async () => {
  const first = await bank.deployed('1', 'prod', 'e1');
  const second = await bank.deployed('2', 'prod', 'e2');
  const elsewhere = await bank.deployed('3', 'dev', 'e3');
  const asked = (await bank.rollback()).body.change;
  await bank.live(asked.id, first.id);
  const refused = await world.until(await bank.approved('3', 'prod', 'e4'), proposed);
  await world.onForge('PATCH', `/pulls/${refused.pullRequest?.number}`, { state: 'closed' });
  await world.until(refused.id, ({ phase }) => phase === 'rejected');
  await askForRetraining('2026Q1');
  await askForRetraining('2026Q2');
  const open = await world.until(await bank.approved('4', 'prod', 'e5'), proposed);
  await expect
    .poll(async () => (await world.onForge('GET', '/pulls?state=open')).body.map(({ title }) => title))
    .toContain('Retrain home-equity after 2026Q2 (prod)');
  const forged = await forge();
  const before = await listed();
  const live = await liveThere();
  expect(before.find(({ id }) => id === second.id)?.phase).toBe('rolled-back');

  await loseDatabase();
  expect(await listed()).toEqual([]);
  const { status, body } = await world.api('POST', '/v1/rebuild');
  expect([status, body]).toEqual([
    200,
    { restored: before.length, skipped: [{ branch: forged, reason: expect.any(String) }] },
  ]);
  // Nothing is live because it was: what the cluster says is asked again.
  await world.until(asked.id, ({ phase }) => phase === 'live');
  await bank.live(elsewhere.id);
  await expect.poll(async () => byId(await listed()), { timeout: 60_000 }).toEqual(byId(before));
  expect(await liveThere()).toEqual(live);
  expect((await world.api('POST', '/v1/rebuild')).body).toMatchObject({ restored: 0 });

  const pulls = (await world.onForge('GET', '/pulls?state=all')).body.length;
  const again = await approve(world, '4', 'prod', 'e5');
  expect([again.status, again.body.change.id]).toEqual([200, open.id]);
  expect((await approve(world, '3', 'prod', 'e4')).body.change).toMatchObject({ id: refused.id, phase: 'rejected' });
  await bank.live(open.id);
  expect((await world.onForge('GET', '/pulls?state=all')).body).toHaveLength(pulls);
  expect((await listed()).find(({ id }) => id === asked.id)?.phase).toBe('superseded');
  const request = { branch: 'main', signatures: false, environment: process.env };
  const { findings, served } = await audit({ ...request, folder: await bank.clone() });
  expect(findings).toEqual([]);
  expect(served.map(({ environment, version }) => [environment, version])).toEqual([
    ['prod', '1'],
    ['prod', '2'],
    ['dev', '3'],
    ['prod', '1'],
    ['prod', '4'],
  ]);
});

it('restores no approval that the bytes do not prove', async () => {
  const waiting = await world.until(await bank.approved('3', 'prod', 'e7'), proposed);
  const folder = await bank.clone();
  await world.git.ok(folder, ['checkout', '--quiet', waiting.branch]);
  await world.git.commit(folder, `${folderOf('prod')}/service.yaml`, 'kind: Service\n');
  await world.git.ok(folder, ['push', '--quiet', 'origin', waiting.branch], world.forge.owner);
  await loseDatabase();
  const said = await fairwayRebuild();
  expect(said).toMatch(/^\d+ changes restored\.\n\nNot restored, because/);
  expect(said).toContain(`${waiting.branch}  Its commit does not carry the trailers of the change.`);
  expect((await listed()).map(({ id }) => id)).not.toContain(waiting.id);
});
