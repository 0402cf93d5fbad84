import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../harness/ports.ts';
import { type Agent, eventually, spoolFolder, startAgent } from './agent.ts';
import { exchangesOf, type QueueServer, startPostgresQueue } from './queues.ts';

const TARGET = '/v1/models/home-equity:predict';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';

/** A step of either side: bytes that it sends, bytes that it waits for, a pause in ms, its end or a reset. */
type Step = { readonly send: string } | { readonly until: string } | { readonly ms: number } | 'end' | 'reset';
type Script = { readonly client: readonly Step[]; readonly model: readonly Step[] };

const ask = (id: string, head = '', body = '{}') =>
  `POST ${TARGET} HTTP/1.1\r\nHost: m\r\nx-request-id: ${id}\r\n${head || `Content-Length: ${body.length}\r\n`}\r\n${body}`;
const send = (text: string): Step => ({ send: text });
const until = (text: string): Step => ({ until: text });
/** In pieces of one byte, so that nobody sees a whole head at once. */
const dribbled = (text: string): Step[] => Array.from(text).flatMap((byte) => [send(byte), { ms: 1 }]);

/** What the record of a conversation's call says; undefined: it is not recorded. */
type Recorded = { readonly status: number; readonly outcome: string } | undefined;
const complete = (status = 200) => ({ status, outcome: 'complete' });

const SCRIPTS: Record<string, Script & { readonly recorded: Recorded }> = {
  'an upgrade, and what both say afterwards': {
    client: [
      send(ask('upgrade', 'Connection: Upgrade\r\nUpgrade: x\r\n', '')),
      until('101'),
      send('\x00ping'),
      until('pong'),
    ],
    model: [
      until('\r\n\r\n'),
      send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
      until('ping'),
      send('\xffpong'),
      'end',
    ],
    recorded: undefined,
  },
  'trailers both ways': {
    client: [
      send(ask('trailers', 'Transfer-Encoding: chunked\r\nTrailer: A\r\n', '2;e=1\r\n{}\r\n0\r\nA: 1\r\n\r\n')),
      until('B: 2'),
      'end',
    ],
    model: [
      until('A: 1\r\n\r\n'),
      send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: B\r\n\r\n2\r\n{}\r\n0\r\nB: 2\r\n\r\n'),
      'end',
    ],
    recorded: complete(),
  },
  'early hints before the answer': {
    client: [send(ask('hints')), until('200 OK'), 'end'],
    model: [until('{}'), send(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n`), { ms: 20 }, send(OK), 'end'],
    recorded: complete(),
  },
  '100-continue that is refused before the body came': {
    client: [send(ask('refused', 'Expect: 100-continue\r\nContent-Length: 2\r\n', '')), until('417'), 'end'],
    model: [
      until('\r\n\r\n'),
      send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
      'end',
    ],
    recorded: complete(417),
  },
  'an answer before the request is whole': {
    client: [send(ask('early', 'Content-Length: 9\r\n', '{"a"')), until('400'), send(':1234'), 'end'],
    model: [until('{"a"'), send('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}'), until(':1234'), 'end'],
    recorded: complete(400),
  },
  'three calls at once, answered one by one': {
    client: [send(ask('piped').repeat(3)), until('[]'), 'end'],
    model: [until('{}'), send(OK), { ms: 20 }, send(OK), { ms: 20 }, send(OK.replace('{}', '[]')), 'end'],
    recorded: complete(),
  },
  'byte by byte both ways': {
    client: [...dribbled(ask('dribbled')), until('{}'), 'end'],
    model: [until('{}'), ...dribbled(OK), 'end'],
    recorded: complete(),
  },
  'HTTP/1.0 to the end of the connection, after a half-close': {
    client: [send(ask('old').replace('HTTP/1.1', 'HTTP/1.0')), 'end', until('{"all"}')],
    model: [until('{}'), { ms: 20 }, send('HTTP/1.0 200 OK\r\n\r\n{"all"}'), 'end'],
    recorded: complete(),
  },
  'a model that answers after a while': {
    client: [send(ask('slow')), until('{}'), 'end'],
    model: [until('{}'), { ms: 700 }, send(OK), 'end'],
    recorded: complete(),
  },
  'a model that ends in the middle of its head': {
    client: [send(ask('half-head')), until('200')],
    model: [until('{}'), send('HTTP/1.1 200 OK\r\nContent-Le'), 'end'],
    recorded: { status: 0, outcome: 'upstream_aborted' },
  },
  'a model that ends in the middle of its body': {
    client: [send(ask('half-body')), until('half')],
    model: [until('{}'), send('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'), 'end'],
    recorded: { status: 200, outcome: 'upstream_aborted' },
  },
  'a model that is reset in the middle of its body': {
    client: [send(ask('reset')), until('half')],
    model: [until('{}'), send('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'), { ms: 100 }, 'reset'],
    recorded: { status: 200, outcome: 'upstream_aborted' },
  },
  'a model that ends without a word': {
    client: [send(ask('silent'))],
    model: [until('{}'), 'end'],
    recorded: { status: 0, outcome: 'upstream_aborted' },
  },
};

/** Plays one side; resolves once its steps are done. */
async function play(socket: Socket, steps: readonly Step[], heard: () => string): Promise<void> {
  for (const step of steps) {
    if (step === 'end') socket.end();
    else if (step === 'reset') socket.resetAndDestroy();
    else if ('send' in step) socket.write(step.send, 'latin1');
    else if ('ms' in step) await sleep(step.ms);
    else await eventually(async () => heard().includes(step.until), 15_000);
  }
}

/** All that a socket hears, and how it ended for it. */
function listenTo(socket: Socket): { text: () => string; ended: Promise<string> } {
  let text = '';
  let last = 'closed';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('end', () => (last = 'end'));
  socket.on('error', (error: NodeJS.ErrnoException) => (last = error.code ?? 'error'));
  return { text: () => text, ended: new Promise((resolve) => socket.once('close', () => resolve(last))) };
}

let script: readonly Step[] = [];
const heardByModel: string[] = [];
const spool = spoolFolder();
let server: Server;
let queue: QueueServer;
let agent: Agent;

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    const { text, ended } = listenTo(socket);
    // The agent asks the model server for its versions as well.
    const isStatus = () => text().startsWith('GET ');
    void eventually(async () => text().length > 4)
      .then(() =>
        isStatus()
          ? void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
          : play(socket, script, text),
      )
      .catch(() => socket.destroy());
    void ended.then(() => isStatus() || heardByModel.push(text()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  queue = await startPostgresQueue();
  const upstream = (server.address() as AddressInfo).port;
  agent = await startAgent({ upstream, queueUrl: queue.url, spool: spool.path });
});
afterAll(async () => {
  await agent.end('SIGTERM');
  server.close();
  await queue.stop();
  spool.remove();
});

/** What each side of a conversation hears, and how it ends for the client. */
async function held(port: number, { client, model }: Script): Promise<{ told: string; ended: string; asked: string }> {
  script = model;
  heardByModel.length = 0;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const { text, ended } = listenTo(socket);
  socket.on('end', () => socket.end());
  await once(socket, 'connect');
  await play(socket, client, text);
  const how = await ended;
  await eventually(async () => heardByModel.length > 0);
  return { told: text(), ended: how, asked: heardByModel[0] ?? '' };
}

const withoutIds = (text: string) => text.replaceAll(/x-fairway-id: [0-9a-f]{32}\r\n/g, '');

test.each(Object.entries(SCRIPTS))('%s: both hear and see what they would without us', async (_, one) => {
  const direct = await held((server.address() as AddressInfo).port, one);
  const { told, ended, asked } = await held(agent.port, one);
  expect({ told: withoutIds(told), ended, asked }).toEqual(direct);
});

test('each call is recorded as what it was; what is not understood is counted', async () => {
  await eventually(async () => {
    const { captured, sent, inSpool, dropped } = await agent.account();
    expect(Object.keys(dropped)).toEqual(['unframed']);
    return inSpool === 0 && captured === sent + (dropped.unframed ?? 0);
  });
  const heads = exchangesOf(await queue.packs()).map(({ head }) => head);
  // The last ones: a test that is tried again says its words again.
  const of = (id: string, calls: number) => heads.filter(({ correlationId }) => correlationId === id).slice(-calls);
  for (const { client, recorded } of Object.values(SCRIPTS)) {
    const asked = client.map((step) => (typeof step === 'object' && 'send' in step ? step.send : '')).join('');
    const id = /x-request-id: (\S+)/.exec(asked)?.[1] ?? '';
    const calls = recorded === undefined ? 0 : asked.split('POST ').length - 1;
    expect([id, of(id, calls)]).toEqual([id, Array.from({ length: calls }, () => expect.objectContaining(recorded))]);
  }
  expect(await agent.metrics()).toMatch(/fairway_agent_unframed_total\{reason="upgrade"\} [1-9]/);
});

test('a model that takes no connections: the caller is cut off at once, however it asks', async () => {
  const folder = spoolFolder();
  const lonely = await startAgent({ upstream: await freePort(), queueUrl: queue.url, spool: folder.path });
  for (const words of [ask('nobody'), 'GET / HTTP/1.1\r\n\r\n', '']) {
    const socket = connect({ port: lonely.port, host: '127.0.0.1', allowHalfOpen: true });
    const { text, ended } = listenTo(socket);
    if (words !== '') socket.write(words);
    expect([await ended, text()]).toEqual([expect.stringMatching(/ECONNRESET|EPIPE/), '']);
  }
  expect(await lonely.end('SIGTERM')).toBe(0);
  folder.remove();
});
