import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { type PostgresServer, startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { pause } from '@fairway/core';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { freePort } from '../../harness/ports.ts';
import { type OwnRedis, redisFound, startOwnRedis } from '../../harness/redis.ts';
import { startWire, type Wire } from '../../harness/wire.ts';
import { type Service, service } from './service.ts';
import { type Life, startTraffic, type Traffic } from './traffic.ts';

export const AGENT = 'agent-faults';
export const QUEUE_PREFIX = 'faults';
const PATIENCE_MS = 60_000;

/** A database server that dies and comes back with its data. */
export type Database = { readonly url: string; end(signal: NodeJS.Signals): Promise<void>; start(): Promise<void> };

/** Agent, model with callers, queue, recorder and database, each a process of its own. */
export type World = {
  readonly traffic: Traffic;
  readonly agent: Service;
  readonly agentPort: number;
  /** What the callers may rely on: since when the agent serves, and each earlier time. */
  lives(): readonly Life[];
  /** Ends the agent; callers meet a closed port until `startAgent`. */
  readonly endAgent: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
  readonly startAgent: () => Promise<void>;
  readonly recorder: Service;
  /** A second recorder, not started, beside the first. */
  readonly standIn: Service;
  readonly database: Database;
  /** undefined: no redis-server on this machine, the queue is in the database. */
  readonly redis: OwnRedis | undefined;
  /** Between the agent and its queue. */
  readonly wire: Wire;
  readonly queueUrl: string;
  readonly spool: string;
  readonly adminUrl: string;
  stop(): Promise<void>;
};

/** The agent's wall clock goes back by an hour at each SIGUSR2. */
const CLOCK =
  "const now = Date.now; let back = 0; Date.now = () => now() - back; process.on('SIGUSR2', () => { back += 3_600_000; });";

export async function startWorld(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-faults-'));
  const spool = join(dir, 'spool');
  const database = await startDatabase(join(dir, 'data'));
  const redis = redisFound ? await startOwnRedis() : undefined;
  const queueUrl = redis?.url ?? database.url;
  const wire = await startWire(Number(new URL(queueUrl).port));
  const traffic = await startTraffic();
  const writer = await startFakeWriter();
  const [agentPort, adminPort] = [await freePort(), await freePort()];
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const throughWire = new URL(queueUrl);
  throughWire.port = String(wire.port);
  const agent = service({
    argv: await entry('log-sidecar/src/main.ts'),
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK)}`,
      LISTEN_HOST: '127.0.0.1',
      LISTEN_PORT: String(agentPort),
      ADMIN_PORT: String(adminPort),
      UPSTREAM: `127.0.0.1:${traffic.modelPort}`,
      SPOOL_DIR: spool,
      QUEUE_URL: throughWire.href,
      QUEUE_PREFIX,
      FAIRWAY_MODEL: 'home-equity',
      FAIRWAY_ENVIRONMENT: 'dev',
      AGENT_NAME: AGENT,
    },
    readyUrl: `${adminUrl}/readyz`,
  });
  const recording = { DATABASE_URL: database.url, QUEUE_URL: queueUrl, QUEUE_PREFIX, WRITER_URL: writer.url };
  const recorder = await newRecorder({ ...recording, WRITER_TOKEN: writer.token });
  const standIn = await newRecorder({ ...recording, WRITER_TOKEN: writer.token });
  const past: Life[] = [];
  let since = Number.POSITIVE_INFINITY;
  const startAgent = async () => {
    await agent.start();
    since = Date.now();
    traffic.go(agentPort, agent.pid);
  };
  await Promise.all([recorder.start(), startAgent()]);
  return {
    traffic,
    agent,
    agentPort,
    startAgent,
    recorder,
    standIn,
    database,
    redis,
    wire,
    queueUrl,
    spool,
    adminUrl,
    lives: () => [...past, { from: since, to: Number.POSITIVE_INFINITY, signal: undefined }],
    endAgent: async (signal) => {
      past.push({ from: since, to: Date.now(), signal });
      since = Number.POSITIVE_INFINITY;
      await agent.end(signal);
    },
    stop: async () => {
      traffic.stop();
      await Promise.all([agent.end('SIGKILL'), recorder.end('SIGKILL'), standIn.end('SIGKILL')]);
      wire.stop();
      await writer.stop();
      await redis?.stop();
      await database.end('SIGKILL');
      rmSync(dataPlace(join(dir, 'data')), { recursive: true, force: true });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const entry = (file: string) => runnable(fileURLToPath(new URL(`../../../packages/${file}`, import.meta.url)));

async function newRecorder(env: Readonly<Record<string, string>>): Promise<Service> {
  const port = await freePort();
  return service({
    argv: await entry('monitor/src/recorder-main.ts'),
    env: { HOST: '127.0.0.1', PORT: String(port), MONITOR_TOKEN: 'monitor-test-token', ...env },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
}

async function startDatabase(dataDir: string): Promise<Database> {
  const options = { dataDir, port: await freePort(), password: randomBytes(12).toString('hex') };
  let server = await startPostgresServer(options);
  return {
    url: server.url,
    end: async (signal) => {
      process.kill(server.pid, signal);
      while (isThere(server.pid)) await pause(10);
    },
    start: async () => {
      server = await patiently(() => startPostgresServer(options));
    },
  };
}

/** The children of a killed postmaster hold its memory a moment longer, and a new one refuses to start meanwhile. */
async function patiently(start: () => Promise<PostgresServer>): Promise<PostgresServer> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(100);
    }
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
