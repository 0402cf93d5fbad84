import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { type Lifecycle, lifecycle, type Logger } from '@fairway/core';
import { AdminServer } from './admin.ts';
import { createIds } from './capture/ids.ts';
import { createClock } from './clock.ts';
import type { AgentEnv } from './config.ts';
import type { ConnectionWatch } from './connection-watch.ts';
import type { GrpcParts } from './grpc/call.ts';
import { GrpcWatch } from './grpc/watch.ts';
import { Handover } from './handover/handover.ts';
import { Allowance } from './handover/pace.ts';
import { ringMemory } from './handover/ring.ts';
import { CaptureThread, type Session } from './handover/thread.ts';
import type { Address } from './ports.ts';
import { isSampled } from './privacy/sampling.ts';
import { Breaker } from './proxy/breaker.ts';
import { Listener } from './proxy/listener.ts';
import { type Accept, Reads } from './proxy/reads.ts';
import { Watch } from './proxy/watch.ts';
import { HighWaterFile } from './spool/high-water.ts';
import { createTally } from './tally.ts';

/** All bodies of unfinished exchanges together; beyond, exchanges are truncated. */
const BODY_BUDGET = 32 * 1024 * 1024;
/** Together with the capture thread's below the 30 s that Kubernetes gives a pod by default. */
const CONNECTION_GRACE_MS = 8000;
/**
 * MiB. Far above what it needs: one that grows beyond ends, and predictions go on. What it makes lives for one exchange, so
 * little room for the young costs no time (measured) and saves 10 MiB of the process.
 */
const CAPTURE_LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 3 };

/**
 * Everything of the forwarding thread, wired: it moves bytes, looks on, and hands over what it saw. What could wait, for
 * disk, queue or a long computation, is the capture thread's, which `entry` starts.
 */
export function forwarder(env: AgentEnv, log: Logger, entry: URL): Lifecycle {
  const clock = createClock();
  const tally = createTally();
  const ids = createIds(clock);
  const session = (): Session => ({
    epoch: ids(),
    memory: ringMemory(env.CAPTURE_BODY_BYTES),
    predecessor: undefined,
  });
  const first = session();
  const capture = new Handover(
    { sampling: env.CAPTURE_SAMPLING },
    {
      tally,
      ids,
      isSampled,
      wake: () => thread.wake(),
      allowance: new Allowance(() => clock.monotonic()),
      reach: (epoch, taken) => new HighWaterFile(env.SPOOL_DIR, epoch, taken),
    },
    first,
  );
  const thread = new CaptureThread({
    open: (workerData) => startCapture(entry, workerData),
    begin: (ended) => {
      if (ended === undefined) return first;
      const next = session();
      return { ...next, predecessor: { epoch: ended, given: capture.begin(next) } };
    },
    tally,
    log,
    now: () => clock.monotonic(),
  });
  const seen = { capture, clock, tally, budget: { held: 0, cap: BODY_BUDGET }, bodyCap: env.CAPTURE_BODY_BYTES };
  const reads = new Reads(tally, log);
  const listeners = listenersOf(env, seen, reads.accept);
  // Health is answered here: neither disk nor queue may take the pod out of service.
  const admin = new AdminServer(
    { host: env.LISTEN_HOST, port: env.ADMIN_PORT },
    () => listeners.find(({ notReady }) => notReady)?.notReady,
    (question) => thread.ask(question),
  );
  // Stopped in reverse: the ports close first, then everything seen is taken over, settled and sent.
  return lifecycle([admin, thread, reads, ...listeners], log);
}

/**
 * The process's bound on the young (the image's `--max-semi-space-size`) would go before a thread's own one. A heap takes it once, when it
 * is made: the forwarding thread keeps what it was started with.
 */
function startCapture(entry: URL, workerData: Session): Worker {
  setFlagsFromString('--max-semi-space-size=0');
  return new Worker(entry, { workerData, resourceLimits: CAPTURE_LIMITS });
}

/** The prediction port, and that of gRPC where it is switched on. */
function listenersOf(env: AgentEnv, seen: Omit<GrpcParts, 'model'>, accept: Accept): Listener[] {
  const { clock, tally } = seen;
  const breaker = new Breaker(clock, tally);
  const at = (name: string, port: number, upstream: Address, watch: () => ConnectionWatch) =>
    new Listener(
      { name, address: { host: env.LISTEN_HOST, port }, upstream, graceMs: CONNECTION_GRACE_MS },
      { clock, tally, accept, watch },
    );
  const rest = at('prediction', env.LISTEN_PORT, env.UPSTREAM, () => new Watch(seen, breaker));
  if (env.GRPC_LISTEN_PORT === 0) return [rest];
  const called = { ...seen, model: env.FAIRWAY_MODEL };
  return [rest, at('gRPC', env.GRPC_LISTEN_PORT, env.GRPC_UPSTREAM, () => new GrpcWatch(called, breaker))];
}
