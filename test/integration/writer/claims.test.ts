import { type Change, type Logger, systemClock } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployOf } from '../../../packages/gitops-writer/src/app/intake.ts';
import type { Claim, LoadedVersion, Outcome } from '../../../packages/gitops-writer/src/ports.ts';
import { changeIntake, changeReader } from '../../../packages/gitops-writer/src/store/changes.ts';
import { claims } from '../../../packages/gitops-writer/src/store/claims.ts';
import { migrate } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { openPool } from '../../../packages/gitops-writer/src/store/pool.ts';
import { turnLocks } from '../../../packages/gitops-writer/src/store/turn-locks.ts';
import { startPostgres } from '../../harness/postgres.ts';

const LOG = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const MANY = 40;

let pool: Pool;
let replicas: ReadonlyArray<{
  readonly locks: ReturnType<typeof turnLocks>;
  readonly store: ReturnType<typeof claims>;
}>;
let stop: () => Promise<void>;
beforeAll(async () => {
  const postgres = await startPostgres();
  pool = openPool(postgres.url, 4, LOG);
  await migrate(pool);
  const replica = () => {
    const locks = turnLocks(postgres.url, LOG);
    return { locks, store: claims(pool, locks, () => []) };
  };
  replicas = [replica(), replica()];
  stop = async () => {
    for (const { locks } of replicas) await locks.stop();
    await pool.end();
    await postgres.stop();
  };
});
afterAll(() => stop());

type Row = { kind?: string; model?: string; version?: string; phase?: string; evidence?: object; inMs?: number };
const insert = (id: string, { kind = 'deploy', model = id, version = '1', phase, evidence = {}, inMs = 0 }: Row = {}) =>
  pool.query(
    `INSERT INTO changes.changes
       (id, kind, model, version, environment, digest, phase, branch, actor, evidence, history, created_at, updated_at, next_at)
     VALUES ($1, $2, $3, $4, 'prod', $3, $5, $1, 'test', $6, '[]', now(), now(), clock_timestamp() + $7 * interval '1 ms')`,
    [id, kind, model, version, phase ?? 'requested', JSON.stringify(evidence), inMs],
  );
const isClaim = (answer: unknown): answer is Claim =>
  typeof answer === 'object' && answer !== null && 'stored' in answer;

it('gives each of many changes to one of two replicas that want all of them at once', async () => {
  const names = Array.from({ length: MANY }, (_, i) => `at once ${i}`);
  for (const id of names) await insert(id);
  const answers = await Promise.all(replicas.map(({ store }) => Promise.all(names.map((id) => store.claim(id)))));
  for (const [i, id] of names.entries()) {
    const both = answers.map((one) => one[i]);
    expect(both.filter(isClaim).map(({ stored }) => stored.change.id)).toEqual([id]);
    expect(both.filter((one) => one === 'busy')).toHaveLength(1);
  }
  await Promise.all(
    answers
      .flat()
      .filter(isClaim)
      .map((claim) => claim.release()),
  );
  const again = await Promise.all(names.map(async (id) => replicas[0]?.store.claim(id)));
  expect(again.filter(isClaim)).toHaveLength(MANY);
  await Promise.all(again.filter(isClaim).map((claim) => claim.release()));
});

it('tells each that asks at the same time its own answer', async () => {
  await insert('due');
  await insert('later', { inMs: 60_000 });
  await insert('over', { phase: 'live' });
  const [first] = replicas;
  const ask = async (id: string) => first?.store.claim(id);
  const [due, twice, later, over, unknown] = await Promise.all(['due', 'due', 'later', 'over', 'nobody'].map(ask));
  expect([isClaim(due), twice]).toEqual([true, 'busy']);
  expect((later as { dueInMs: number }).dueInMs).toBeGreaterThan(0);
  expect([over, unknown]).toEqual([{ dueInMs: undefined }, { dueInMs: undefined }]);
  // What was not claimed is held by nobody.
  expect(await replicas[1]?.locks.take('later')).toBe(true);
  if (isClaim(due)) await due.release();
});

it('answers many questions of a kind at once, each with what is its own', async () => {
  const evidence = (i: number) => ({
    kind: 'rollback',
    bad: { digest: `sha256:${i}` },
    approval: { eventId: `event ${i}` },
  });
  for (let i = 0; i < MANY; i++) {
    await insert(`rollback ${i}`, { kind: 'rollback', model: `m${i}`, evidence: evidence(i) });
    await insert(`older ${i}`, { model: `m${i}`, evidence: evidence(i) });
    await insert(`newer ${i}`, { model: `m${i}`, version: '2', phase: i % 2 === 0 ? 'proposed' : 'built' });
  }
  const reader = changeReader(pool);
  const each = Array.from({ length: MANY }, (_, i) => i);
  const back = await Promise.all(each.map((i) => reader.rollbackOf(`m${i}`, `sha256:${i % 3 === 0 ? 'other' : i}`)));
  expect(back.map((one) => one?.change.id)).toEqual(each.map((i) => (i % 3 === 0 ? undefined : `rollback ${i}`)));
  const older = await Promise.all(each.map(async (i) => (await reader.find(`older ${i}`))?.change as Change));
  const newer = await Promise.all(older.map((one) => reader.newer(one)));
  expect(newer.map((one) => one?.id)).toEqual(each.map((i) => (i % 2 === 0 ? `newer ${i}` : undefined)));
  const first = await Promise.all(each.map((i) => reader.firstApproval(`m${i}`, '1', `m${i}`)));
  expect(first).toEqual(each.map((i) => `event ${i}`));
});

const AT = '2026-11-22T08:30:00.000Z';
const movedTo = (reason: string): Outcome => ({
  kind: 'moved',
  transition: {
    phase: 'built',
    through: ['validated'],
    reason,
    facts: { intent: reason },
    image: `image of ${reason}`,
  },
  at: AT,
});

it('moves many changes at once, each to its own place, and who cannot be moved stays alone', async () => {
  const names = Array.from({ length: MANY }, (_, i) => `moved ${i}`);
  for (const id of names) await insert(id);
  const claimed = (await Promise.all(names.map(async (id) => replicas[0]?.store.claim(id)))).filter(isClaim);
  await pool.query(`UPDATE changes.changes SET turn = turn + 1 WHERE id = 'moved 3'`);
  // PostgreSQL has no NUL in a text, and refuses the whole statement.
  const reasonOf = (id: string) => (id === 'moved 5' ? 'a \0 in it' : id);
  const settled = await Promise.allSettled(
    claimed.map((claim) => claim.settle(movedTo(reasonOf(claim.stored.change.id)))),
  );
  const said = settled.map((one) => (one.status === 'rejected' ? (one.reason as Error).message : one.value.dueInMs));
  const expected = names.map((id) => {
    if (id === 'moved 3') return expect.stringContaining('another process') as unknown;
    return id === 'moved 5' ? (expect.stringContaining('PostgreSQL') as unknown) : 0;
  });
  expect(said).toEqual(expected);
  const reader = changeReader(pool);
  for (const [i, claim] of claimed.entries()) {
    const { change, facts } = claim.stored;
    const stays = i === 3 || i === 5;
    const history = stays
      ? []
      : [
          { phase: 'validated', at: AT },
          { phase: 'built', at: AT, reason: change.id },
        ];
    expect(change).toMatchObject(
      stays ? { phase: 'requested' } : { phase: 'built', image: `image of ${change.id}`, history },
    );
    expect(facts).toEqual(stays ? {} : { intent: change.id });
    expect((await reader.find(change.id))?.change).toEqual(change);
    await claim.release();
  }
});

it('accepts many approvals at once, in their order, each event once, whatever comes with them', async () => {
  const approval = (i: number, eventId: string) => {
    const model = `approved ${i}`;
    const loaded = { modelVersion: { model, version: '1', digest: `sha256:${i}` }, baseline: { of: model } };
    const given = { eventId, model, version: '1', environment: 'prod', actor: 'alice', time: AT };
    return { ...deployOf(given, loaded as unknown as LoadedVersion, AT), loaded: loaded as unknown as LoadedVersion };
  };
  const intake = changeIntake(pool, systemClock, () => []);
  const first = approval(MANY, 'event of another');
  await intake.acceptApproval(first, first.loaded);
  const wanted = Array.from({ length: MANY }, (_, i) => approval(i, `accepted ${i}`));
  const asked = [...wanted, ...wanted.slice(0, 4), approval(MANY + 1, 'event of another')];
  const answers = await Promise.all(asked.map((one) => intake.acceptApproval(one, one.loaded)));
  const known = [...wanted.slice(0, 4), first];
  const isNew = [...wanted.map(() => true), ...known.map(() => false)];
  expect(answers.map(({ created }) => created)).toEqual(isNew);
  expect(answers.map(({ change }) => change.id)).toEqual([...wanted, ...known].map(({ change }) => change.id));
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM changes.changes WHERE model LIKE 'approved %' ORDER BY seq`,
  );
  expect(rows.map(({ id }) => id)).toEqual([first, ...wanted].map(({ change }) => change.id));
  const reader = changeReader(pool);
  expect((await reader.loaded('approved 7', '1', 'sha256:7'))?.baseline).toEqual({ of: 'approved 7' });
});

it('lets one process keep what it has, and another one have it once the session of the first is gone', async () => {
  const [one, two] = replicas.map(({ locks }) => locks);
  if (one === undefined || two === undefined) throw new Error('there are two');
  expect([await one.keep('watch'), await one.keep('watch'), await two.keep('watch')]).toEqual([true, true, false]);
  // To take is to begin, and it has begun already.
  expect(await one.take('watch')).toBe(false);
  await one.drop('watch');
  expect([await two.keep('watch'), await one.keep('watch')]).toEqual([true, false]);
  const ended = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1';
  await pool.query(ended, ['fairway-writer turns']);
  await expect.poll(() => one.keep('watch').catch(() => false), { timeout: 60_000 }).toBe(true);
  expect(await two.keep('watch')).toBe(false);
  await one.drop('watch');
});
