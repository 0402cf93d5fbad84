import { join } from 'node:path';
import {
  type Lifecycle,
  lifecycle,
  type Logger,
  type Part,
  pause,
  readEnv,
  runService,
  systemClock,
  urlOrigin,
} from '@fairway/core';
import type { Pool } from 'pg';
import { CONCURRENCY, reconciler } from './app/reconcile.ts';
import { relay } from './app/relay.ts';
import type { StepContext } from './app/step.ts';
import { kubeConfig, kubernetesCluster } from './cluster/kubernetes.ts';
import { WRITER_ENV, type WriterEnv } from './config.ts';
import { FORGES } from './forges.ts';
import { gitEnvironment } from './git/environment.ts';
import { gitHistory } from './git/history.ts';
import { type Mirror, openMirror } from './git/mirror.ts';
import { gitPlumbing } from './git/plumbing.ts';
import { gitRemote } from './git/remote.ts';
import { gitRepository } from './git/repository.ts';
import { routes } from './http/routes.ts';
import { httpServer } from './http/server.ts';
import { ociLayoutBuilder } from './images/oci-layout/builder.ts';
import { pinoLogger } from './log.ts';
import { prometheusMetrics } from './metrics.ts';
import { teamsNotifier } from './notify/teams/notifier.ts';
import { directorySource } from './sources/directory/source.ts';
import { changeIntake, changeReader } from './store/changes.ts';
import { migrate } from './store/migrate.ts';
import { outbox } from './store/outbox.ts';
import { awaitDatabase, databaseProblem, openPool } from './store/pool.ts';
import { changeQueue } from './store/queue.ts';

/** Connections for requests and the relay, besides one for each turn in flight. */
const SPARE_CONNECTIONS = 6;

function buildWriter(env: WriterEnv, path: string | undefined, log: Logger): Lifecycle {
  const pool = openPool(env.DATABASE_URL, CONCURRENCY + SPARE_CONNECTIONS, log);
  const mirror = mirrorOf(env, path);
  const context = stepContext(env, pool, mirror, log);
  const metrics = prometheusMetrics();
  const queue = changeQueue(pool, env.TEAMS_WEBHOOK_URL !== undefined);
  const loop = reconciler(queue, context, metrics);
  const cards = outbox(pool);
  const app = routes({
    ...context,
    intake: changeIntake(pool, context.clock),
    queue,
    outbox: cards,
    token: env.WRITER_TOKEN,
    webhookSecret: env.WEBHOOK_SECRET,
    forge: { name: env.FORGE, webhook: FORGES[env.FORGE].webhook },
    wake: loop.wake,
  });
  const ready = async () => (await databaseProblem(pool)) ?? mirror.problem();
  const http = httpServer({ host: env.HOST, port: env.PORT, app, admin: { ready, metrics: metrics.scrape } });
  const told: Part = {
    name: 'ready',
    start: () => {
      log.info({ port: http.port, git: urlOrigin(env.GIT_URL), forge: urlOrigin(env.FORGE_URL) }, 'writer listens');
      process.send?.({ ready: true, port: http.port });
    },
    stop: () => {},
  };
  const notifier =
    env.TEAMS_WEBHOOK_URL === undefined
      ? []
      : [relay(cards, teamsNotifier(env.TEAMS_WEBHOOK_URL, context.clock), metrics, log)];
  return lifecycle([databasePart(pool, env), http, mirrorPart(mirror, log), loop, ...notifier, told], log);
}

/** Every adapter that steps work with. */
function stepContext(env: WriterEnv, pool: Pool, mirror: Mirror, log: Logger): StepContext {
  const clock = systemClock;
  const { FORGE_URL: url, FORGE_REPOSITORY: repository, FORGE_TOKEN: token, GIT_BRANCH: base } = env;
  const committer = { name: env.GIT_USER, email: `${env.GIT_USER}@noreply.localhost` };
  return {
    changes: changeReader(pool),
    repository: gitRepository(mirror, base, committer, clock),
    history: gitHistory(mirror),
    forge: FORGES[env.FORGE].open({ url, repository, token, base }),
    source: directorySource(env.MODEL_DIRECTORY, join(env.DATA_DIR, 'scratch')),
    images: ociLayoutBuilder({ layout: env.IMAGE_LAYOUT, repository: env.IMAGE_REPOSITORY, base: env.SERVING_BASE }),
    cluster: kubernetesCluster(kubeConfig(env.KUBECONFIG), env.ARGOCD_NAMESPACE),
    clock,
    log,
    agentImage: env.AGENT_IMAGE,
    dashboardUrl: env.DASHBOARD_URL?.replace(/\/$/, ''),
  };
}

function databasePart(pool: Pool, env: WriterEnv): Part {
  return {
    name: 'database',
    start: async () => {
      await awaitDatabase(pool, env.DATABASE_URL);
      await migrate(pool);
    },
    stop: () => pool.end(),
  };
}

function mirrorOf(env: WriterEnv, path: string | undefined): Mirror {
  const environment = gitEnvironment(path);
  const access = { url: env.GIT_URL, user: env.GIT_USER, token: env.FORGE_TOKEN };
  return openMirror({
    plumbing: gitPlumbing(environment),
    remote: gitRemote(environment, access),
    url: env.GIT_URL,
    dataDir: env.DATA_DIR,
  });
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
    stop: () => stopping.abort(),
  };
}

const boot = pinoLogger('info', []);
try {
  const env = readEnv(process.env, WRITER_ENV);
  const secrets = [
    env.WRITER_TOKEN,
    env.FORGE_TOKEN,
    env.WEBHOOK_SECRET,
    ...(env.TEAMS_WEBHOOK_URL === undefined ? [] : [env.TEAMS_WEBHOOK_URL]),
  ];
  const log = pinoLogger(env.LOG_LEVEL, secrets);
  await runService(buildWriter(env, process.env['PATH'], log), log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  boot.error({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
