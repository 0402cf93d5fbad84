import { type CardContent, type Lifecycle, lifecycle, type Logger, type Part, pause, urlOrigin } from '@fairway/core';
import type { World } from './adapters.ts';
import { applicationHints } from './app/application-hints.ts';
import { answerSender } from './answers.ts';
import { answerProblem } from './app/answers.ts';
import type { ChampionContext } from './app/champions-look.ts';
import { championWatcher } from './app/champions.ts';
import { inboxWorker } from './app/inbox.ts';
import { knownModels } from './app/known-models.ts';
import { policyTester } from './app/policy-tests/policy-tests.ts';
import { promoter } from './app/promotion.ts';
import { rebuild } from './app/rebuild.ts';
import { CONCURRENCY, turns } from './app/reconcile.ts';
import { relay } from './app/relay.ts';
import { sharedTurns } from './app/shared-turns.ts';
import { sweep } from './app/sweep.ts';
import type { WriterEnv } from './config.ts';
import { FORGES } from './forges.ts';
import type { Mirror } from './git/mirror.ts';
import { pastCommits } from './git/past.ts';
import { api } from './http/api.ts';
import { authenticator } from './http/auth/authenticate.ts';
import { writerCredential } from './http/auth/credentials.ts';
import { type HttpServer, httpServer } from './http/server.ts';
import { teamsNotifier } from './notify/teams/notifier.ts';
import { monitorNotifier } from './notify/monitor/notifier.ts';
import { webhookNotifier } from './notify/webhook/notifier.ts';
import type { Notifier, PeopleChannel } from './ports.ts';
import { changeWorker } from './queue/work-queue.ts';
import { migrate } from './store/migrate.ts';
import { awaitDatabase, databaseProblem } from './store/pool.ts';
import { deliveries, nonces, replayCleaner } from './store/replays.ts';
import { changeRestorer } from './store/restore.ts';
import { monitorPolicyTester } from './verdicts/policy-tester.ts';

/** A workflow that has not answered for a day is not waiting any more. */
const ANSWER_PATIENCE_MS = 24 * 3_600_000;

/** Composes the service. `ready` is called with the port once everything runs. */
export function buildWriter(env: WriterEnv, world: World, log: Logger, ready: (port: number) => void): Lifecycle {
  const { steps, claims, queue, queueAccess, metrics, mirror, locks, pool, applications } = world;
  const stopping = new AbortController();
  const turn = turns(claims, steps, metrics, stopping.signal);
  const http = writerHttp(env, world);
  const told: Part = {
    name: 'ready',
    start: () => {
      log.info({ port: http.port, git: urlOrigin(env.GIT_URL), forge: urlOrigin(env.FORGE_URL) }, 'writer listens');
      ready(http.port);
    },
    // The first to stop: turns end between two steps.
    stop: () => stopping.abort(),
  };
  const parts = [
    databasePart(world, env),
    world.sources.part,
    locks,
    { name: 'work queue', start: () => {}, stop: () => queue.close() },
    http,
    mirrorPart(mirror, log),
    applications,
    world.clocks,
    applicationHints(applications, claims, queue, log),
    changeWorker(queueAccess, CONCURRENCY, sharedTurns(turn), log),
    sweep(claims, turn, steps),
    replayCleaner(pool, log),
    promotions(env, world, log),
    ...policyTests(env, world, log),
    ...champions(env, world, log),
    ...relays(env, world, log),
    told,
  ];
  return lifecycle(parts, log);
}

function promotions(env: WriterEnv, { steps, intake, queue, verdicts }: World, log: Logger): Part {
  const models = knownModels(steps.repository, steps.history, log);
  const wake = (ids: readonly string[]) => queue.wake(ids);
  return promoter({ ...steps, intake, models, verdicts, log, wake }, env.PROMOTE_EVERY_MS);
}

/** Only where a monitor is known, that has windows to test policies on. */
function policyTests(env: WriterEnv, { steps, branches, locks, pool }: World, log: Logger): Part[] {
  const { MONITOR_URL: url, MONITOR_TOKEN: token, POLICY_TEST_EVERY_MS: everyMs } = env;
  if (url === undefined || token === undefined) return [];
  const { repository, forge, bodyLimit } = steps;
  const tester = monitorPolicyTester(url, token);
  const news = () => deliveries(pool).latest(env.FORGE);
  return [policyTester({ repository, branches, forge, news, tester, exclusive: locks, bodyLimit, log }, everyMs)];
}

/** What model registries say by themselves, found by polls and hints, and brought by hooks. */
function champions(env: WriterEnv, world: World, log: Logger): Part[] {
  const { steps, intake, book, inbox, locks, announce, metrics, queue } = world;
  const models = knownModels(steps.repository, steps.history, log);
  const context: ChampionContext = {
    ...steps,
    intake,
    book,
    exclusive: locks,
    announce,
    metrics,
    log,
    answerProblem: (to) => answerProblem(to, world.answerRules),
    enqueue: (ids) => queue.add(ids),
  };
  return [
    championWatcher({ ...context, models }, env.CHAMPION_EVERY_MS),
    inboxWorker({ ...context, inbox, patienceMs: env.HOOK_PATIENCE_MS }),
  ];
}

function writerHttp(env: WriterEnv, world: World): HttpServer {
  const { steps, intake, outbox, book, inbox, sources, queue, metrics, pool, mirror } = world;
  const credentials = [writerCredential(env.WRITER_TOKEN), ...env.WRITER_CREDENTIALS];
  const app = api({
    ...steps,
    intake,
    outbox,
    book,
    hooks: { inbox, connected: sources.connected, mlflow: sources.mlflowHooks },
    authenticate: authenticator(credentials, nonces(pool), steps.clock),
    webhook: {
      forge: env.FORGE,
      reader: FORGES[env.FORGE].webhook,
      secrets: [env.WEBHOOK_SECRET, env.WEBHOOK_SECRET_PREVIOUS].filter((secret) => secret !== undefined),
      deliveries: deliveries(pool),
      base: env.GIT_BRANCH,
    },
    answerProblem: (answerTo) => answerProblem(answerTo, world.answerRules),
    wake: (ids) => queue.wake(ids),
    enqueue: (ids) => queue.add(ids),
    rebuild: () => rebuild({ ...steps, past: pastCommits(mirror), restorer: changeRestorer(pool) }),
  });
  const ready = async () => (await databaseProblem(pool)) ?? mirror.problem();
  return httpServer({ host: env.HOST, port: env.PORT, app, admin: { ready, metrics: metrics.scrape } });
}

/** Answers are sent whatever Teams does, and the other way round. */
function relays(env: WriterEnv, { outbox, metrics, steps, sources }: World, log: Logger): Part[] {
  const answer = relay(
    outbox,
    { channel: 'answer', send: answerSender(env, sources), parallel: 4, giveUpAfterMs: ANSWER_PATIENCE_MS },
    metrics,
    log,
  );
  const { TEAMS_WEBHOOK_URL: teams, NOTIFY_WEBHOOK_URL: webhook, NOTIFY_WEBHOOK_SECRET: secret } = env;
  // One after the other: Teams takes few a second.
  const people = (channel: PeopleChannel, notifier: Notifier): Part =>
    relay(outbox, { channel, send: (content: CardContent) => notifier.send(content), parallel: 1 }, metrics, log);
  return [
    answer,
    ...(teams === undefined ? [] : [people('teams', teamsNotifier(teams, steps.clock))]),
    ...(webhook === undefined || secret === undefined
      ? []
      : [people('webhook', webhookNotifier(webhook, secret, steps.clock))]),
    ...throughMonitor(env, { outbox, metrics, steps }, log),
  ];
}

/** Also what was left to it before there was a channel of our own. */
function throughMonitor(
  env: WriterEnv,
  { outbox, metrics, steps }: Pick<World, 'outbox' | 'metrics' | 'steps'>,
  log: Logger,
) {
  const { MONITOR_URL: url, MONITOR_TOKEN: token } = env;
  if (url === undefined || token === undefined) return [];
  const monitor = monitorNotifier(url, token, steps.clock);
  return [relay(outbox, { channel: 'monitor', send: (content) => monitor.send(content), parallel: 1 }, metrics, log)];
}

function databasePart({ pool }: World, env: WriterEnv): Part {
  return {
    name: 'database',
    start: async () => {
      await awaitDatabase(pool, env.DATABASE_URL);
      await migrate(pool);
    },
    stop: () => pool.end(),
  };
}

/** Mirrors in the background until it works once: a forge that is away must not keep the writer from answering. */
function mirrorPart(mirror: Mirror, log: Logger): Part {
  const stopping = new AbortController();
  const first = async () => {
    while (!stopping.signal.aborted && mirror.problem() !== undefined) {
      await mirror
        .refresh()
        .catch((error: Error) => log.warn({ reason: error.message }, 'the GitOps repository cannot be mirrored'));
      if (mirror.problem() !== undefined) await pause(1_000, stopping.signal);
    }
  };
  return {
    name: 'mirror',
    start: () => void first(),
    stop: () => {
      stopping.abort();
      return mirror.close();
    },
  };
}
