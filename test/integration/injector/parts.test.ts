import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { systemClock, silentLogger } from '@fairway/core';
import { build } from 'esbuild';
import { afterEach, expect, it } from 'vitest';
import { certificates } from '../../../packages/log-sidecar/src/injector/certificates.ts';
import { tlsServer } from '../../../packages/log-sidecar/src/injector/servers.ts';
import { answerWebhook } from '../../../packages/log-sidecar/src/injector/webhook.ts';
import { freePort } from '../../harness/ports.ts';
import { secretFolder } from './injector.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const surroundings = {
  template: { image: 'fairway/agent@sha256:1', queueSecret: 'fairway-queue' },
  minor: 33,
  sidecar: 'auto' as const,
};

it('a peer that does not go on is let go: in the handshake, the head and the body', async () => {
  const folder = secretFolder();
  ends.push(folder.remove);
  const { certificate: ca, key } = folder.identity();
  folder.put({ certificate: ca, key });
  const pair = { cert: folder.cert, key: folder.key, everyMs: 60_000 };
  const keys = certificates(pair, { clock: systemClock, log: silentLogger, told: () => {} });
  const webhook = {
    surroundings: () => surroundings,
    reviewed: () => {},
    monotonic: () => 0,
    log: silentLogger,
    mostBytes: 1000,
  };
  const port = await freePort();
  const limits = { handshakeMs: 200, headMs: 200, requestMs: 300, graceMs: 100 };
  const server = tlsServer({ host: '127.0.0.1', port }, keys, limits, (request, response) => {
    void answerWebhook(webhook, request, response);
  });
  await keys.start();
  ends.push(() => keys.stop());
  await server.start();
  ends.push(() => server.stop());

  const silent = connectTcp(port, '127.0.0.1');
  silent.on('error', () => {});
  await once(silent, 'close');
  for (const part of [
    'POST /inject HT',
    'POST /inject HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  ]) {
    const socket = connect({ host: '127.0.0.1', port, ca });
    let answer = '';
    socket.on('data', (text) => (answer += text)).on('error', () => {});
    await once(socket, 'secureConnect');
    socket.write(part);
    await once(socket, 'close');
    expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
  }
});

const bundled = async (entry: string) => {
  const path = fileURLToPath(new URL(`../../../packages/log-sidecar/src/${entry}`, import.meta.url));
  const { metafile } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
};

it("the agent's bundle has nothing of the injector, nor the injector's of queue and proxy", async () => {
  expect((await bundled('main.ts')).filter((name) => name.includes('/injector/'))).toEqual([]);
  const inputs = await bundled('injector-main.ts');
  expect(inputs.some((name) => name.endsWith('/injector/inject.ts'))).toBe(true);
  expect(inputs.filter((name) => /bullmq|ioredis|src\/(proxy|pump|spool|capture)\//.test(name))).toEqual([]);
});
