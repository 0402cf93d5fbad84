import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Exchange, lifecycle, type Logger } from '@fairway/core';
import { account } from './admin.ts';
import { Capturer } from './capture/capturer.ts';
import { Sealer } from './capture/sealer.ts';
import { VersionHistory } from './capture/versions.ts';
import { createClock } from './clock.ts';
import { type AgentEnv, hashKey, queueBackend } from './config.ts';
import { Shortage } from './handover/pace.ts';
import { Taker } from './handover/taker.ts';
import type { Order, Report, Session } from './handover/thread.ts';
import { createMetrics } from './metrics.ts';
import type { AgentClock, PackQueue } from './ports.ts';
import { redactExchange } from './privacy/redaction.ts';
import { PostgresQueue } from './pump/postgres-queue.ts';
import { Pump } from './pump/pump.ts';
import { RedisQueue } from './pump/redis-queue.ts';
import { RenewableQueue, type QueuePlace } from './pump/renewable-queue.ts';
import type { AgentSecrets, WatchSecrets } from './secrets.ts';
import { FileSpool } from './spool/spool.ts';
import { createTally, type Tally, together } from './tally.ts';
import { StatusPoll } from './upstream/status.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
/** Half of the emptyDir's sizeLimit in the rendered workload: beyond that limit the kubelet evicts the pod. */
const SPOOL_DISK_CAP = 128 * MIB;
const SPOOL_SEGMENT = 8 * MIB;
const SPOOL_MEMORY_CAP = 8 * MIB;
const FLUSH_GRACE_MS = 6000;
/** What this thread counted since it last told is not counted when it dies. */
const COUNTED_EVERY_MS = 1000;
/**
 * Where both threads want one core, the forwarding thread has two thirds of it: capture needs a quarter to keep up with what
 * the other two thirds forward. At 10 it has a tenth, and sheds half of all under full load (measured).
 */
const NICENESS = 3;

/** Everything of the capture thread, wired; it runs until it is told to stop. */
export async function captureThread(env: AgentEnv, watch: WatchSecrets, log: Logger): Promise<void> {
  yieldToForwarding();
  const port = parentPort as MessagePort;
  const world = captureWorld(env, watch, log, workerData as Session);
  port.on('message', (order: Order) => {
    if (order.kind === 'wake') world.taker.wake();
    else if (order.kind === 'stop') void world.service.stop().then(() => process.exit(0));
    else
      void world.answer(order).then((body) => {
        tell(port, { kind: 'answer', call: order.call, body, tally: world.tally });
      });
  });
  setInterval(() => tell(port, { kind: 'counted', tally: world.tally }), COUNTED_EVERY_MS).unref();
  await world.service.start();
  tell(port, { kind: 'ready' });
}

const tell = (port: MessagePort, report: Report): void => port.postMessage(report);

function captureWorld(env: AgentEnv, watch: WatchSecrets, log: Logger, { epoch, memory, predecessor }: Session) {
  const clock = createClock();
  const tally = createTally();
  const versions = new VersionHistory();
  const spool = new FileSpool(
    {
      directory: env.SPOOL_DIR,
      agent: env.AGENT_NAME,
      epoch,
      model: env.FAIRWAY_MODEL,
      diskCap: SPOOL_DISK_CAP,
      segmentBytes: SPOOL_SEGMENT,
      maxAge: env.SPOOL_MAX_HOURS * HOUR_MS,
      memoryCap: SPOOL_MEMORY_CAP,
      synced: env.SPOOL_SYNC,
      predecessor,
    },
    { clock, tally, log, onReady: () => pump.wake() },
  );
  const { queue, redact } = renewable(env, watch, tally);
  const pump = new Pump({ epoch, graceMs: FLUSH_GRACE_MS }, { spool, queue, tally, clock, log }, Math.random);
  const capturer = new Capturer(
    {
      model: env.FAIRWAY_MODEL,
      environment: env.FAIRWAY_ENVIRONMENT,
      trustEventTime: env.TRUST_EVENT_TIME,
      sampling: env.CAPTURE_SAMPLING,
    },
    { spool, versions, tally, redact },
  );
  const taker = new Taker(memory, { spool, tally, take: (raw, seq) => capturer.take(raw, seq) });
  const sealer = new Sealer(spool, versions, () => taker.losses(), clock);
  const poll = new StatusPoll(env.UPSTREAM, env.FAIRWAY_MODEL, versions, clock);
  // Stopped in reverse: what is in the ring is taken, then the last evidence, packs are settled and sent.
  const service = lifecycle([spool, pump, sealer, poll, taker, new Shortage((short) => taker.isShort(short))], log);
  return { service, taker, tally, answer: answers({ epoch, tally, spool, taker, pump, queue, clock }) };
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

/** `/metrics`, of both threads and all epochs of the process together, and `/account`, of this epoch alone. */
function answers({ epoch, tally, spool, taker, pump, queue, clock }: Answering) {
  let [hop, past] = [createTally(), createTally()];
  const onTheWay = () => hop.captured - hop.sampledOut - sum(hop.dropped) - taker.count;
  const metrics = createMetrics({
    tally: () => together(past, together(hop, tally)),
    redacting: () => Math.max(0, onTheWay()),
    spool,
    spoolLimit: SPOOL_DISK_CAP,
    queueUp: () => pump.flowing,
    queueFull: () => queue.full ?? false,
    clock,
  });
  return async (order: Extract<Order, { readonly hop: Tally }>): Promise<string> => {
    ({ hop, past } = order);
    if (order.kind === 'metrics') return metrics.metrics();
    return `${JSON.stringify(account(epoch, together(hop, tally), spool, onTheWay()))}\n`;
  };
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** What hangs on secrets, which may change while all else goes on: the way into the queue, and the key of the hashes. */
function renewable(env: AgentEnv, watch: WatchSecrets, tally: Tally) {
  const queue = new RenewableQueue(env, queueOf);
  const rules = env.CAPTURE_REDACT;
  let key = hashKey(env);
  const take = (changed: Partial<AgentSecrets>) => {
    // An emptied file would hash by a key that everybody knows.
    if ('CAPTURE_HASH_KEY' in changed) key = changed.CAPTURE_HASH_KEY ?? key;
    else queue.renew(changed);
  };
  watch(take);
  const redact = (exchange: Exchange): Exchange => redactExchange(exchange, { rules, key, tally });
  return { queue, redact: rules.size === 0 ? undefined : redact };
}

function queueOf(place: QueuePlace): PackQueue {
  return queueBackend(place) === 'redis'
    ? new RedisQueue(place.QUEUE_URL, place.QUEUE_PREFIX, Math.random)
    : new PostgresQueue(place.QUEUE_URL, place.QUEUE_PREFIX);
}

/** On Linux a thread has a niceness of its own; elsewhere, or where it is not allowed, all threads stay equal. */
function yieldToForwarding(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (thread > 0) setPriority(thread, getPriority() + NICENESS);
  } catch {
    // As said.
  }
}
