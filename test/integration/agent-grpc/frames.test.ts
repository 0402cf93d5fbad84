import { expect, test } from 'vitest';
import { framed, PREDICT } from '../../harness/grpc/unary.ts';
import { replay } from '../../harness/grpc/replay.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const frame = (type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
const [DATA, HEADERS, RST, SETTINGS, PUSH, PING, GOAWAY, CONTINUATION] = [0, 1, 3, 4, 5, 6, 7, 9];
const [END, ACK, LAST, PADDED] = [1, 1, 4, 8];

/** Fields as literals that no table keeps. */
const block = (fields: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );

const settings = (...pairs: ReadonlyArray<readonly [number, number]>): Buffer => {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [i, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(SETTINGS, 0, 0, payload);
};
const OPEN = [PREFACE, settings()];
const ASK = block({ ':method': 'POST', ':path': PREDICT });
const TELL = block({ ':status': '200' });
const TRAILERS = block({ 'grpc-status': '0' });
const MESSAGE = framed(Buffer.from('\n\x03\n\x01m', 'latin1'));
const call = (stream = 1) => [frame(HEADERS, LAST, stream, ASK), frame(DATA, END, stream, MESSAGE)];
const answer = (stream = 1) => [
  frame(HEADERS, LAST, stream, TELL),
  frame(DATA, 0, stream, framed(Buffer.alloc(0))),
  frame(HEADERS, LAST | END, stream, TRAILERS),
];

const run = (asked: readonly Buffer[], told: readonly Buffer[] = []) =>
  replay([
    { side: 'q', bytes: Buffer.concat(asked) },
    ...(told.length === 0 ? [] : [{ side: 'a' as const, bytes: Buffer.concat(told) }]),
  ]);

test('frames made by hand are read', () => {
  const { exchanges, tally } = run([...OPEN, ...call()], [settings(), ...answer()]);
  expect(exchanges).toMatchObject([{ status: 200, outcome: 'complete', route: { model: 'm' }, requestLength: 5 }]);
  expect(tally.unframed).toEqual({});
});

test('what does not concern calls is passed over', () => {
  const extension = frame(0xbe, 0xff, 77, Buffer.alloc(100));
  const ping = frame(PING, 0, 0, Buffer.alloc(8));
  const { exchanges, tally } = run(
    [...OPEN, extension, ping, frame(SETTINGS, ACK, 0), ...call(), frame(2, 0, 1, Buffer.alloc(5))],
    [settings([0xff, 9]), extension, ping, frame(HEADERS, LAST, 1, block({ ':status': '103' })), ...answer()],
  );
  expect(exchanges).toMatchObject([{ status: 200, outcome: 'complete' }]);
  expect(tally.unframed).toEqual({});
});

test('trailers of a request, and a stream that is reset after its answer, change nothing', () => {
  const asked = [frame(HEADERS, LAST, 1, ASK), frame(DATA, 0, 1, MESSAGE), frame(HEADERS, LAST | END, 1, TRAILERS)];
  const reset = frame(RST, 0, 1, Buffer.alloc(4));
  const { exchanges, tally } = run([...OPEN, ...asked], [settings(), ...answer(), reset, ...answer()]);
  expect(exchanges).toMatchObject([{ status: 200, outcome: 'complete', requestLength: 5 }]);
  expect(tally.unframed).toEqual({});
});

test('GOAWAY ends the calls above the stream that it names', () => {
  const away = Buffer.alloc(20);
  away.writeUInt32BE(1, 0);
  const { exchanges } = run([...OPEN, ...call(1), ...call(3)], [settings(), frame(GOAWAY, 0, 0, away), ...answer(1)]);
  expect(exchanges.map(({ outcome }) => outcome)).toEqual(['upstream_aborted', 'complete']);
});

test.each<[string, Buffer[]]>([
  ['a second message', [frame(DATA, END, 1, Buffer.concat([MESSAGE, MESSAGE]))]],
  ['a flag that is none', [frame(DATA, END, 1, Buffer.from([2, 0, 0, 0, 0]))]],
])('%s is no unary call: it is lost, and the connection goes on', (_, body) => {
  const { exchanges, missed, tally } = run(
    [...OPEN, frame(HEADERS, LAST, 1, ASK), ...body, ...call(3)],
    [settings(), ...answer(1), ...answer(3)],
  );
  expect([exchanges.length, missed, tally.unframed]).toEqual([1, 1, {}]);
});

const long = frame(HEADERS, 0, 1, Buffer.alloc(16_384));
const more = frame(CONTINUATION, 0, 1, Buffer.alloc(16_384));
const joined = [...OPEN, ...call(), settings()];
test.each<[string, string, Buffer[]]>([
  ['TLS', 'tls', [Buffer.from([0x16, 3, 1, 2, 0])]],
  ['HTTP/1.1', 'not_http2', [Buffer.from('POST / HTTP/1.1\r\n\r\n')]],
  ['a preface that breaks off otherwise', 'not_http2', [Buffer.from('PRI * HTTP/2.0\r\n\r\nXX')]],
  ['no SETTINGS at first', 'not_http2', [PREFACE, frame(PING, 0, 0, Buffer.alloc(8))]],
  ['an ACK at first', 'not_http2', [PREFACE, frame(SETTINGS, ACK, 0)]],
  ['a frame above the limit', 'frame_too_large', [...joined, frame(DATA, 0, 1, Buffer.alloc(16_385))]],
  ['fields without an end', 'headers_too_large', [...OPEN, long, more, more, more, more]],
  ['fields that are none', 'headers_malformed', [...joined, frame(HEADERS, LAST, 3, Buffer.from([0x80]))]],
  ['fields on stream 0', 'malformed', [...joined, frame(HEADERS, LAST, 0, ASK)]],
  ['a stream of the server', 'malformed', [...joined, frame(HEADERS, LAST, 2, ASK)]],
  ['DATA on stream 0', 'malformed', [...joined, frame(DATA, 0, 0)]],
  ['DATA among fields', 'malformed', [...OPEN, frame(HEADERS, 0, 1, ASK), frame(DATA, 0, 1)]],
  ['a continuation of nothing', 'malformed', [...joined, frame(CONTINUATION, LAST, 1)]],
  ['another stream continues', 'malformed', [...OPEN, frame(HEADERS, 0, 1, ASK), frame(CONTINUATION, LAST, 3)]],
  ['more padding than payload', 'malformed', [...joined, frame(DATA, PADDED, 1, Buffer.from([2, 0]))]],
  ['padding without its length', 'malformed', [...joined, frame(DATA, PADDED, 1)]],
  ['more padding than fields', 'malformed', [...joined, frame(HEADERS, LAST | PADDED, 3, Buffer.from([1]))]],
  ['half a setting', 'malformed', [...joined, frame(SETTINGS, 0, 0, Buffer.alloc(5))]],
  ['settings of a stream', 'malformed', [...joined, frame(SETTINGS, 0, 1)]],
  ['a reset of 3 octets', 'malformed', [...joined, frame(RST, 0, 1, Buffer.alloc(3))]],
  ['a short GOAWAY', 'malformed', [...joined, frame(GOAWAY, 0, 0, Buffer.alloc(7))]],
  ['a promise', 'server_push', [...joined, frame(PUSH, LAST, 1, Buffer.alloc(4))]],
])('%s: capture stops, and counts what was under way', (_, reason, asked) => {
  const { exchanges, missed, tally } = run(asked, [settings(), ...answer()]);
  expect(tally.unframed).toEqual({ [reason]: 1 });
  expect([exchanges.length, missed]).toEqual([0, tally.requests.inference ?? 0]);
});

test.each<[string, Buffer[]]>([
  ['a stream that nobody opened', answer(3)],
  ['a stream of its own', answer(2)],
])('an answer on %s stops capture', (_, told) => {
  expect(run([...OPEN, ...call()], [settings(), ...told]).tally.unframed).toEqual({ malformed: 1 });
});

test('a server that does not speak HTTP/2 is seen by its first bytes', () => {
  const { missed, tally } = run([...OPEN, ...call()], [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]);
  expect([missed, tally.unframed]).toEqual([1, { not_http2: 1 }]);
});

test('more calls than are followed stop capture', () => {
  const calls = Array.from({ length: 4097 }, (_, i) => frame(HEADERS, LAST, i * 2 + 1, ASK));
  const { missed, tally } = run([...OPEN, ...calls], [settings()]);
  expect([missed, tally.unframed]).toEqual([4097, { too_many_streams: 1 }]);
});
