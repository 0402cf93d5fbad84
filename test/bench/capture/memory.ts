import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tieToUs } from '../../../packages/cli/src/stack/tied.ts';
import { AGENT_MEMORY_MIB, agentMemory } from '../../../packages/core/src/agent-memory.ts';
import { freePort } from '../../harness/ports.ts';
import { residentMb } from '../resident.ts';
import { atLeast, atMost, type Result } from '../result.ts';
import { shippedAgent } from '../shipped.ts';
import { stopped } from './nginx.ts';

export const RATE = 2_000;
const CONNECTIONS = 32;
const TICK_MS = 10;
const SAMPLE_MS = 1_000;
const MEMORY_MB = 120;
/** Flat: what the collector's ups and downs make of a line that does not rise. */
const GROWTH_MB_PER_MINUTE = 0.5;
const ANSWER = JSON.stringify({ predictions: [{ P_BAD1: 0.8312931, P_BAD0: 0.1687069, I_BAD: '1' }] });
const STATUS = JSON.stringify({
  model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
});
const BODY = JSON.stringify({
  instances: [{ LOAN: 1100, MORTDUE: 25860, VALUE: 39025, YOJ: 10.5, CLAGE: 94.36, CLNO: 9, REASON: 'HomeImp' }],
});
const REQUEST = `POST /v1/models/bench:predict HTTP/1.1\r\nHost: bench\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

type Sample = { readonly minute: number; readonly mb: number };

/**
 * Memory of an agent that serves 2,000 predictions a second while its queue is away: 10 minutes, or as many as
 * BENCH_MINUTES says. First the spool fills, then what is new is dropped and counted; neither may cost memory.
 */
export async function memoryNumbers(): Promise<Result[]> {
  if (!existsSync('/proc/self/status')) return skipped('the system does not tell the memory of a process in /proc');
  const minutes = Number(process.env['BENCH_MINUTES'] ?? 10);
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  const model = await startModel();
  const port = await freePort();
  const nobody = `redis://127.0.0.1:${await freePort()}`;
  const agent = await startAgent(dir, port, (model.address() as AddressInfo).port, nobody);
  try {
    const callers = await startCallers(port);
    const samples: Sample[] = [];
    const began = performance.now();
    const minute = () => (performance.now() - began) / 60_000;
    while (minute() < minutes) {
      await sleep(SAMPLE_MS);
      samples.push({ minute: minute(), mb: residentMb(agent.pid ?? 0) });
    }
    const answered = callers.stop();
    return results(samples, answered / (minute() * 60), minutes);
  } finally {
    await stopped(agent);
    model.closeAllConnections();
    model.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function results(samples: readonly Sample[], perSecond: number, minutes: number): Result[] {
  const later = samples.filter(({ minute }) => minute >= minutes / 2);
  const most = Math.max(...samples.map(({ mb }) => mb));
  const ran = `${minutes} minutes with the queue away`;
  const [first, last] = [later[0]?.mb ?? 0, later.at(-1)?.mb ?? 0];
  return [
    atMost('agent-memory', round(most), 'MB', MEMORY_MB, `highest resident set; ${ran}`),
    atMost(
      'agent-memory-growth',
      round(slope(later)),
      'MB/min',
      GROWTH_MB_PER_MINUTE,
      `line through the last ${minutes / 2} minutes, ${round(first)} to ${round(last)} MB`,
    ),
    atLeast('agent-memory-rate', Math.round(perSecond), 'predictions/s', RATE * 0.95, 'answered meanwhile'),
  ];
}

const skipped = (why: string): Result[] =>
  [
    atMost('agent-memory', 0, 'MB', MEMORY_MB),
    atMost('agent-memory-growth', 0, 'MB/min', GROWTH_MB_PER_MINUTE),
    atLeast('agent-memory-rate', 0, 'predictions/s', RATE * 0.95),
  ].map((result) => ({ ...result, ok: false, note: `skipped: ${why}` }));

/** Least squares. */
function slope(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ minute }) => minute)), mean(samples.map(({ mb }) => mb))];
  let above = 0;
  let below = 0;
  for (const { minute, mb } of samples) {
    above += (minute - x) * (mb - y);
    below += (minute - x) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

const round = (value: number): number => Number(value.toFixed(2));

/** A model that answers every prediction alike, and tells its version as TF Serving does. */
export async function startModel(): Promise<Server> {
  const server = createServer((incoming, response) => {
    const answer = incoming.method === 'GET' ? STATUS : ANSWER;
    incoming.resume().on('end', () => response.writeHead(200, { 'content-length': answer.length }).end(answer));
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

type Caller = { readonly socket: Socket; waiting: boolean; tail: string };

/** So many predictions a second, each on a connection that waits for no other answer. */
export async function startCallers(port: number): Promise<{ stop(): number }> {
  let answered = 0;
  const callers = await Promise.all(Array.from({ length: CONNECTIONS }, () => caller(port, () => answered++)));
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * RATE) / 1000) - sent;
    for (const one of callers.filter(({ waiting }) => !waiting).slice(0, due)) {
      one.waiting = true;
      one.socket.write(REQUEST);
      sent++;
    }
  }, TICK_MS);
  return {
    stop: () => {
      clearInterval(timer);
      for (const { socket } of callers) socket.destroy();
      return answered;
    },
  };
}

async function caller(port: number, onAnswer: () => void): Promise<Caller> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const one: Caller = { socket, waiting: false, tail: '' };
  socket.on('data', (chunk: Buffer) => {
    one.tail = (one.tail + chunk.toString('latin1')).slice(-ANSWER.length);
    if (one.tail !== ANSWER) return;
    one.tail = '';
    one.waiting = false;
    onAnswer();
  });
  return one;
}

/** An agent as pods have it: the program and the options of its image, told of its memory. */
export async function startAgent(dir: string, port: number, upstream: number, queue: string): Promise<ChildProcess> {
  const admin = await freePort();
  const main = await shippedAgent(dir);
  const child = spawn(process.execPath, main, {
    env: {
      PATH: process.env['PATH'],
      ...agentMemory(AGENT_MEMORY_MIB),
      LISTEN_HOST: '127.0.0.1',
      LISTEN_PORT: String(port),
      ADMIN_PORT: String(admin),
      UPSTREAM: `127.0.0.1:${upstream}`,
      SPOOL_DIR: join(dir, 'spool'),
      QUEUE_URL: queue,
      FAIRWAY_MODEL: 'bench',
      FAIRWAY_ENVIRONMENT: 'dev',
      AGENT_NAME: 'agent-bench',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  tieToUs(child, 'SIGKILL');
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return child;
    await sleep(50);
  }
  throw new Error('the agent is not ready');
}
