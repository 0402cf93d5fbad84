import {
  type EnvOf,
  lifecycle,
  type Logger,
  PACK_QUEUE,
  readEnv,
  runService,
  systemClock,
  watchSecretFiles,
} from '@fairway/core';
import { jobQueue, queueDepth } from '@fairway/queue';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { expose, recorderMetrics } from './api/prometheus.ts';
import { rebuildRoute } from './api/rebuild-route.ts';
import { recorderApi } from './api/recorder-api.ts';
import { httpServer } from './api/server.ts';
import { accountFigures } from './app/account.ts';
import { expireLabels } from './app/labels-expiry.ts';
import { learnt } from './app/learnt.ts';
import { recordPack } from './app/record-pack.ts';
import { rebuild } from './app/rebuild.ts';
import { recountHour } from './app/recount.ts';
import { cachedReferences } from './app/references.ts';
import { rounds } from './app/rounds.ts';
import { RECORDER_ENV } from './config.ts';
import { packWorker } from './queue/pack-worker.ts';
import { ledgerAccount } from './store/account-store.ts';
import { databasePart, databaseTrouble, openPool, renewLogin } from './store/database.ts';
import { type DayTables, dayTables } from './store/day-tables.ts';
import { epochAccount } from './store/epoch-account.ts';
import { FOLD_BATCH, foldCounts } from './store/fold-counts.ts';
import { labelStore } from './store/label-store.ts';
import { migrate } from './store/migrate.ts';
import { PACK_BATCH, packCounts } from './store/pack-counts.ts';
import { packStore } from './store/pack-store.ts';
import { recorderFigures } from './store/recorder-figures.ts';
import { rebuildStore } from './store/rebuild-store.ts';
import { referenceStore } from './store/reference-store.ts';
import { dropOldDays } from './store/retention.ts';
import { nextUncounted } from './store/uncounted-hours.ts';
import { writerClient } from './writer/client.ts';

const FOLD_EVERY_MS = 30_000;
const DAYS_EVERY_MS = 3_600_000;

/** None of its transactions waits for anything but the database; the pack comes again. */
const IDLE_TRANSACTION_MS = 30_000;
const EXPIRE_EVERY_MS = 600_000;
const RECOUNT_EVERY_MS = 10_000;

async function keepDays(pool: Pool, days: DayTables, retentionDays: number): Promise<boolean> {
  await days.ahead();
  return dropOldDays(pool, systemClock.now(), retentionDays);
}

/** Packs what has ended once all is folded; true: there is more to do. */
async function settleCounts(pool: Pool): Promise<boolean> {
  if ((await foldCounts(pool)) >= FOLD_BATCH) return true;
  return (await packCounts(pool)) >= PACK_BATCH;
}

/** A new password of the database is taken while running; any other new secret ends the process, which is started again. */
function watchSecrets(pool: Pool, log: Logger): void {
  const renew = { DATABASE_URL: (url: string) => renewLogin(pool, url) };
  const end = () => void process.kill(process.pid, 'SIGTERM');
  watchSecretFiles({ source: process.env, spec: RECORDER_ENV, renew, end, log });
}

function buildRecorder(env: EnvOf<typeof RECORDER_ENV>, log: Logger) {
  const pool = openPool(env.DATABASE_URL, 'fairway-recorder', log, IDLE_TRANSACTION_MS);
  watchSecrets(pool, log);
  const place = { url: env.QUEUE_URL, prefix: env.QUEUE_PREFIX, name: PACK_QUEUE };
  const queue = jobQueue({ ...place, application: 'fairway-recorder-metrics' });
  const metrics = recorderMetrics({
    account: accountFigures(labelStore(pool), ledgerAccount(pool), systemClock),
    risks: () => packs.risks(),
    depth: () => queueDepth(queue),
    figures: () => recorderFigures(pool),
    clock: systemClock,
  });
  const references = cachedReferences(
    referenceStore(pool),
    writerClient(env.WRITER_URL, env.WRITER_TOKEN),
    systemClock,
  );
  const days = dayTables(pool, systemClock, env.RETENTION_DAYS, log);
  const needs = { store: packStore(pool, days.ensure), references, log, known: learnt() };
  const packs = packWorker(
    env.QUEUE_URL,
    env.QUEUE_PREFIX,
    async (pack) => metrics.onPack(await recordPack(needs, pack)),
    log,
  );
  const labels = labelStore(pool);
  const ledger = ledgerAccount(pool);
  const counts = { store: rebuildStore(pool), references };
  const profiles = rebuildRoute({
    rebuild: (asked, tell) => rebuild(counts, asked, tell),
    retentionDays: env.RETENTION_DAYS,
    clock: systemClock,
    log,
  });
  const api = recorderApi({
    store: labels,
    epoch: epochAccount(pool),
    ledger,
    token: env.MONITOR_TOKEN,
    log,
    onLabels: metrics.onLabels,
    routes: [profiles],
  });
  const admin = {
    ready: async () => packs.trouble() ?? (await databaseTrouble(pool)),
    metrics: expose(metrics.registry),
  };
  return lifecycle(
    [
      databasePart(pool, env.DATABASE_URL, migrate),
      rounds('days', () => keepDays(pool, days, env.RETENTION_DAYS), DAYS_EVERY_MS, log),
      rounds('counts', () => settleCounts(pool), FOLD_EVERY_MS, log),
      { name: 'queue figures', start: () => {}, stop: () => queue.close() },
      packs,
      rounds(
        'uncounted hours',
        () => recountHour({ ...counts, next: () => nextUncounted(pool), log }),
        RECOUNT_EVERY_MS,
        log,
      ),
      rounds('early labels', () => expireLabels(labels, env.EARLY_LABEL_DAYS), EXPIRE_EVERY_MS, log),
      httpServer(api, admin, { host: env.HOST, port: env.PORT }, log),
    ],
    log,
  );
}

const log = pino({ name: 'recorder' });
try {
  const env = readEnv(process.env, RECORDER_ENV);
  log.level = env.LOG_LEVEL;
  await runService(buildRecorder(env, log), log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  log.fatal({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
