import { join } from 'node:path';
import type { Pack } from '@fairway/core';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate as migrateChanges } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { migrate as migrateMonitoring } from '../../../packages/monitor/src/store/migrate.ts';
import { type FakeWriter, startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { recount, sorted, stored } from '../monitor/counts.ts';
import { producer } from '../monitor/queue.ts';
import { baseline, cases, type Child, modelVersion, MODEL, packsOf, startProcess, until } from '../monitor/support.ts';
import { type InstalledPostgres, installedPostgres, startInstalledPostgres } from './installed-postgres.ts';

const PREFIX = 'dump_test';
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };
const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(2000, 1)) };

/** The queue has a server of its own, as the docs ask for. */
let queue: Awaited<ReturnType<typeof startPostgres>>;
let server: InstalledPostgres | undefined;
let writer: FakeWriter;
let children: Child[];
let pools: Pool[];

beforeEach(async () => {
  queue = await startPostgres();
  writer = await startFakeWriter();
  writer.state.references.set(`${MODEL}/1`, REFERENCE);
  [children, pools, server] = [[], [], undefined];
});
afterEach(async () => {
  for (const child of children) await child.kill();
  for (const pool of pools) await pool.end();
  await Promise.all([writer.stop(), queue.stop(), server?.stop()]);
});

const poolOf = (url: string): Pool => {
  const pool = openTestPool(url);
  pools.push(pool);
  return pool;
};

async function recorder(url: string): Promise<Child> {
  const child = await startProcess('recorder-main.ts', {
    DATABASE_URL: url,
    QUEUE_URL: queue.url,
    QUEUE_PREFIX: PREFIX,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: 'monitor-test-token',
  });
  children.push(child);
  return child;
}

async function add(packs: readonly Pack[]): Promise<void> {
  const end = producer(queue.url, PREFIX);
  await end.add(packs);
  await end.close();
}

const become = (pool: Pool, n: number) =>
  until(`${n} predictions`, 60, async () => {
    const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from monitoring.predictions');
    return rows[0]?.n === n ? true : undefined;
  });

/** Every table of both schemas with how many rows it has and a digest of them, partitions one by one. */
async function contents(pool: Pool): Promise<Record<string, string>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('changes', 'monitoring') order by 1`,
  );
  const all: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await pool.query<{ said: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' order by t::text)), '') as said from only ${name} t`,
    );
    all[name] = rows[0]?.said ?? '';
  }
  return all;
}

test('pg_dump and pg_restore bring both schemas back to the row, and a recorder goes on with them', async (context) => {
  const programs = installedPostgres() ?? context.skip('no PostgreSQL server with pg_dump and pg_restore is installed');
  server = await startInstalledPostgres(programs);
  const [from, to] = [await server.create('kept'), await server.create('restored')];
  const kept = poolOf(from);
  await migrateChanges(kept);
  const first = await recorder(from);
  const packs = packsOf(cases(400, 7), PERIOD, 'dumped', '1', 50);
  await add(packs);
  await become(kept, 400);
  await first.stop();

  const file = join(server.folder, 'fairway.dump');
  await server.run('pg_dump', '--format=custom', '--schema=monitoring', '--schema=changes', `--file=${file}`, from);
  expect(await server.run('pg_restore', '--exit-on-error', '--clean', '--if-exists', `--dbname=${to}`, file)).toBe('');
  const restored = poolOf(to);
  const before = await contents(kept);
  expect(Object.keys(before).length).toBeGreaterThan(30);
  expect(before['monitoring.packs']).toMatch(/^8 /);
  expect(await contents(restored)).toEqual(before);

  // A program of the same release finds nothing to migrate, and what comes twice counts once.
  await Promise.all([migrateChanges(restored), migrateMonitoring(restored)]);
  expect(await contents(restored)).toEqual(before);
  await recorder(to);
  await add([...packs.slice(0, 3), ...packsOf(cases(100, 8), PERIOD, 'after', '1', 50)]);
  await become(restored, 500);
  expect(sorted(await stored(restored))).toEqual(sorted(await recount(restored, REFERENCE.baseline)));
});
