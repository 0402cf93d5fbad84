/**
 * The model and its callers in one process: callers that go through the agent and callers that go to the model directly, at
 * the same time and the same pace, so that what the machine does to one it does to the other.
 */
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pause } from '@fairway/core';
import type { Order, Report, Shot } from './traffic.ts';

const TARGET = '/v1/models/home-equity:predict';
const CALLERS = 6;
const CONTROLS = 3;
const PACE_MS = 20;
const TIMEOUT_MS = 30_000;
/** As often the waits are read. */
const SAMPLE_MS = 5;

const ANSWER = JSON.stringify({ predictions: [[0.25]] });
const STATUS = JSON.stringify({
  model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
});

let order: Order = { agentPort: 0, agentPid: 0, going: false };
let shots: Shot[] = [];
let controls: Array<readonly [from: number, to: number]> = [];
let waits: Array<Report['waits'][number]> = [];
let late = 0;
const underWay = new Set<Promise<Shot>>();
let serial = 0;

const model = createServer((incoming, response) => {
  const answer = incoming.method === 'POST' ? ANSWER : STATUS;
  incoming.resume().on('end', () => response.writeHead(200, { 'content-length': answer.length }).end(answer));
});
model.keepAliveTimeout = 600_000;
model.listen(0, '127.0.0.1', () => process.send?.({ modelPort: (model.address() as AddressInfo).port }));

process.on('message', (next: Order) => {
  order = next;
  if (!next.going) void report();
});
process.on('disconnect', () => process.exit());

/** Tells everything since the last report, once nothing is under way any more. */
async function report(): Promise<void> {
  await Promise.all(underWay);
  // Whoever waited for them has written them down by then.
  await pause(1);
  const told: Report = { shots, controls, waits };
  process.send?.(told);
  [shots, controls, waits] = [[], [], []];
}

const pool = () => new Agent({ keepAlive: true, maxSockets: 1 });

async function caller(kind: 'agent' | 'control'): Promise<never> {
  const agent = pool();
  for (;;) {
    await pause(PACE_MS * (0.5 + Math.random()));
    if (!order.going) continue;
    const port = kind === 'agent' ? order.agentPort : (model.address() as AddressInfo).port;
    const prediction = predict(agent, port);
    underWay.add(prediction);
    const shot = await prediction;
    underWay.delete(prediction);
    if (kind === 'agent') shots.push(shot);
    else controls.push([shot.from, shot.to]);
  }
}

function predict(agent: Agent, port: number): Promise<Shot> {
  const from = Date.now();
  const serialId = `shot-${process.pid}-${++serial}`;
  return new Promise((resolve) => {
    const done = (id: string, problem?: string) => resolve({ id, from, to: Date.now(), reused, problem });
    let reused = false;
    const outgoing = request(
      { port, host: '127.0.0.1', agent, method: 'POST', path: TARGET, headers: { 'x-request-id': serialId } },
      (response) => {
        const id = String(response.headers['x-fairway-id'] ?? '');
        let text = '';
        response.on('data', (piece: Buffer) => (text += piece.toString('latin1')));
        response.on('error', (error) => done(id, error.message));
        response.on('end', () =>
          done(id, response.statusCode === 200 && text === ANSWER ? undefined : `${response.statusCode} ${text}`),
        );
      },
    );
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', (error) => done('', error.message));
    outgoing.on('socket', () => {
      reused = outgoing.reusedSocket;
    });
    outgoing.end('{"instances":[[1]]}');
  });
}

/**
 * While the machine does not let the agent run it cannot answer, and while it does not let us run we see no answer. Linux tells
 * how long a thread waited for a processor; how late we are ourselves a timer tells anywhere.
 */
async function sample(): Promise<never> {
  for (;;) {
    const before = performance.now();
    await pause(SAMPLE_MS);
    late += Math.max(0, performance.now() - before - SAMPLE_MS);
    if (order.going || underWay.size > 0) waits.push([Date.now(), queued(), late]);
  }
}

function queued(): number {
  try {
    return Number(readFileSync(`/proc/${order.agentPid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    // It is between two lives, or this is no Linux.
    return 0;
  }
}

for (let i = 0; i < CALLERS; i++) void caller('agent');
for (let i = 0; i < CONTROLS; i++) void caller('control');
void sample();
