import { once } from 'node:events';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { Exchange } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../harness/ports.ts';
import { type Agent, eventually, spoolFolder, startAgent } from './agent.ts';
import { type ModelServer, startModelServer } from './model-server.ts';
import { exchangesOf, type QueueServer, startPostgresQueue } from './queues.ts';

const TARGET = '/v1/models/home-equity:predict';
const spool = spoolFolder();
let model: ModelServer;
let queue: QueueServer;
let agent: Agent;

beforeAll(async () => {
  [model, queue] = [await startModelServer(), await startPostgresQueue()];
  agent = await startAgent({
    upstream: model.port,
    queueUrl: queue.url,
    spool: spool.path,
    env: { TRUST_EVENT_TIME: 'true' },
  });
});
afterAll(async () => {
  await agent.end('SIGTERM');
  await model.stop();
  await queue.stop();
  spool.remove();
});

/** Sends raw bytes, half-closes if asked, and reads until the other side ends. */
async function raw(port: number, bytes: string, halfClose = true): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.write(bytes, 'latin1');
  if (halfClose) socket.end();
  await once(socket, 'end');
  socket.destroy();
  return text;
}

/** What the queue holds for a correlation id, once it is there. */
async function captured(correlationId: string): Promise<Exchange> {
  let found: Exchange | undefined;
  await eventually(async () => {
    found = exchangesOf(await queue.packs()).find(({ head }) => head.correlationId === correlationId);
    return found !== undefined;
  });
  return found as Exchange;
}

const withoutIds = (text: string) => text.replaceAll(/x-fairway-id: [0-9a-f]{32}\r\n/g, '');
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

function post(body: string, head = '', target = TARGET): string {
  return `POST ${target} HTTP/1.1\r\nHost: x\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

describe('the caller gets the bytes of the model', () => {
  test.each([
    ['one prediction', post('{"instances":[1]}'), 1],
    [
      'pipelined with a status call',
      `${post('a')}GET /v1/models/home-equity HTTP/1.1\r\nHost: x\r\n\r\n${post('b')}`,
      2,
    ],
    [
      'chunked request',
      `POST ${TARGET} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
      1,
    ],
    ['chunked answer', post('a', 'x-do: chunked\r\n'), 1],
    ['answer until the end', post('a', 'x-do: until-close\r\n'), 1],
    ['refused by the model', post('a', 'x-do: refuse\r\n'), 1],
    ['HTTP/1.0', `POST ${TARGET} HTTP/1.0\r\nContent-Length: 1\r\n\r\na`, 1],
    ['no route of a model', 'POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na', 0],
    ['no HTTP', 'hello\r\n\r\n', 0],
  ])('%s', async (_, bytes, ids) => {
    const direct = await raw(model.port, bytes);
    const through = await raw(agent.port, bytes);
    expect(withoutIds(through)).toBe(direct);
    expect(through.match(/x-fairway-id/g)?.length ?? 0).toBe(ids);
  });

  test('100-continue', async () => {
    const request = httpRequest(`${agent.url}${TARGET}`, {
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': 3 },
    });
    request.flushHeaders();
    await once(request, 'continue');
    request.end('abc');
    const [response] = await once(request, 'response');
    expect(response.headers['x-fairway-id']).toMatch(/^[0-9a-f]{32}$/);
    response.resume();
  });

  test('large bodies, also to a slow reader', async () => {
    const body = Buffer.alloc(5_000_000, 'ab');
    const head = `POST ${TARGET} HTTP/1.1\r\nHost: x\r\nx-do: echo\r\nx-request-id: large\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect({ port: agent.port, host: '127.0.0.1' });
    socket.write(head);
    socket.write(body);
    const pieces: Buffer[] = [];
    for await (const piece of socket) {
      pieces.push(piece as Buffer);
      if (pieces.length % 8 === 0) await new Promise(setImmediate);
    }
    const answer = Buffer.concat(pieces);
    expect(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(body)).toBe(true);
    const { head: exchange, request } = await captured('large');
    expect(exchange).toMatchObject({
      truncated: true,
      requestLength: 5_000_000,
      responseLength: 5_000_000,
      status: 200,
    });
    expect(request.length).toBe(1024 * 1024);
  });

  test('connections are kept alive', async () => {
    const keepAlive = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const ids = new Set<unknown>();
    for (let i = 0; i < 5; i++) {
      const request = httpRequest(`${agent.url}${TARGET}`, { method: 'POST', agent: keepAlive });
      request.end('x');
      const [response] = await once(request, 'response');
      ports.add(request.socket?.localPort);
      ids.add(response.headers['x-fairway-id']);
      response.resume();
      await once(response, 'end');
    }
    keepAlive.destroy();
    expect([ports.size, ids.size]).toEqual([1, 5]);
  });
});

describe('what is captured', () => {
  test('bytes, version, business time and correlation id', async () => {
    const body = '{"instances":[NaN]}';
    const answer = await raw(
      agent.port,
      post(body, 'x-request-id: full\r\nx-fairway-time: 2025-03-01T12:00:00+01:00\r\nContent-Encoding: identity\r\n'),
    );
    const { head, request, response } = await captured('full');
    expect(head).toMatchObject({
      id: /x-fairway-id: ([0-9a-f]{32})\r\n\r\n/.exec(answer)?.[1],
      time: '2025-03-01T11:00:00.000Z',
      model: 'home-equity',
      version: '1',
      versionSource: 'status',
      environment: 'dev',
      method: 'POST',
      target: TARGET,
      status: 200,
      outcome: 'complete',
      requestEncoding: 'identity',
    });
    expect(text(request)).toBe(body);
    expect(text(response)).toBe(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    expect(head.latencyMs).toBeGreaterThan(0);
  });

  test('a version in the URL is the version', async () => {
    await raw(agent.port, post('x', 'x-request-id: pinned\r\n', '/v1/models/home-equity/versions/42:predict'));
    expect((await captured('pinned')).head).toMatchObject({ version: '42', versionSource: 'url' });
  });

  test('two available versions make the answer ambiguous', async () => {
    model.versions = ['1', '2'];
    await eventually(async () => {
      const id = `ambiguous-${performance.now()}`;
      await raw(agent.port, post('x', `x-request-id: ${id}\r\n`));
      const { head } = await captured(id);
      return head.versionSource === 'ambiguous' && head.version === '2';
    });
    model.versions = ['1'];
  });

  test('a label in the URL is the version that it stands for, whatever else is available', async () => {
    model.versions = ['1', '2'];
    model.labels.set('stable', '1');
    await eventually(async () => {
      const id = `label-${performance.now()}`;
      await raw(agent.port, post('x', `x-request-id: ${id}\r\n`, '/v1/models/home-equity/labels/stable:predict'));
      const { head } = await captured(id);
      return head.versionSource === 'label' && head.version === '1';
    });
    model.versions = ['1'];
  });

  test('a client that leaves, and a model that breaks off', async () => {
    const seen = async () => /requests_total\{route="inference"\} (\d+)/.exec(await agent.metrics())?.[1];
    const before = await seen();
    const socket = connect({ port: agent.port, host: '127.0.0.1' });
    socket.write(post('x', 'x-request-id: left\r\nx-do: hang\r\n'));
    await eventually(async () => (await seen()) !== before);
    socket.resetAndDestroy();
    expect((await captured('left')).head).toMatchObject({ outcome: 'client_aborted', status: 0 });
    const broken = connect({ port: agent.port, host: '127.0.0.1' });
    broken.resume();
    broken.on('error', () => {});
    broken.write(post('x', 'x-request-id: broken\r\nx-do: break\r\n'));
    await new Promise((resolve) => broken.once('close', resolve));
    expect((await captured('broken')).head).toMatchObject({ outcome: 'upstream_aborted', status: 200 });
  });

  test('everything adds up, and other calls are only counted', async () => {
    await fetch(`${agent.url}/v1/models/home-equity`);
    await eventually(async () => {
      const { captured, sent, inSpool, dropped } = await agent.account();
      expect(dropped).toEqual({});
      return inSpool === 0 && captured === sent && captured > 0;
    });
    const metrics = await agent.metrics();
    expect(metrics).toMatch(/fairway_agent_requests_total\{route="status"\} [1-9]/);
    expect(metrics).toMatch(/fairway_agent_unframed_total\{reason="malformed"\} 1/);
    expect(metrics).toMatch(/fairway_agent_queue_up 1/);
    const { captured } = await agent.account();
    const ids = exchangesOf(await queue.packs()).map(({ head }) => head.id);
    expect(new Set(ids).size).toBe(captured);
    expect(ids.length).toBe(captured);
  });
});

test('a model server that is down looks down, and the agent lives on', async () => {
  const folder = spoolFolder();
  const port = await freePort();
  const lonely = await startAgent({ upstream: port, queueUrl: queue.url, spool: folder.path });
  await expect(fetch(`${lonely.url}${TARGET}`, { method: 'POST', body: 'x' })).rejects.toThrow();
  const late = await startModelServer(port);
  expect(
    (await fetch(`${lonely.url}${TARGET}`, { method: 'POST', body: 'x', headers: { 'x-request-id': 'late' } })).status,
  ).toBe(200);
  expect((await captured('late')).head).toMatchObject({ version: '1', versionSource: 'status' });
  expect(await lonely.end('SIGTERM')).toBe(0);
  await late.stop();
  folder.remove();
});
