import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Exchange, lifecycle, type Logger } from '@fairway/core';
import { account } from './admin.ts';
import { Capturer } from './capture/capturer.ts';
import { Sealer } from './capture/sealer.ts';
import { VersionHistory } from './capture/versions.ts';
import { createClock } from './clock.ts';
import { type AgentEnv, hashKey, queueBackend } from './config.ts';
import { Taker } from './handover/taker.ts';
import type { Order, Report, Session } from './handover/thread.ts';
import { createMetrics } from './metrics.ts';
import type { AgentClock, PackQueue } from './ports.ts';
import { redactExchange } from './privacy/redaction.ts';
import { PostgresQueue } from './pump/postgres-queue.ts';
import { Pump } from './pump/pump.ts';
import { RedisQueue } from './pump/redis-queue.ts';
import { FileSpool } from './spool/spool.ts';
import { createTally, type Tally, together } from './tally.ts';
import { StatusPoll } from './upstream/status.ts';

const MIB = 1024 * 1024;
/** Half of the emptyDir's sizeLimit in the rendered workload: beyond that limit the kubelet evicts the pod. */
const SPOOL_DISK_CAP = 128 * MIB;
const SPOOL_MEMORY_CAP = 8 * MIB;
const FLUSH_GRACE_MS = 6000;
/** Where both threads want one core, the forwarding thread shall have it. */
const NICENESS = 10;

/** Everything of the capture thread, wired; it runs until it is told to stop. */
export async function captureThread(env: AgentEnv, log: Logger): Promise<void> {
  yieldToForwarding();
  const port = parentPort as MessagePort;
  const world = captureWorld(env, log, workerData as Session);
  port.on('message', (order: Order) => {
    if (order.kind === 'wake') world.taker.wake();
    else if (order.kind === 'stop') void world.service.stop().then(() => process.exit(0));
    else
      void world.answer(order.kind, order.hop).then((body) => tell(port, { kind: 'answer', call: order.call, body }));
  });
  await world.service.start();
  tell(port, { kind: 'ready' });
}

const tell = (port: MessagePort, report: Report): void => port.postMessage(report);

function captureWorld(env: AgentEnv, log: Logger, { epoch, memory, predecessor }: Session) {
  const clock = createClock();
  const tally = createTally();
  const versions = new VersionHistory();
  const spool = new FileSpool(
    {
      directory: env.SPOOL_DIR,
      agent: env.AGENT_NAME,
      epoch,
      diskCap: SPOOL_DISK_CAP,
      memoryCap: SPOOL_MEMORY_CAP,
      synced: env.SPOOL_SYNC,
      predecessor,
    },
    { clock, tally, log, onReady: () => pump.wake() },
  );
  const queue = queueOf(env);
  const pump = new Pump({ epoch, graceMs: FLUSH_GRACE_MS }, { spool, queue, tally, clock, log }, Math.random);
  const capturer = new Capturer(
    {
      model: env.FAIRWAY_MODEL,
      environment: env.FAIRWAY_ENVIRONMENT,
      trustEventTime: env.TRUST_EVENT_TIME,
      sampling: env.CAPTURE_SAMPLING,
    },
    { spool, versions, tally, redact: redactionOf(env, tally) },
  );
  const taker = new Taker(memory, { spool, tally, take: (raw, seq) => capturer.take(raw, seq) });
  const sealer = new Sealer(spool, versions, () => taker.losses(), clock);
  const poll = new StatusPoll(env.UPSTREAM, env.FAIRWAY_MODEL, versions, clock);
  // Stopped in reverse: what is in the ring is taken, then the last evidence, packs are settled and sent.
  const service = lifecycle([spool, pump, sealer, poll, taker], log);
  return { service, taker, answer: answers({ epoch, tally, spool, taker, pump, queue, clock }) };
}

type Answering = {
  readonly epoch: string;
  readonly tally: Tally;
  readonly spool: FileSpool;
  readonly taker: Taker;
  readonly pump: Pump;
  readonly queue: PackQueue;
  readonly clock: AgentClock;
};

/** `/metrics` and `/account`, of both threads together. */
function answers({ epoch, tally, spool, taker, pump, queue, clock }: Answering) {
  let hop = createTally();
  const onTheWay = () => hop.captured - hop.sampledOut - sum(hop.dropped) - taker.count;
  const metrics = createMetrics({
    tally: () => together(hop, tally),
    redacting: () => Math.max(0, onTheWay()),
    spool,
    spoolLimit: SPOOL_DISK_CAP,
    queueUp: () => pump.flowing,
    queueFull: () => queue.full ?? false,
    clock,
  });
  return async (question: 'metrics' | 'account', seen: Tally): Promise<string> => {
    hop = seen;
    if (question === 'metrics') return metrics.metrics();
    return `${JSON.stringify(account(epoch, together(hop, tally), spool, onTheWay()))}\n`;
  };
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

function redactionOf(env: AgentEnv, tally: Tally): ((exchange: Exchange) => Exchange) | undefined {
  const rules = env.CAPTURE_REDACT;
  const key = hashKey(env);
  return rules.size === 0 ? undefined : (exchange) => redactExchange(exchange, { rules, key, tally });
}

function queueOf(env: AgentEnv): PackQueue {
  return queueBackend(env) === 'redis'
    ? new RedisQueue(env.QUEUE_URL, env.QUEUE_PREFIX, Math.random)
    : new PostgresQueue(env.QUEUE_URL, env.QUEUE_PREFIX);
}

/** On Linux a thread has a niceness of its own; elsewhere, or where it is not allowed, all threads stay equal. */
function yieldToForwarding(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (thread > 0) setPriority(thread, NICENESS);
  } catch {
    // As said.
  }
}
