import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Channel, Delivery, DeliveryResult, Outgoing } from '../../../packages/gitops-writer/src/ports.ts';
import { migrate } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { outbox, putOut } from '../../../packages/gitops-writer/src/store/outbox.ts';
import { transaction } from '../../../packages/gitops-writer/src/store/transaction.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

let postgres: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
beforeAll(async () => {
  postgres = await startPostgres();
  pool = openTestPool(postgres.url);
  await migrate(pool);
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});
beforeEach(async () => {
  await pool.query('TRUNCATE changes.changes, changes.outbox CASCADE');
  for (const id of ['a', 'b']) {
    const insert = `INSERT INTO changes.changes
      (id, kind, model, version, environment, phase, branch, actor, evidence, history, created_at, updated_at)
      VALUES ($1, 'deploy', 'm', '1', 'dev', 'live', $1, 'alice', '{}', '[]', now(), now())`;
    await pool.query(insert, [id]);
  }
});

const put = (change: string, channel: Channel, ...ids: string[]) =>
  transaction(pool, (client) => {
    const rows = ids.map((id) => ({ channel, deliveryId: id, event: 'live', title: id, content: { id } }));
    return putOut(client, change, rows as unknown as Outgoing[]);
  });
const accepted: DeliveryResult = { kind: 'accepted' };
const later: DeliveryResult = { kind: 'retry', delayMs: 60_000, reason: 'It answered 503.' };
/** What the relay of a channel takes next, and what becomes of it; undefined when nothing is due. */
async function next(channel: Channel, result: DeliveryResult): Promise<string | undefined> {
  let taken: string | undefined;
  await outbox(pool).relay(channel, (delivery: Delivery<Channel>) => {
    taken = (delivery.content as unknown as { id: string }).id;
    return Promise.resolve(result);
  });
  return taken;
}

it('keeps the order of a change, and lets others pass one that waits', async () => {
  await put('a', 'answer', 'a1', 'a2');
  await put('b', 'answer', 'b1');
  expect(await next('answer', later)).toBe('a1');
  expect(await next('answer', accepted)).toBe('b1');
  expect(await next('answer', accepted)).toBeUndefined();
  await pool.query("UPDATE changes.outbox SET next_at = now() WHERE delivery_id = 'a1'");
  expect(await next('answer', { kind: 'dead', reason: 'No.' })).toBe('a1');
  expect(await next('answer', accepted)).toBe('a2');
});

it('lets no channel wait for another', async () => {
  await put('a', 'teams', 't1');
  await put('a', 'answer', 'a1');
  expect(await next('teams', later)).toBe('t1');
  expect(await next('answer', accepted)).toBe('a1');
});

it('gives a delivery to one relay at a time, and the next of the change to none meanwhile', async () => {
  await put('a', 'answer', 'a1', 'a2');
  let answer: (result: DeliveryResult) => void = () => {};
  const began = new Promise<void>((started) => {
    void outbox(pool).relay('answer', () => {
      started();
      return new Promise<DeliveryResult>((resolve) => (answer = resolve));
    });
  });
  await began;
  expect(await next('answer', accepted)).toBeUndefined();
  answer(accepted);
  await expect.poll(() => next('answer', accepted)).toBe('a2');
});

it('sends again what was being sent when the relay died, under the same id', async () => {
  await put('a', 'answer', 'a1');
  await expect(outbox(pool).relay('answer', () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
  expect(await next('answer', accepted)).toBe('a1');
});

it('keeps each delivery once, and tells state, attempts and reason', async () => {
  await put('a', 'answer', 'a1');
  await put('a', 'answer', 'a1');
  await next('answer', later);
  expect(await outbox(pool).list()).toMatchObject([
    { deliveryId: 'a1', channel: 'answer', state: 'pending', attempts: 1, reason: 'It answered 503.' },
  ]);
  expect(await outbox(pool).list('teams')).toEqual([]);
});

it('lists what was given up, and sends it again on request, under the same id', async () => {
  await put('a', 'answer', 'a1', 'a2');
  await put('b', 'teams', 'b1');
  await next('answer', { kind: 'dead', reason: 'No.' });
  await next('answer', accepted);
  await next('teams', { kind: 'dead', reason: 'Gone.' });
  const deadIds = async () => (await outbox(pool).list(undefined, 'dead')).map(({ deliveryId }) => deliveryId);
  expect((await deadIds()).toSorted()).toEqual(['a1', 'b1']);
  expect(await outbox(pool).resend(['a1', 'a2', 'nobody'])).toEqual(['a1']);
  expect(await next('answer', accepted)).toBe('a1');
  expect(await outbox(pool).resend()).toEqual(['b1']);
  expect(await next('teams', accepted)).toBe('b1');
  expect(await deadIds()).toEqual([]);
});

it('sends the cards of the version before, and shows it no answers of ours', async () => {
  // As version 0.1 without channels inserts and claims.
  await pool.query(
    "INSERT INTO changes.outbox (delivery_id, change_id, event, title, content) VALUES ('old', 'a', 'live', 't', $1)",
    [JSON.stringify({ id: 'old' })],
  );
  await put('a', 'answer', 'a1');
  const claim = "SELECT delivery_id FROM changes.outbox WHERE state = 'pending' AND next_at <= clock_timestamp()";
  expect((await pool.query(claim)).rows).toEqual([{ delivery_id: 'old' }]);
  expect(await next('teams', accepted)).toBe('old');
  expect(await next('answer', accepted)).toBe('a1');
});
