import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import type { Exchange } from '@fairway/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { splitExchange } from '../../../packages/monitor/src/app/split.ts';
import { floats, predictRequest, predictResponse, texts } from '../../harness/grpc/messages.ts';
import { type GrpcServer, startGrpcServer } from '../../harness/grpc/model-server.ts';
import { ask, framed, PREDICT } from '../../harness/grpc/unary.ts';
import { freePort } from '../../harness/ports.ts';
import { type Agent, eventually, spoolFolder, startAgent } from '../agent/agent.ts';
import { type ModelServer, startModelServer } from '../agent/model-server.ts';
import { exchangesOf, type QueueServer, startPostgresQueue } from '../agent/queues.ts';

const MODEL = { name: 'home-equity' };
const ROWS = [
  [{ LOAN: 1100.1, JOB: 'Mgr' }, { P_BAD1: 0.25 }],
  [{ LOAN: 2500, JOB: 'Sales' }, { P_BAD1: 0.75 }],
];
const REQUEST = predictRequest(MODEL, { LOAN: floats([2, 1], [1100.1, 2500]), JOB: texts([2], ['Mgr', 'Sales']) });
const RESPONSE = predictResponse({ ...MODEL, version: 42 }, { P_BAD1: floats([2, 1], [0.25, 0.75]) });
const LARGE = predictRequest(MODEL, { LOAN: floats([500_000, 1], Array<number>(500_000).fill(1)) });

const spool = spoolFolder();
let [rest, queue] = [{} as ModelServer, {} as QueueServer];
let model: GrpcServer;
let agent: Agent;
let client: ClientHttp2Session;

beforeAll(async () => {
  [rest, queue] = [await startModelServer(), await startPostgresQueue()];
  model = await startGrpcServer(({ headers }) =>
    headers['x-do'] === 'refuse'
      ? { kind: 'error', status: 3 }
      : { kind: 'message', body: framed(RESPONSE), pieces: 2 },
  );
  const port = await freePort();
  agent = await startAgent({
    upstream: rest.port,
    queueUrl: queue.url,
    spool: spool.path,
    env: { GRPC_LISTEN_PORT: String(port), GRPC_UPSTREAM: `127.0.0.1:${model.port}`, TRUST_EVENT_TIME: 'true' },
  });
  client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => {});
  await once(client, 'connect');
});
afterAll(async () => {
  client.destroy();
  await agent.end('SIGTERM');
  await model.stop();
  await rest.stop();
  await queue.stop();
  spool.remove();
});

/** The captured exchanges by their correlation ids, once there are so many. */
async function captured(count: number): Promise<ReadonlyMap<string, Exchange>> {
  let found: Exchange[] = [];
  await eventually(async () => {
    found = exchangesOf(await queue.packs());
    return found.length >= count;
  });
  return new Map(found.map((exchange) => [exchange.head.correlationId ?? '', exchange]));
}

test('calls over one connection become rows, with the version that answered', async () => {
  const calls = Array.from(
    { length: 40 },
    (_, i) =>
      ask(client, PREDICT, framed(REQUEST), {
        headers: { 'x-request-id': `call-${i}`, 'x-fairway-time': '2026-01-02T03:04:05Z' },
        pieces: (i % 3) + 1,
      }).told,
  );
  for (const told of await Promise.all(calls)) expect(told).toEqual({ status: 0, body: framed(RESPONSE), closed: 0 });
  const refused = { 'x-do': 'refuse', 'x-request-id': 'refused' };
  expect((await ask(client, PREDICT, framed(REQUEST), { headers: refused }).told).status).toBe(3);
  const zipped = { 'grpc-encoding': 'gzip', 'x-request-id': 'zipped' };
  await ask(client, PREDICT, framed(gzipSync(REQUEST), true), { headers: zipped }).told;
  await ask(client, PREDICT, framed(LARGE), { headers: { 'x-request-id': 'large' }, pieces: 7 }).told;
  await ask(client, PREDICT.replace('/Predict', '/GetModelMetadata'), framed(REQUEST)).told;
  expect(model.asked.at(-2)?.body.equals(framed(LARGE))).toBe(true);

  const found = await captured(43);
  expect(found.size).toBe(43);
  const plain = { model: 'home-equity', version: '42', versionSource: 'answer', status: 200, grpcStatus: 0 };
  for (let i = 0; i < 40; i++) {
    const one = found.get(`call-${i}`) as Exchange;
    expect(one.head).toMatchObject({ ...plain, protocol: 'grpc', target: PREDICT, time: '2026-01-02T03:04:05.000Z' });
    expect(Buffer.from(one.request).equals(Buffer.from(REQUEST))).toBe(true);
    const split = splitExchange(one, undefined);
    expect('records' in split && split.records.map(({ inputs, outputs }) => [inputs, outputs])).toEqual(ROWS);
  }
  expect(found.get('refused')?.head).toMatchObject({ status: 400, grpcStatus: 3, outcome: 'complete' });
  expect(found.get('zipped')?.head).toMatchObject({ ...plain, requestEncoding: 'gzip' });
  expect(splitExchange(found.get('zipped') as Exchange, undefined)).toMatchObject({ records: [{}, {}] });
  expect(found.get('large')?.head).toMatchObject({ ...plain, truncated: true, requestLength: LARGE.length });
  expect(found.get('large')?.request).toHaveLength(1024 * 1024);
});

test('the account is even, and what was no prediction is counted', async () => {
  await expect.poll(() => agent.account()).toMatchObject({ captured: 43, sent: 43, inSpool: 0, dropped: {} });
  const metrics = await agent.metrics();
  expect(metrics).toMatch(/fairway_agent_requests_total\{route="inference"\} 43\n/);
  expect(metrics).toMatch(/fairway_agent_requests_total\{route="metadata"\} 1\n/);
});
