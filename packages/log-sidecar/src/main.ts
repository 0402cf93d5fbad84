import { performance } from 'node:perf_hooks';
import {
  asFairwayError,
  type Exchange,
  type Lifecycle,
  lifecycle,
  type Logger,
  readEnv,
  runService,
  systemClock,
} from '@fairway/core';
import { pino } from 'pino';
import type { Registry } from 'prom-client';
import { account, AdminServer } from './admin.ts';
import { Capturer } from './capture/capturer.ts';
import { createIds } from './capture/ids.ts';
import { Sealer } from './capture/sealer.ts';
import { VersionHistory } from './capture/versions.ts';
import { type AgentEnv, ENVIRONMENT, hashKey, queueBackend } from './config.ts';
import type { ConnectionWatch } from './connection-watch.ts';
import type { GrpcParts } from './grpc/call.ts';
import { GrpcWatch } from './grpc/watch.ts';
import { createMetrics } from './metrics.ts';
import type { Address, AgentClock, PackQueue } from './ports.ts';
import { Deferred } from './privacy/deferred.ts';
import { redactExchange } from './privacy/redaction.ts';
import { isSampled } from './privacy/sampling.ts';
import { Breaker } from './proxy/breaker.ts';
import { Listener } from './proxy/listener.ts';
import { Watch } from './proxy/watch.ts';
import { PostgresQueue } from './pump/postgres-queue.ts';
import { Pump } from './pump/pump.ts';
import { RedisQueue } from './pump/redis-queue.ts';
import { smoke } from './smoke/smoke.ts';
import { FileSpool } from './spool/spool.ts';
import { createTally } from './tally.ts';
import { StatusPoll } from './upstream/status.ts';

const MIB = 1024 * 1024;
/** Half of the emptyDir's sizeLimit in the rendered workload: beyond that limit the kubelet evicts the pod. */
const SPOOL_DISK_CAP = 128 * MIB;
const SPOOL_MEMORY_CAP = 8 * MIB;
/** All bodies of unfinished exchanges together; beyond, exchanges are truncated. */
const BODY_BUDGET = 32 * MIB;
/** Together below the 30 s that Kubernetes gives a pod by default. */
const CONNECTION_GRACE_MS = 8000;
const FLUSH_GRACE_MS = 6000;

/** Everything of one agent process, wired. */
function agent(env: AgentEnv, log: Logger): Lifecycle {
  const clock: AgentClock = { ...systemClock, monotonic: () => performance.now() };
  const tally = createTally();
  const ids = createIds(clock);
  const epoch = ids();
  const versions = new VersionHistory();
  const spool = new FileSpool(
    { directory: env.SPOOL_DIR, agent: env.AGENT_NAME, epoch, diskCap: SPOOL_DISK_CAP, memoryCap: SPOOL_MEMORY_CAP },
    { clock, tally, log, onReady: () => pump.wake() },
  );
  const queue = queueOf(env);
  const pump = new Pump({ epoch, graceMs: FLUSH_GRACE_MS }, { spool, queue, tally, clock, log }, Math.random);
  const rules = env.CAPTURE_REDACT;
  const key = hashKey(env);
  const later = new Deferred(clock, tally);
  const redact = (exchange: Exchange) => redactExchange(exchange, { rules, key, tally });
  const capture = new Capturer(
    {
      model: env.FAIRWAY_MODEL,
      environment: env.FAIRWAY_ENVIRONMENT,
      trustEventTime: env.TRUST_EVENT_TIME,
      sampling: env.CAPTURE_SAMPLING,
    },
    { spool, versions, tally, ids, isSampled, redaction: rules.size === 0 ? undefined : { later, redact } },
  );
  const seen = { capture, clock, tally, budget: { held: 0, cap: BODY_BUDGET }, bodyCap: env.CAPTURE_BODY_BYTES };
  const listeners = listenersOf(env, seen);
  const metrics = createMetrics({ tally, spool, queueUp: () => pump.flowing, clock });
  const admin = new AdminServer(
    { host: env.LISTEN_HOST, port: env.ADMIN_PORT },
    { ready: () => listeners.find(({ notReady }) => notReady)?.notReady, metrics: () => readMetrics(metrics) },
    () => account(epoch, tally, spool),
  );
  const sealer = new Sealer(spool, versions, tally, clock);
  const poll = new StatusPoll(env.UPSTREAM, env.FAIRWAY_MODEL, versions, clock);
  // Stopped in reverse: the ports close first, then the last evidence is taken, packs are settled and sent.
  return lifecycle([admin, spool, pump, sealer, later, poll, ...listeners], log);
}

/** The prediction port, and that of gRPC where it is switched on. */
function listenersOf(env: AgentEnv, seen: Omit<GrpcParts, 'model'>): Listener[] {
  const { clock, tally } = seen;
  const breaker = new Breaker(clock, tally);
  const at = (name: string, port: number, upstream: Address, watch: () => ConnectionWatch) =>
    new Listener(
      { name, address: { host: env.LISTEN_HOST, port }, upstream, graceMs: CONNECTION_GRACE_MS },
      { clock, tally, watch },
    );
  const rest = at('prediction', env.LISTEN_PORT, env.UPSTREAM, () => new Watch(seen, breaker));
  if (env.GRPC_LISTEN_PORT === 0) return [rest];
  const called = { ...seen, model: env.FAIRWAY_MODEL };
  return [rest, at('gRPC', env.GRPC_LISTEN_PORT, env.GRPC_UPSTREAM, () => new GrpcWatch(called, breaker))];
}

async function readMetrics(registry: Registry): Promise<{ contentType: string; body: string }> {
  return { contentType: registry.contentType, body: await registry.metrics() };
}

function queueOf(env: AgentEnv): PackQueue {
  return queueBackend(env) === 'redis'
    ? new RedisQueue(env.QUEUE_URL, env.QUEUE_PREFIX, Math.random)
    : new PostgresQueue(env.QUEUE_URL, env.QUEUE_PREFIX);
}

/** The same image is the smoke-test Job's: `fairway-agent smoke`. It ends with what started it, as all processes do. */
async function smokeTest(): Promise<void> {
  const gone = () => process.exit(1);
  process.once('disconnect', gone);
  process.exitCode = await smoke(process.env, (line) => process.stdout.write(`${line}\n`));
  process.off('disconnect', gone);
  if (process.connected) process.disconnect();
}

async function main(): Promise<void> {
  if (process.argv[2] === 'smoke') return smokeTest();
  try {
    const env = readEnv(process.env, ENVIRONMENT);
    const log = pino({ level: env.LOG_LEVEL, base: { service: 'agent', agent: env.AGENT_NAME } });
    // Predictions run through this process: nothing that was not caught elsewhere may end it.
    process.on('uncaughtException', ({ message, stack }) =>
      log.error({ reason: message, stack }, 'uncaught, going on'),
    );
    await runService(agent(env, log), log, process, env.FAIRWAY_DEBUG);
  } catch (error) {
    process.stderr.write(`${asFairwayError(error).message}\n`);
    process.exitCode = 1;
  }
}

await main();
