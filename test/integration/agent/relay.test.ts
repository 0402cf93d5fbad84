import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Breaker } from '../../../packages/log-sidecar/src/proxy/breaker.ts';
import { Listener } from '../../../packages/log-sidecar/src/proxy/listener.ts';
import { type Accept, byBuffer, byEvents, works } from '../../../packages/log-sidecar/src/proxy/reads.ts';
import { Watch } from '../../../packages/log-sidecar/src/proxy/watch.ts';
import { createTally, type Tally } from '../../../packages/log-sidecar/src/tally.ts';
import { freePort } from '../../harness/ports.ts';
import { eventually } from './agent.ts';

const PREDICT = 'POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: 1\r\n\r\nx';
const cleanUp: Array<() => unknown> = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

/** The agent's listener in front of a plain TCP server that does what it is told with each connection. */
async function relaying(
  accept: Accept,
  behaviour: (socket: Socket) => void,
): Promise<{ dial: () => Socket; tally: Tally }> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    behaviour(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await freePort();
  const tally = createTally();
  const capture = { nextId: () => 'id', completed: () => {}, missed: () => {} };
  const clock = { now: Date.now, monotonic: () => performance.now() };
  const parts = { capture, clock, tally, budget: { held: 0, cap: 1e6 } };
  const breaker = new Breaker(clock, tally);
  const listener = new Listener(
    {
      name: 'proxy',
      address: { host: '127.0.0.1', port },
      upstream: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
      graceMs: 100,
    },
    { clock, tally, accept, watch: () => new Watch(parts, breaker) },
  );
  await listener.start();
  cleanUp.push(
    () => server.close(),
    () => listener.stop(),
  );
  return { dial: () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }), tally };
}

/** The names of what happens on a socket until it closes. */
async function events(socket: Socket): Promise<string> {
  const seen: string[] = [];
  socket.on('data', (chunk) => seen.push(chunk.toString()));
  socket.on('end', () => {
    seen.push('end');
    socket.end();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? ''));
  await new Promise((resolve) => socket.once('close', resolve));
  return seen.join(' ');
}

describe.each([
  ['into one buffer', byBuffer],
  ['by events', byEvents],
])('client read %s', (_, accept) => {
  const inFrontOf = (behaviour: (socket: Socket) => void) => relaying(accept, behaviour);

  test('is a way that works here', async () => {
    expect(await works(accept)).toBe(true);
  });

  test('a reset of the model is a reset for the client', async () => {
    const { dial } = await inFrontOf((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const client = dial();
    client.write(PREDICT);
    expect(await events(client)).toBe('ECONNRESET');
  });

  test('a reset of the client is a reset for the model', async () => {
    const seen = new Promise<string>((resolve) => {
      void inFrontOf((socket) => {
        socket.removeAllListeners('error');
        resolve(events(socket));
        socket.once('data', () => client.resetAndDestroy());
      }).then(({ dial }) => {
        client = dial();
        client.write('hello\r\n');
      });
    });
    let client: Socket;
    expect(await seen).toBe('hello\r\n ECONNRESET');
  });

  test('a model that closes at once after its answer never costs the client a byte', async () => {
    const answer = 'HTTP/1.0 200 OK\r\n\r\nall';
    const { dial } = await inFrontOf((socket) => socket.once('data', () => socket.end(answer, () => socket.destroy())));
    for (let i = 0; i < 100; i++) {
      const client = dial();
      client.write(PREDICT);
      expect(await events(client)).toBe('HTTP/1.0 200 OK\r\nx-fairway-id: id\r\n\r\nall end');
    }
  });

  test('half-close goes through either way, and the other half goes on', async () => {
    const { dial } = await inFrontOf((socket) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => socket.end(`got ${text}`));
    });
    const early = dial();
    early.end('all of it');
    expect(await events(early)).toBe('got all of it end');

    const received: string[] = [];
    const late = await inFrontOf((socket) => {
      socket.end('bye');
      socket.on('data', (chunk) => received.push(chunk.toString()));
    });
    const client = late.dial();
    client.resume();
    await once(client, 'end');
    client.end('still here');
    await eventually(async () => received.join('') === 'still here');
  });

  test.each([
    ['client', 'responseBytes'],
    ['model', 'requestBytes'],
  ] as const)('a %s that does not read stops the other side, not the memory', async (slow, count) => {
    const flood = (socket: Socket) => {
      const block = Buffer.alloc(256 * 1024);
      const more = () => {
        while (socket.write(block));
        socket.once('drain', more);
      };
      socket.on('error', () => {});
      more();
    };
    const { dial, tally } = await inFrontOf((socket) => {
      socket.pause();
      if (slow === 'client') flood(socket);
    });
    const client = dial();
    client.pause();
    if (slow === 'model') flood(client);
    let last = -1;
    let still = 0;
    await eventually(async () => {
      still = tally[count] === last && last > 0 ? still + 1 : 0;
      last = tally[count];
      return still > 10;
    });
    // What the kernel's buffers take plus a few chunks of ours: far below what the flood would send.
    expect(last).toBeLessThan(32 * 1024 * 1024);
    client.destroy();
  });

  test('pipelined requests cut at every byte, and bodies of every size, arrive as they were sent', async () => {
    const received: string[] = [];
    const { dial } = await inFrontOf((socket) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('end', () => {
        received.push(text);
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'.repeat(2));
      });
    });
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-fairway-id: id\r\n\r\nok'.repeat(2);
    const [small = '', large = ''] = [1, 66_000].map((length) => {
      const body = Array.from({ length }, (_, i) => String(i % 10)).join('');
      return `POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n${body}`;
    });
    const texts = Array.from({ length: small.length }, () => small + small).concat(large + small, small + large);
    for (const [i, text] of texts.entries()) {
      const cut = i + 1;
      const client = dial();
      client.setNoDelay(true).write(text.slice(0, cut));
      await new Promise(setImmediate);
      client.end(text.slice(cut));
      expect(await events(client)).toBe(`${answer} end`);
      expect(received.at(-1)).toBe(text);
    }
  });
});

test('a way that loses bytes, or waits for ever, does not work', async () => {
  expect(await works((accepted) => accepted.resume())).toBe(false);
  expect(await works((accepted, take) => accepted.on('data', (chunk) => take(chunk.subarray(1))).resume())).toBe(false);
  expect(await works((accepted) => accepted)).toBe(false);
});
