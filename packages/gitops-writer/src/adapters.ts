import { join } from 'node:path';
import { gate, FairwayError, type Logger, type Part, systemClock } from '@fairway/core';
import { answerRules } from './answers.ts';
import { type AnswerRules, answerVia } from './app/answers.ts';
import { announcing, type Channels, telling } from './app/outgoing.ts';
import { openRetraining } from './app/promotion.ts';
import type { StepContext } from './app/step.ts';
import { type ApplicationCache, applicationCache } from './cluster/applications.ts';
import { kubeConfig, kubernetesCluster } from './cluster/kubernetes.ts';
import { apiTime, skewWatch } from './cluster/skew.ts';
import type { WriterEnv } from './config.ts';
import { type OpenForge, openForge } from './forge-settings.ts';
import { type GitEngine, gitEngine } from './git/engine.ts';
import type { Mirror } from './git/mirror.ts';
import { gitSettings } from './git-settings.ts';
import { openImages } from './image-settings.ts';
import { imageBuilder } from './images/builder.ts';
import { type PrometheusMetrics, prometheusMetrics } from './metrics.ts';
import type {
  ApplicationFeed,
  BranchEdits,
  ChampionBook,
  ChangeIntake,
  Claims,
  Cluster,
  Inbox,
  Outbox,
  Verdicts,
  WorkQueue,
} from './ports.ts';
import { type QueueAccess, workQueue } from './queue/work-queue.ts';
import { type ModelSources, openSources } from './model-sources.ts';
import { changeIntake, changeReader } from './store/changes.ts';
import { championBook } from './store/champions.ts';
import { claims } from './store/claims.ts';
import { operatingFigures } from './store/figures.ts';
import { forgeCalls } from './store/forge-calls.ts';
import { inbox } from './store/inbox.ts';
import { outbox } from './store/outbox.ts';
import { openPool, type WriterPool } from './store/pool.ts';
import { turnLocks, type TurnLockPart } from './store/turn-locks.ts';
import { monitorVerdicts } from './verdicts/monitor.ts';

const CONNECTIONS = 16;
const BUILDS = 64;

/** The world as the writer sees it: every adapter, and what starts and stops with them. */
export type World = {
  /** What steps work with. */
  readonly steps: StepContext;
  readonly intake: ChangeIntake;
  readonly claims: Claims;
  readonly outbox: Outbox;
  readonly book: ChampionBook;
  readonly inbox: Inbox;
  readonly announce: ReturnType<typeof announcing>;
  readonly sources: ModelSources;
  readonly answerRules: AnswerRules;
  readonly queue: WorkQueue & { close(): Promise<void> };
  readonly queueAccess: QueueAccess;
  readonly verdicts: Verdicts;
  readonly branches: BranchEdits;
  readonly metrics: PrometheusMetrics;
  readonly pool: WriterPool;
  readonly locks: TurnLockPart;
  readonly mirror: Mirror;
  readonly applications: ApplicationCache & ApplicationFeed & Part;
  /** Tells when the cluster's clock is not ours. */
  readonly clocks: Part;
};

/** `path`: PATH of the process, to find git. */
export function openWorld(env: WriterEnv, path: string | undefined, log: Logger): World {
  const pool = openPool(env.DATABASE_URL, CONNECTIONS, log);
  const locks = turnLocks(env.DATABASE_URL, log);
  const forge = openForge(env, systemClock, forgeCalls(pool));
  const git = gitOf(env, forge, path);
  const kubernetes = kubeConfig(env.KUBECONFIG);
  const applications = applicationCache(kubernetes, env.ARGOCD_NAMESPACE, systemClock, log);
  const cluster = kubernetesCluster(kubernetes, env.ARGOCD_NAMESPACE, applications);
  const sources = openSources(env, join(env.DATA_DIR, 'scratch'), systemClock);
  const rules = answerRules(env, sources);
  const steps = stepContext(env, { pool, sources, git, forge, cluster }, log);
  const tell = telling(channels(env, rules));
  const queueAccess = { url: env.QUEUE_URL, prefix: env.QUEUE_PREFIX };
  return {
    steps,
    intake: changeIntake(pool, steps.clock, tell),
    claims: claims(pool, locks, tell),
    outbox: outbox(pool),
    book: championBook(pool),
    inbox: inbox(pool),
    announce: announcing(channels(env, rules)),
    sources,
    answerRules: rules,
    queue: workQueue(queueAccess, log),
    queueAccess,
    verdicts: verdictsOf(env, steps),
    branches: git.branches,
    metrics: prometheusMetrics({ figures: () => operatingFigures(pool), applications: applications.all }),
    pool,
    locks,
    mirror: git.mirror,
    applications,
    clocks: skewWatch(apiTime(kubernetes), systemClock, log),
  };
}

type Opened = {
  readonly pool: WriterPool;
  readonly sources: ModelSources;
  readonly git: GitEngine;
  readonly forge: OpenForge;
  readonly cluster: Cluster;
};

/** Every adapter that steps work with. */
function stepContext(
  env: WriterEnv,
  { pool, sources, git, forge: { forge, limits }, cluster }: Opened,
  log: Logger,
): StepContext {
  const clock = systemClock;
  return {
    changes: changeReader(pool),
    repository: git.repository,
    history: git.history,
    forge,
    source: sources.source,
    images: imageBuilder(openImages(env), { repository: env.IMAGE_REPOSITORY, base: env.SERVING_BASE }),
    builds: gate(BUILDS),
    cluster,
    live: { repositoryUrl: env.GIT_URL, syncRule: env.SYNC_RULE, hysteresisMs: env.HEALTH_HYSTERESIS_MS },
    clock,
    log,
    agentImage: env.AGENT_IMAGE,
    dashboardUrl: env.DASHBOARD_URL?.replace(/\/$/, ''),
    bodyLimit: limits.body,
  };
}

function verdictsOf({ MONITOR_URL: url, MONITOR_TOKEN: token }: WriterEnv, { changes }: StepContext): Verdicts {
  if (url === undefined) return openRetraining(changes);
  if (token !== undefined) return monitorVerdicts(url, token);
  throw new FairwayError('config.invalid', 'MONITOR_URL is set and MONITOR_TOKEN is not: set both or neither.');
}

function hasWebhook({ NOTIFY_WEBHOOK_URL: address, NOTIFY_WEBHOOK_SECRET: secret }: WriterEnv): boolean {
  if ((address === undefined) === (secret === undefined)) return address !== undefined;
  throw new FairwayError(
    'config.invalid',
    'NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET belong together: set both or neither.',
  );
}

const channels = (env: WriterEnv, rules: AnswerRules): Channels => ({
  teams: env.TEAMS_WEBHOOK_URL !== undefined,
  webhook: hasWebhook(env),
  monitor: env.MONITOR_URL !== undefined,
  answerVia: (answerTo) => answerVia(answerTo, rules),
});

function gitOf(env: WriterEnv, { credentials, refused }: OpenForge, path: string | undefined): GitEngine {
  const settings = gitSettings(env, credentials, systemClock, path);
  return gitEngine({ ...settings, access: { ...settings.access, refused } });
}
