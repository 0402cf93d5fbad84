import {
  type EnvOf,
  lifecycle,
  type Logger,
  type Part,
  readEnv,
  runService,
  systemClock,
  watchSecretFiles,
} from '@fairway/core';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { announcementsRoute } from './api/announcements-route.ts';
import { backtestsRoute } from './api/backtests-route.ts';
import { monitorApi } from './api/monitor-api.ts';
import { notificationGauges } from './api/notification-metrics.ts';
import { notificationsRoute } from './api/notifications-route.ts';
import { expose, monitorMetrics } from './api/prometheus.ts';
import { httpServer } from './api/server.ts';
import { verdictsRoute } from './api/verdicts-route.ts';
import { windowsRoute } from './api/windows-route.ts';
import { storedBacktest } from './app/backtest-stored.ts';
import { windowJudge } from './app/judge-windows.ts';
import { checkWatcher } from './app/watch-checks.ts';
import { cachedReferences } from './app/references.ts';
import { requestRetrain } from './app/request-retrain.ts';
import { rounds } from './app/rounds.ts';
import { withdrawRecovered } from './app/withdraw-retrain.ts';
import { storedWindows } from './app/windows.ts';
import { MONITOR_ENV } from './config.ts';
import { dashboardRoutes } from './dashboard/routes.ts';
import { notifiers, notifyParts } from './notifications.ts';
import { checkNotifyEnv } from './notify-config.ts';
import { parsePolicy } from './policy/parse.ts';
import { prepareSnapshots, snapshotFiles } from './snapshot/files.ts';
import { checkStore } from './store/check-store.ts';
import { dashboardStore } from './store/dashboard-store.ts';
import { databasePart, databaseTrouble, openPool, readSnapshot, renewLogin } from './store/database.ts';
import { evidenceStore } from './store/evidence-store.ts';
import { judgeStore } from './store/judge-store.ts';
import { migrate } from './store/migrate.ts';
import { sasPerformanceTables } from './sas-tables.ts';
import { notificationStore } from './store/notification-store.ts';
import { outboxStore } from './store/outbox-store.ts';
import { referenceStore } from './store/reference-store.ts';
import { windowStarts } from './store/window-starts.ts';
import { writerClient } from './writer/client.ts';

/** How long the judge and the outbox rest when there was nothing to do. */
const REST_MS = 250;
/** How long a retraining stays open at most after its version has recovered. */
const WITHDRAW_REST_MS = 5_000;

/** A new password of the database is taken while running; any other new secret ends the process, which is started again. */
function watchSecrets(pool: Pool, log: Logger): void {
  const renew = { DATABASE_URL: (url: string) => renewLogin(pool, url) };
  const end = () => void process.kill(process.pid, 'SIGTERM');
  watchSecretFiles({ source: process.env, spec: MONITOR_ENV, renew, end, log });
}

function buildMonitor(env: EnvOf<typeof MONITOR_ENV>, log: Logger) {
  const pool = openPool(env.DATABASE_URL, 'fairway-monitor', log);
  watchSecrets(pool, log);
  const writer = writerClient(env.WRITER_URL, env.WRITER_TOKEN);
  const metrics = monitorMetrics();
  const [store, outbox, clock] = [judgeStore(pool), outboxStore(pool), systemClock];
  const references = cachedReferences(referenceStore(pool), writer, clock);
  const channels = notifiers(env, clock);
  const notifications = notificationStore(pool);
  notificationGauges(metrics.registry, () => notifications.figures());
  const announcer = { channels: [...channels.keys()], dashboardUrl: env.DASHBOARD_URL };
  const judge = windowJudge({ store, writer, references, parsePolicy, announcer, clock, log, settleMs: env.SETTLE_MS });
  const snapshots = snapshotFiles(readSnapshot(pool), env.SNAPSHOT_DIR, clock);
  const retrain = () => requestRetrain({ outbox, store, writer, references, parsePolicy, snapshots, clock, log });
  const watch = checkWatcher({ store: checkStore(pool), writer, dashboardUrl: env.DASHBOARD_URL, clock });
  const parts: Part[] = [
    databasePart(pool, env.DATABASE_URL, migrate),
    // Gauges of the last judged windows survive a restart.
    { name: 'gauges', start: async () => (await store.verdicts({})).forEach(metrics.onVerdict), stop: () => {} },
    { name: 'snapshots', start: () => prepareSnapshots(env.SNAPSHOT_DIR, clock), stop: () => {} },
    rounds('judge', async () => judgeRound(await judge(), metrics.onVerdict), REST_MS, log),
    rounds('retrain', retrain, REST_MS, log),
    rounds('withdraw', () => withdrawRecovered({ store, writer, log }), WITHDRAW_REST_MS, log),
    ...notifyParts(env, channels, notifications, watch, clock, log),
  ];
  const pages = dashboardStore(pool);
  const dashboard = dashboardRoutes({ store: pages, verdicts: store, outbox: notifications, writer, references, log });
  const policy = (model: string) => pages.policy(model);
  const stored = { starts: windowStarts(pool), policy, references, parsePolicy };
  const windows = storedWindows({ ...stored, store });
  const models = async () => (await store.verdicts({})).map(({ window }) => window.model);
  const sas = sasPerformanceTables({ ...stored, store, pool, env, models, clock, log });
  parts.push(...sas.parts);
  const backtests = storedBacktest({ ...stored, store, channels: announcer.channels, clock });
  const ofPolicies = [verdictsRoute(evidenceStore(pool)), backtestsRoute(backtests)];
  const told = [
    notificationsRoute(notifications, announcer.channels),
    announcementsRoute(checkStore(pool), channels.size > 0),
  ];
  const routes = [sas.route, windowsRoute(windows), ...ofPolicies, ...told];
  const api = monitorApi({ store, dashboard, routes, token: env.MONITOR_TOKEN, log });
  const admin = { ready: () => databaseTrouble(pool), metrics: expose(metrics.registry) };
  parts.push(httpServer(api, admin, { host: env.HOST, port: env.PORT }, log));
  return lifecycle(parts, log);
}

function judgeRound<T>(verdicts: readonly T[], onVerdict: (verdict: T) => void): boolean {
  for (const verdict of verdicts) onVerdict(verdict);
  return verdicts.length > 0;
}

const log = pino({ name: 'monitor' });
try {
  const env = readEnv(process.env, MONITOR_ENV);
  checkNotifyEnv(env);
  log.level = env.LOG_LEVEL;
  await runService(buildMonitor(env, log), log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  log.fatal({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
