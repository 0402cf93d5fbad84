import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Exchange } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Agent, eventually, spoolFolder, startAgent } from '../agent/agent.ts';
import { type ModelServer, startModelServer } from '../agent/model-server.ts';
import { exchangesOf, type QueueServer, startPostgresQueue } from '../agent/queues.ts';

const TARGET = '/v1/models/home-equity:predict';
const PATIENCE_MS = 60_000;
const run = promisify(execFile);
const found = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const [hasCurl, hasWrk] = [found('curl'), found('wrk')];
for (const [name, there] of [['curl', hasCurl] as const, ['wrk', hasWrk] as const]) {
  if (!there) console.log(`${name}: skipped, it is not installed on this machine.`);
}

const spool = spoolFolder();
const folder = mkdtempSync(join(tmpdir(), 'fairway-clients-'));
let model: ModelServer;
let queue: QueueServer;
let agent: Agent;

beforeAll(async () => {
  [model, queue] = [await startModelServer(), await startPostgresQueue()];
  agent = await startAgent({ upstream: model.port, queueUrl: queue.url, spool: spool.path });
});
afterAll(async () => {
  await agent.end('SIGTERM');
  await model.stop();
  await queue.stop();
  spool.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** What the queue holds with these correlation ids, in the order in which they were asked for. */
async function captured(ids: readonly string[], count = ids.length): Promise<Exchange[]> {
  let all: Exchange[] = [];
  await eventually(async () => {
    const there = exchangesOf(await queue.packs());
    all = ids.flatMap((id) => there.filter(({ head }) => head.correlationId === id));
    return all.length >= count;
  }, PATIENCE_MS);
  return all;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i}`);
const bodyOf = (id: string) => JSON.stringify({ instances: [[id, 'x'.repeat(id.length * 37)]] });

type Got = { readonly status: number; readonly headers: object; readonly body: string; readonly reused?: boolean };

const withoutId = (headers: IncomingHttpHeaders | Record<string, string>): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'x-fairway-id'));

function byHttp(connections: HttpAgent, port: number, id: string): Promise<Got> {
  const headers = { 'x-request-id': id, 'x-do': id.endsWith('3') ? 'chunked' : 'echo' };
  return new Promise((resolve, reject) => {
    const asked = request({ port, agent: connections, method: 'POST', path: TARGET, headers }, (answer) => {
      let body = '';
      answer.on('data', (piece: Buffer) => (body += piece.toString('latin1')));
      const { statusCode = 0, headers: told } = answer;
      const { reusedSocket: reused } = asked;
      answer.on('end', () => resolve({ status: statusCode, headers: withoutId(told), body, reused }));
    });
    asked.on('error', reject);
    asked.end(bodyOf(id));
  });
}

async function byFetch(port: number, id: string): Promise<Got> {
  const headers = { 'x-request-id': id, 'x-do': id.endsWith('3') ? 'chunked' : 'echo' };
  const answer = await fetch(`http://127.0.0.1:${port}${TARGET}`, { method: 'POST', body: bodyOf(id), headers });
  const { status } = answer;
  return { status, headers: withoutId(Object.fromEntries(answer.headers)), body: await answer.text() };
}

test('node:http with keep-alive: the same answers as from the model, over one connection, all captured', async () => {
  const ids = numbered('node-http', 20);
  const answersOf = async (port: number) => {
    const connections = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    const all: Got[] = [];
    for (const id of ids) all.push(await byHttp(connections, port, id));
    connections.destroy();
    return all;
  };
  const direct = await answersOf(model.port);
  expect(await answersOf(agent.port)).toEqual(direct);
  expect(direct.map(({ reused }) => reused)).toEqual(ids.map((_, i) => i > 0));
  const exchanges = await captured(ids);
  expect(exchanges.map(({ request: body }) => text(body))).toEqual(ids.map(bodyOf));
  expect(exchanges.map(({ response }) => text(response))).toEqual(direct.map(({ body }) => body));
});

test(`undici ${process.versions['undici']} (fetch), many at once: the same answers as from the model, all captured`, async () => {
  const ids = numbered('undici', 40);
  const direct = await Promise.all(ids.map((id) => byFetch(model.port, id)));
  const through = await Promise.all(ids.map((id) => byFetch(agent.port, id)));
  expect(through).toEqual(direct);
  const exchanges = await captured(ids);
  expect(exchanges.map(({ request: body }) => text(body))).toEqual(ids.map(bodyOf));
  expect(exchanges.map(({ response }) => text(response))).toEqual(direct.map(({ body }) => body));
});

const LARGE = Buffer.from(JSON.stringify({ instances: [Array.from({ length: 40_000 }, (_, i) => i / 8)] }));
const SMALL = Buffer.from('{"instances":[[1.5]]}');
const file = (name: string, bytes: Buffer): string => {
  writeFileSync(join(folder, name), bytes);
  return `@${join(folder, name)}`;
};

/** How curl is told to send, what it sends, and how often it asks. */
const CURL: Record<string, { args: readonly string[]; body: Buffer; times?: number }> = {
  'HTTP/1.0': { args: ['--http1.0'], body: SMALL },
  'HTTP/1.1 over one connection': { args: ['--http1.1'], body: SMALL, times: 5 },
  'an attempt to upgrade to HTTP/2': { args: ['--http2'], body: SMALL },
  'a chunked upload': { args: ['-H', 'Transfer-Encoding: chunked'], body: LARGE },
  'Expect: 100-continue and a large body': { args: ['-H', 'Expect: 100-continue'], body: LARGE },
  'a gzipped request': { args: ['-H', 'Content-Encoding: gzip'], body: gzipSync(LARGE) },
  'a chunked answer': { args: ['-H', 'x-do: chunked'], body: SMALL },
  'an answer that ends with the connection': { args: ['-H', 'x-do: until-close'], body: SMALL },
};

/** Codes that curl ends with. */
const [HTTP2_ERROR, NO_ANSWER, SEND_ERROR, RECEIVE_ERROR] = [16, 52, 55, 56];

describe.skipIf(!hasCurl)('curl (skipped where it is not installed)', () => {
  const bytesFrom = async (port: number, args: readonly string[], times = 1): Promise<string> => {
    const urls = Array.from({ length: times }, () => `http://127.0.0.1:${port}${TARGET}`);
    const { stdout } = await run('curl', ['-s', '-S', '-i', '--raw', '--max-time', '60', ...args, ...urls], {
      encoding: 'latin1',
      maxBuffer: 2 ** 26,
    });
    return stdout.replaceAll(/x-fairway-id: [0-9a-f]{32}\r\n/g, '');
  };

  test.each(Object.entries(CURL))('%s', async (name, { args, body, times = 1 }) => {
    const id = `curl-${name.replaceAll(/\W+/g, '-')}`;
    const own = args.some((arg) => arg.startsWith('x-do')) ? [] : ['-H', 'x-do: echo'];
    const all = [...args, ...own, '-H', `x-request-id: ${id}`, '--data-binary', file(id, body)];
    const direct = await bytesFrom(model.port, all, times);
    expect(direct).toContain('200 OK');
    expect(await bytesFrom(agent.port, all, times)).toBe(direct);
    const exchanges = await captured([id], times);
    expect(exchanges).toHaveLength(times);
    for (const { head, request: asked } of exchanges) {
      expect(head).toMatchObject({ status: 200, outcome: 'complete', requestLength: body.length });
      expect(Buffer.from(asked).equals(body)).toBe(true);
    }
  });

  test('HTTP/2 from the first byte: what the model makes of it, and counted as uncaptured', async () => {
    const unframed = async () => (await agent.metrics()).match(/fairway_agent_unframed_total\{.*\} \d+/g) ?? [];
    const ask = (port: number) =>
      run('curl', ['-s', '-i', '--max-time', '60', '--http2-prior-knowledge', `http://127.0.0.1:${port}/`]).then(
        () => 0,
        ({ code }: { code: number }) => code,
      );
    const before = await unframed();
    // The model answers 400 and hangs up: whether curl notices while it sends or while it reads is chance.
    const refused = [HTTP2_ERROR, NO_ANSWER, SEND_ERROR, RECEIVE_ERROR];
    expect(refused).toContain(await ask(model.port));
    expect(refused).toContain(await ask(agent.port));
    await eventually(async () => (await unframed()).join() !== before.join(), PATIENCE_MS);
  });
});

test.skipIf(!hasWrk)(
  'wrk: no error, and every answer is counted as captured (skipped where it is not installed)',
  async () => {
    const script = join(folder, 'post.lua');
    writeFileSync(script, 'wrk.method = "POST"\nwrk.body = "{\\"instances\\":[[1]]}"\n');
    const connections = 8;
    const before = await agent.account();
    const url = `http://127.0.0.1:${agent.port}${TARGET}`;
    const { stdout } = await run('wrk', ['-t1', `-c${connections}`, '-d1s', '--timeout', '60s', '-s', script, url]);
    const answered = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
    // At its end wrk leaves what is under way: those exchanges are captured too, as given up by their client.
    await eventually(async () => (await agent.account()).captured - before.captured >= answered, PATIENCE_MS);
    const after = await agent.account();
    expect(after.captured - before.captured).toBeLessThanOrEqual(answered + connections);
    await eventually(async () => (await agent.account()).sent === (await agent.account()).captured, PATIENCE_MS);
    expect(after.dropped).toEqual(before.dropped);
  },
);
