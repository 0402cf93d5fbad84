import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { hasRedisServer, startRedisServer } from '../../../packages/cli/src/stack/redis/server.ts';
import type { Pack } from '../../../packages/core/src/index.ts';
import { RedisQueue } from '../../../packages/log-sidecar/src/pump/redis-queue.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { freePort } from '../../harness/ports.ts';
import { type Child, startProcess } from '../../integration/monitor/support.ts';
import { peakMb, RESIDENT_MB } from '../resident.ts';
import { atLeast, atMost, median, type Result } from '../result.ts';
import { shipped } from '../shipped.ts';
import { cpuMs } from './nginx.ts';
import { baseline, type Made, makePacks, MODEL, modelVersion } from './packs.ts';
import { clientCopy, serverCopy, writeRows } from './plain-copy.ts';

const PACK = 500;
const PACKS = 200;
/** As in production, where two replicas are the least: each computes on one core. */
const RECORDERS = 2;
const ROUNDS = 3;
const PREFIX = 'bench';
const PATIENCE_MS = 300_000;

type World = {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly queue: RedisQueue;
  readonly recorders: readonly Child[];
  /** Where PostgreSQL itself may write. */
  readonly files: string;
  readonly pids: { readonly recorders: readonly number[]; readonly redis: number };
};

type Round = {
  readonly perSecond: number;
  readonly copied: number;
  readonly byServer: number;
  readonly recorderUs: number;
  readonly redisUs: number;
  readonly postgresUs: number;
};

/**
 * Packs from the queue into the tables by the real recorder as it ships, against a plain COPY of the same rows into the same
 * tables, in turns; Redis and PostgreSQL of its own, durable as in production. About a minute and a half.
 */
export async function recorderNumbers(): Promise<Result[]> {
  if (!hasRedisServer()) return skipped('redis-server not installed on this machine');
  const stops: Array<() => Promise<unknown> | void> = [];
  try {
    const world = await startWorld(stops);
    const held = await redisBytes(world);
    const rounds: Round[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const found = await measured(world, makePacks(PACKS, PACK, round));
      // The first round warms up.
      if (round > 0) rounds.push(found);
    }
    const resident = Math.max(...world.pids.recorders.map(peakMb));
    return [
      ...results(rounds, held),
      atMost('recorder-resident', resident, 'MB', RESIDENT_MB.monitor, 'largest resident set of a recorder'),
    ];
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

function results(rounds: readonly Round[], held: { readonly bytes: number; readonly json: number }): Result[] {
  const middle = (of: (round: Round) => number) => median(rounds.map(of));
  const [rate, copied] = [middle(({ perSecond }) => perSecond), middle((one) => one.copied)];
  const byServer = middle((one) => one.byServer);
  const cpu = `CPU µs/row: recorder ${middle((one) => one.recorderUs).toFixed(1)}, PostgreSQL ${middle((one) => one.postgresUs).toFixed(1)}, Redis ${middle((one) => one.redisUs).toFixed(1)}`;
  return [
    atLeast(
      'recorder-rows',
      Math.round(rate),
      'rows/s',
      40_000,
      `packs of ${PACK}, AOF everysec, ${RECORDERS} recorders; ${cpu}`,
    ),
    {
      ...atLeast(
        'recorder-of-copy',
        round(middle((one) => one.perSecond / one.copied)),
        'x',
        0.5,
        `one client, ready-made binary rows, a transaction for each pack; the server alone from its files ${Math.round(byServer)} rows/s: ${(rate / byServer).toFixed(2)} x`,
      ),
      baseline: Math.round(copied),
    },
    atMost(
      'redis-bytes',
      round(held.bytes),
      'B',
      140,
      `per prediction of ${Math.round(held.json)} B JSON, and its head`,
    ),
  ];
}

const round = (value: number): number => Number(value.toFixed(2));

const skipped = (why: string): Result[] =>
  [
    atLeast('recorder-rows', 0, 'rows/s', 40_000),
    atLeast('recorder-of-copy', 0, 'x', 0.5),
    atMost('redis-bytes', 0, 'B', 140),
    atMost('recorder-resident', 0, 'MB', RESIDENT_MB.monitor),
  ].map((result) => ({ ...result, ok: false, note: `skipped: ${why}` }));

async function startWorld(stops: Array<() => Promise<unknown> | void>): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  stops.push(() => rmSync(dir, { recursive: true, force: true }));
  const [port, password, dataDir] = [await freePort(), 'bench-password', join(dir, 'data')];
  stops.push(() => rmSync(dataPlace(dataDir), { recursive: true, force: true }));
  const redisServer = await startRedisServer({ dataDir: join(dir, 'redis'), port, password, onExit: console.error });
  stops.push(() => redisServer.stop());
  const postgres = await startPostgresServer({ dataDir, port: await freePort(), password });
  stops.push(() => postgres.stop());
  const writer = await startFakeWriter();
  stops.push(() => writer.stop());
  writer.state.references.set(`${MODEL}/1`, { modelVersion, baseline: baseline() });
  const queueUrl = `redis://:${password}@127.0.0.1:${port}`;
  const environment = {
    DATABASE_URL: postgres.url,
    QUEUE_URL: queueUrl,
    QUEUE_PREFIX: PREFIX,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: 'bench-token',
    LOG_LEVEL: 'info',
  };
  const program = await shipped('recorder', join(dir, 'image'));
  const recorders: Child[] = [];
  for (let i = 0; i < RECORDERS; i++) {
    const recorder = await startProcess('recorder-main.ts', environment, program);
    stops.push(() => recorder.stop());
    recorders.push(recorder);
  }
  const [pool, redis, queue] = [
    new Pool({ connectionString: postgres.url }),
    new Redis(queueUrl),
    new RedisQueue(queueUrl, PREFIX, Math.random),
  ];
  stops.push(
    () => pool.end(),
    () => redis.disconnect(),
    () => queue.close(),
  );
  const pids = { recorders: recorders.map(({ process }) => process.pid as number), redis: redisServer.pid };
  return { pool, redis, queue, recorders, files: dataPlace(dataDir), pids };
}

/** What Redis holds of packs that nobody has taken yet, under another prefix. */
async function redisBytes({ redis }: World): Promise<{ bytes: number; json: number }> {
  const { packs, bodyBytes } = makePacks(40, PACK, 99);
  const { host = '127.0.0.1', port = 0, password = '' } = redis.options;
  const queue = new RedisQueue(`redis://:${password}@${host}:${port}`, `${PREFIX}_idle`, Math.random);
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  try {
    await queue.add(packs[0] as Pack);
    const before = await used();
    for (const pack of packs.slice(1)) await queue.add(pack);
    return { bytes: ((await used()) - before) / ((packs.length - 1) * PACK), json: bodyBytes };
  } finally {
    await queue.close();
  }
}

async function measured(world: World, { packs }: Made): Promise<Round> {
  const { pool, queue, pids } = world;
  await pool.query(
    'truncate monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels, monitoring.packs, monitoring.quarantined_packs, monitoring.profile_counts, monitoring.score_counts, monitoring.appended_counts',
  );
  await pool.query('checkpoint');
  const recorderMs = () => pids.recorders.reduce((sum, pid) => sum + cpuMs(pid), 0);
  const before = { recorder: recorderMs(), redis: cpuMs(pids.redis) };
  const backends = await backendsOf(pool);
  const start = performance.now();
  for (const pack of packs) await queue.add(pack);
  await untilStored(pool, packs.length);
  const ms = performance.now() - start;
  const rows = packs.length * PACK;
  const postgresMs = (await backendsOf(pool)) - backends;
  const us = (cpu: number) => (cpu * 1000) / rows;
  const [recorderUs, redisUs] = [us(recorderMs() - before.recorder), us(cpuMs(pids.redis) - before.redis)];
  const ready = await writeRows(pool, world.files);
  const perSecond = (ms: number) => (rows * 1000) / ms;
  await emptied(pool);
  const copied = perSecond(await clientCopy(pool, ready));
  await emptied(pool);
  const byServer = perSecond(await serverCopy(pool, world.files));
  return { perSecond: perSecond(ms), copied, byServer, recorderUs, redisUs, postgresUs: us(postgresMs) };
}

async function emptied(pool: Pool): Promise<void> {
  await pool.query(
    'truncate monitoring.pack_frames, monitoring.exchange_rows, monitoring.prediction_rows, monitoring.prediction_labels',
  );
  await pool.query('checkpoint');
}

async function untilStored(pool: Pool, packs: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await pool.query<{ packs: number }>('select count(*)::int as packs from monitoring.packs');
    if (rows[0]?.packs === packs) return;
    if (performance.now() > deadline) throw new Error(`the recorder stored ${rows[0]?.packs} of ${packs} packs`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** CPU so far of the sessions of the recorder, ms. */
async function backendsOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'fairway-recorder'",
  );
  return rows.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
}
