import type { Pack } from '@fairway/core';
import { PACK_QUEUE, packId, silentLogger } from '@fairway/core';
import { jobQueue, jobWorker } from '@fairway/queue';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openPool as openWriterPool } from '../../../packages/gitops-writer/src/store/pool.ts';
import { transaction } from '../../../packages/gitops-writer/src/store/transaction.ts';
import { PostgresQueue } from '../../../packages/log-sidecar/src/pump/postgres-queue.ts';
import { openPool as openMonitorPool, withTransaction } from '../../../packages/monitor/src/store/database.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

// PostgreSQL ends sessions at a failover, at a restart and by an administrator. An error event that nobody hears ends the process:
// here it would fail the run as an unhandled error.

let database: Awaited<ReturnType<typeof startPostgres>>;
let admin: ReturnType<typeof openTestPool>;
beforeEach(async () => {
  database = await startPostgres();
  admin = openTestPool(database.url);
});
afterEach(async () => {
  await admin.end();
  await database.stop();
});

const endSessions = (which: string, values: readonly unknown[]) =>
  admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${which}`, [...values]);
const ownPid = "select pg_backend_pid() as pid, set_config('application_name', 'the victim', false)";
const sessions = async () =>
  (await admin.query("select from pg_stat_activity where application_name = 'the victim'")).rowCount;

test.each([
  ['writer', () => openWriterPool(database.url, 2, silentLogger), transaction],
  ['monitor', () => openMonitorPool(database.url, 'test', silentLogger), withTransaction],
] as const)(
  "a session that ends between two questions of a %s's transaction fails the transaction alone",
  async (_, open, within) => {
    const pool = open();
    let isLost = false;
    const work = within(pool, async (client) => {
      client.on('end', () => (isLost = true));
      const { rows } = await client.query<{ pid: number }>(ownPid);
      await endSessions('pid = $1', [rows[0]?.pid]);
      await vi.waitFor(() => expect(isLost).toBe(true), { timeout: 60_000 });
      await client.query('select 1');
    });
    await expect(work).rejects.toThrow();
    expect(await sessions()).toBe(0);
    expect((await pool.query('select 1')).rowCount).toBe(1);
    await pool.end();
  },
);

const SCHEMA = 'migrated_late';
const pack: Pack = {
  v: 1,
  packId: packId('agent', 'epoch', 1, 1),
  agent: 'agent',
  epoch: 'epoch',
  first: 1,
  last: 1,
  exchanges: 1,
  payload: '',
  dropped: {},
};
const place = () => ({ url: database.url, prefix: SCHEMA, name: PACK_QUEUE });

/** Each end of the queue on PostgreSQL, asked for something that its migration comes before. */
const ENDS = {
  "the agent's": () => {
    const queue = new PostgresQueue(database.url, SCHEMA);
    return { ask: () => queue.add(pack), close: () => queue.close() };
  },
  'the producing': () => {
    const queue = jobQueue<Pack>({ ...place(), application: 'test' });
    const ask = () => queue.use((jobs) => jobs.addBulk([{ name: 'pack', data: pack }]));
    return { ask, close: () => queue.close() };
  },
  'the taking': () => {
    const worker = jobWorker<Pack>(
      { ...place(), partName: 'packs', concurrency: 1 },
      async () => undefined,
      silentLogger,
    );
    void worker.start();
    const ask = () => vi.waitFor(() => expect(worker.trouble()).toBeUndefined(), { timeout: 60_000 });
    return { ask, close: async () => worker.stop() };
  },
};

test.each(Object.entries(ENDS))(
  'a session that ends while %s end of the queue migrates is followed by another',
  async (_, open) => {
    // Whoever makes the same schema waits for us.
    const first = await admin.connect();
    await first.query('begin');
    await first.query(`create schema ${SCHEMA}`);
    const end = open();
    const asked = end.ask().then(
      () => 'answered',
      () => 'refused',
    );
    const waiting = "datname = current_database() and wait_event_type = 'Lock'";
    await vi.waitFor(async () => expect((await endSessions(waiting, [])).rowCount).toBeGreaterThan(0), {
      timeout: 60_000,
    });
    await first.query('rollback');
    first.release();
    await asked;
    await vi.waitFor(end.ask, { timeout: 60_000 });
    await end.close();
  },
);
