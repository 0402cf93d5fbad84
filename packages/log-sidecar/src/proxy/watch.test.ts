import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentClock, Capture, DropReason, RawExchange, SeenExchange } from '../ports.ts';
import { createTally, type Tally } from '../tally.ts';
import { Breaker } from './breaker.ts';
import { HEAD_CAP } from './head.ts';
import { joined } from './tape.ts';
import { Watch } from './watch.ts';

type Seen = { exchanges: RawExchange[]; missed: DropReason[]; tally: Tally; forwarded: string; watch: Watch };
type Case = { name: string; requests: string; answers: string; seen: string[]; ends?: boolean };

const predict = (body: string, head = '') =>
  `POST /v1/models/m:predict HTTP/1.1\r\nHost: x\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
const answer = (body: string, status = '200 OK', head = '') =>
  `HTTP/1.1 ${status}\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;

/** `request|status|response` of each exchange that must be captured. */
const CORPUS: Case[] = [
  { name: 'one', requests: predict('{"a":1}'), answers: answer('{"p":2}'), seen: ['{"a":1}|200|{"p":2}'] },
  {
    name: 'two on one connection',
    requests: predict('one') + predict('two'),
    answers: answer('ONE') + answer('TWO'),
    seen: ['one|200|ONE', 'two|200|TWO'],
  },
  {
    name: 'status call between predictions',
    requests: `${predict('one')}GET /v1/models/m HTTP/1.1\r\nHost: x\r\n\r\n${predict('two')}`,
    answers: answer('ONE') + answer('{"model_version_status":[]}') + answer('TWO'),
    seen: ['one|200|ONE', 'two|200|TWO'],
  },
  {
    name: 'chunked both ways, with extension and trailer',
    requests:
      'POST /v1/models/m/versions/7:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x="y"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n',
    answers: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n',
    seen: ['abc0123456789|200|xy'],
  },
  {
    name: '100-continue',
    requests: predict('abc', 'Expect: 100-continue\r\n'),
    answers: `HTTP/1.1 100 Continue\r\n\r\n${answer('ok')}`,
    seen: ['abc|200|ok'],
  },
  { name: 'no body, no header', requests: predict(''), answers: 'HTTP/1.1 204\r\n\r\n', seen: ['|204|'] },
  {
    name: 'HEAD answer has a length and no body',
    requests: `HEAD /v1/models/m HTTP/1.1\r\n\r\n${predict('x')}`,
    answers: `HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n${answer('y')}`,
    seen: ['x|200|y'],
  },
  {
    name: 'not modified has a length and no body',
    requests: predict('x') + predict('z'),
    answers: `HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n${answer('y')}`,
    seen: ['x|304|', 'z|200|y'],
  },
  {
    name: 'answer until the connection ends',
    requests: predict('x'),
    answers: 'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall of this',
    seen: ['x|200|all of this'],
    ends: true,
  },
  {
    name: 'error answer',
    requests: predict('bad'),
    answers: answer('{"error":"no"}', '400 Bad Request'),
    seen: ['bad|400|{"error":"no"}'],
  },
  {
    name: 'Upgrade that the server ignores',
    requests: predict('x', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'),
    answers: answer('y'),
    seen: ['x|200|y'],
  },
  {
    name: 'body full of head ends',
    requests: predict('\r\n\r\n\r\n\r'),
    answers: answer('\r\n\r\nHTTP/1.1 200\r\n\r\n'),
    seen: ['\r\n\r\n\r\n\r|200|\r\n\r\nHTTP/1.1 200\r\n\r\n'],
  },
  {
    name: 'regress and classify',
    requests: predict('r').replace('predict', 'regress') + predict('c').replace('predict', 'CLASSIFY'),
    answers: answer('1') + answer('2'),
    seen: ['r|200|1', 'c|200|2'],
  },
];

function setUp(capture: Partial<Capture> = {}): Seen {
  const tally = createTally();
  const exchanges: RawExchange[] = [];
  const missed: DropReason[] = [];
  let now = 0;
  let id = 0;
  const clock: AgentClock = { now: () => ++now, monotonic: () => ++now };
  const parts = {
    clock,
    tally,
    budget: { held: 0, cap: 1e9 },
    capture: {
      nextId: () => `id${id++}`,
      completed: ({ request, response, ...rest }: SeenExchange) =>
        void exchanges.push({ ...rest, request: joined(request), response: joined(response) }),
      missed: (reason: DropReason) => void missed.push(reason),
      ...capture,
    },
  };
  return { exchanges, missed, tally, forwarded: '', watch: new Watch(parts, new Breaker(clock, tally)) };
}

function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const bounds = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return bounds
    .slice(1)
    .map((end, i) => bytes.subarray(bounds[i], end))
    .filter((piece) => piece.length > 0);
}

function carry(requests: Buffer[], answers: Buffer[], ends = false, seen = setUp()): Seen {
  for (const chunk of requests) seen.watch.request(chunk);
  const out = answers.flatMap((chunk) => {
    const pieces = [...seen.watch.response(chunk)];
    seen.watch.forwarded();
    return pieces;
  });
  if (ends) out.push(...seen.watch.upstreamEnded());
  return { ...seen, forwarded: Buffer.concat(out).toString('latin1') };
}

const summary = ({ exchanges }: Seen) =>
  exchanges.map(({ request, status, response }) => `${latin1(request)}|${status}|${latin1(response)}`);
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** What the client must get: the answers with one id line in each final head of an inference call. */
function withIds({ answers, seen }: Case, { exchanges }: Seen): string {
  const without = (text: string) => text.replaceAll(/x-fairway-id: id\d+\r\n/g, '');
  expect(exchanges.length).toBe(seen.length);
  return without(answers);
}

function check(one: Case, result: Seen): void {
  expect(summary(result)).toEqual(one.seen);
  expect(result.forwarded.replaceAll(/x-fairway-id: id\d+\r\n(?=\r\n)/g, '')).toBe(withIds(one, result));
  const ids = [...result.forwarded.matchAll(/x-fairway-id: (id\d+)\r\n\r\n/g)].map((match) => match[1]);
  expect(ids).toEqual(result.exchanges.map(({ id }) => id));
  expect(result.tally.unframed).toEqual({});
}

describe('exchanges cut anywhere', () => {
  test.each(CORPUS)('$name: at every byte of either direction', (one) => {
    for (let at = 0; at <= one.requests.length; at++)
      check(one, carry(cut(one.requests, [at]), cut(one.answers, []), one.ends));
    for (let at = 0; at <= one.answers.length; at++)
      check(one, carry(cut(one.requests, []), cut(one.answers, [at]), one.ends));
  });

  test('one byte at a time', () => {
    for (const one of CORPUS) {
      const all = (text: string) => Array.from({ length: text.length }, (_, i) => i);
      check(one, carry(cut(one.requests, all(one.requests)), cut(one.answers, all(one.answers)), one.ends));
    }
  });

  test('in any pieces', () => {
    const places = fc.array(fc.nat(400), { maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...CORPUS), places, places, (one, a, b) => {
        const within = (text: string, cuts: number[]) => cuts.filter((at) => at < text.length);
        check(
          one,
          carry(cut(one.requests, within(one.requests, a)), cut(one.answers, within(one.answers, b)), one.ends),
        );
      }),
    );
  });
});

describe('what nobody understands passes untouched', () => {
  const CHUNKED = 'POST /v1/models/m:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
  const big = `X: ${'y'.repeat(HEAD_CAP)}\r\n`;
  const table: Array<[reason: string, requests: string, answers: string]> = [
    ['tls', '\x16\x03\x01\x02\x00\x01\x00', '\x16\x03\x03'],
    ['http2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x00\x00\x12\x04'],
    ['connect', 'CONNECT a:1 HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\nraw'],
    ['upgrade', predict('x', 'Upgrade: h2c\r\n'), 'HTTP/1.1 101 Switching Protocols\r\n\r\n\x00\x01'],
    [
      'malformed',
      'POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      answer('x'),
    ],
    ['malformed', predict('x', 'Transfer-Encoding: chunked\r\n'), answer('x')],
    ['malformed', predict('x'), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n'],
    ['malformed', 'POST /v1/models/m:predict HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', answer('x')],
    ['malformed', 'POST /v1/models/m:predict HTTP/1.1\r\nContent-Length: +1\r\n\r\nx', answer('x')],
    ['malformed', 'POST /v1/models/m:predict HTTP/1.1\r\nA: b\r\n folded\r\n\r\n', answer('x')],
    ['malformed', 'POST /v1/models/m:predict HTTP/1.1\nContent-Length: 0\r\n\r\n', answer('x')],
    ['malformed', 'POST /v1/models/m:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', answer('x')],
    ['malformed', predict('x', 'A: \x01\r\n'), answer('x')],
    ['malformed', predict('x', 'A: \x7f\r\n'), answer('x')],
    ['malformed', predict('x').replace('1.1', '1.2'), answer('x')],
    ['malformed', predict('x').replace('/m:', '/\x01:'), answer('x')],
    ['malformed', predict('x').replace('POST', 'FOO'), answer('x')],
    ['malformed', `${CHUNKED}3 \r\nabc\r\n0\r\n\r\n`, answer('x')],
    ['malformed', `${CHUNKED}3;\xff\r\nabc\r\n0\r\n\r\n`, answer('x')],
    ['malformed', `${CHUNKED}0\r\nContent-Length: 9\r\n\r\n`, answer('x')],
    ['malformed', `${CHUNKED}0\r\na b: x\r\n\r\n`, answer('x')],
    ['malformed', 'no http at all\r\n\r\n', 'whatever'],
    ['malformed', predict('x'), 'ICY 200 OK\r\n\r\n'],
    ['head_too_large', predict('x', big), answer('x')],
    ['head_too_large', predict('x'), answer('x', '200 OK', big)],
    ['pipeline_too_deep', predict('x').repeat(65), answer('x').repeat(65)],
    ['unpaired', '', answer('', '408 Request Timeout')],
  ];

  test.each(table)('%s (%#)', (reason, requests, answers) => {
    for (const places of [[], [1], [20], [HEAD_CAP - 1]]) {
      const result = carry(
        cut(
          requests,
          places.filter((at) => at < requests.length),
        ),
        cut(answers, []),
      );
      expect(result.forwarded.replaceAll(/x-fairway-id: id\d+\r\n/g, '')).toBe(answers);
      expect(result.tally.unframed).toEqual({ [reason]: 1 });
      expect(result.exchanges).toEqual([]);
      const captured = result.tally.requests.inference ?? 0;
      expect(result.missed.length).toBe(captured);
    }
  });

  test('a head that stays incomplete loses nothing but a lone CR, and that comes at the end', () => {
    const result = carry(cut(predict('x'), []), cut('HTTP/1.1 200 OK\r\nA: b\r\n\r', []));
    expect(result.forwarded).toBe('HTTP/1.1 200 OK\r\nA: b\r\n');
    expect(Buffer.concat(result.watch.upstreamEnded()).toString()).toBe('\r');
    expect(result.exchanges.map(({ outcome }) => outcome)).toEqual(['upstream_aborted']);
  });
});

describe('exchanges that do not end well', () => {
  test('the client leaves before the answer', () => {
    const seen = carry(cut(predict('x'), []), []);
    seen.watch.clientGone();
    expect(seen.exchanges).toMatchObject([{ status: 0, outcome: 'client_aborted', responseLength: 0 }]);
  });

  test('the model breaks off in the middle of the answer', () => {
    const seen = carry(cut(predict('x'), []), cut(answer('0123456789').slice(0, -4), []), true);
    expect(seen.exchanges).toMatchObject([{ status: 200, outcome: 'upstream_aborted', responseLength: 6 }]);
  });

  test('an answer before the request was read is complete at once, and the next pair still fits', () => {
    const seen = setUp();
    seen.watch.request(Buffer.from(predict('0123456789').slice(0, -4)));
    carry([], cut(answer('no', '413 Too Large'), []), false, seen);
    carry(cut(`6789${predict('next')}`, []), cut(answer('yes'), []), false, seen);
    expect(summary(seen)).toEqual(['012345|413|no', 'next|200|yes']);
  });

  test.each([
    ['request', predict('x'.repeat(70_000)), answer('small')],
    ['answer', predict('small'), answer('x'.repeat(70_000))],
  ])('a large %s without room is not kept, counted as shed, and passes; the next is captured', (_, asked, answered) => {
    const seen = setUp({ hasRoom: (length) => length < 70_000 });
    const { forwarded } = carry(
      cut(asked + predict('a'), [30_000]),
      cut(answered + answer('b'), [30_000]),
      false,
      seen,
    );
    expect(withoutIds(forwarded)).toBe(answered + answer('b'));
    expect(seen.missed).toEqual(['ring_full']);
    expect(summary(seen)).toEqual(['a|200|b']);
  });

  test('chunks are held while an exchange that is kept is under way, and not for one that is shed', () => {
    const large = predict('x'.repeat(70_000)).slice(0, 40_000);
    const holds = (hasRoom: boolean) => {
      const { watch } = setUp({ hasRoom: () => hasRoom });
      watch.request(Buffer.from(large));
      return watch.holds;
    };
    expect([holds(true), holds(false)]).toEqual([true, false]);
  });

  test('bodies above the cap are counted, not kept', () => {
    const body = 'x'.repeat(1024 * 1024 + 5);
    const seen = carry(cut(predict(body), [1000, 70_000]), cut(answer(body), [500_000]));
    expect(seen.exchanges).toMatchObject([
      { truncated: true, requestLength: body.length, responseLength: body.length },
    ]);
    expect(seen.exchanges[0]?.request.length).toBe(1024 * 1024);
  });
});

const withoutIds = (text: string) => text.replaceAll(/x-fairway-id: id\d+\r\n/g, '');

describe('the guard', () => {
  const broken = () => {
    throw new Error('bug');
  };

  test('an exception of capture ends capture of the connection, and no byte is lost', () => {
    const seen = carry(
      cut(predict('x') + predict('y'), []),
      cut(answer('X') + answer('Y'), []),
      false,
      setUp({ completed: broken }),
    );
    expect(withoutIds(seen.forwarded)).toBe(answer('X') + answer('Y'));
    expect(seen.tally.unframed).toEqual({ capture_error: 1 });
    expect(seen.missed).toEqual(['unframed']);
  });

  test('after 20 of them capture of new connections is off for a minute', () => {
    const tally = createTally();
    let now = 0;
    const clock: AgentClock = { now: () => now, monotonic: () => now };
    const capture: Capture = { nextId: broken, completed: () => {}, missed: () => {} };
    const parts = { clock, tally, capture, budget: { held: 0, cap: 1e9 } };
    const breaker = new Breaker(clock, tally);
    for (let i = 0; i < 25; i++) new Watch(parts, breaker).request(Buffer.from(predict('x')));
    expect(tally).toMatchObject({
      captureErrors: 20,
      captureOff: true,
      unframed: { capture_error: 20, capture_off: 5 },
    });
    now += 60_001;
    expect(breaker.open).toBe(false);
    expect(tally.captureOff).toBe(false);
  });
});
