import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { record } from '../../harness/grpc/conversation.ts';
import { SCRIPTS } from '../../harness/grpc/scripts.ts';
import { bodyOf, pieces, replay, written } from '../../harness/grpc/replay.ts';
import type { RawExchange } from '../../../packages/log-sidecar/src/ports.ts';

const EMPTY = Buffer.alloc(0);
const INFERENCE = /PredictionService\/(?:Predict|Classify|Regress|MultiInference)$/;

/** What is to be seen of each call besides what node's server saw of it: HTTP status, gRPC status, outcome, version. */
type Seen = readonly [status: number, grpc: number | undefined, outcome: RawExchange['outcome'], version?: string];
const FINE: Seen = [200, 0, 'complete', '7'];
const WANTED: Readonly<Record<keyof typeof SCRIPTS, readonly Seen[]>> = {
  'calls one after the other': [FINE, FINE],
  'many calls at once, in small frames': [FINE, FINE, FINE],
  'padded frames': [FINE],
  'fields that need continuations': [FINE, FINE],
  'no table, and a large one': [FINE, FINE, FINE],
  'large frames': [FINE],
  'a large request, a large answer, and small ones': [FINE, FINE, FINE],
  'gzip messages': [FINE],
  'errors, with and without a head before': [
    [404, 5, 'complete'],
    [400, 3, 'complete'],
  ],
  'an answer of something before the model': [[503, undefined, 'complete']],
  'pings, other methods, resets and no trailers': [
    [0, undefined, 'upstream_aborted'],
    [0, undefined, 'upstream_aborted'],
    [0, undefined, 'client_aborted'],
  ],
  'a server that goes away': [[0, undefined, 'upstream_aborted']],
};

describe.each(Object.entries(SCRIPTS))('%s', (name, script) => {
  test('comes out as node sent it, byte by byte as well', async () => {
    const conversation = await record(script);
    const whole = replay(conversation.steps);
    expect(whole.tally.unframed).toEqual({});
    expect(whole.exchanges.map((one) => [one.status, one.grpcStatus, one.outcome, one.answered])).toEqual(
      WANTED[name]?.map(([status, grpc, outcome, version]) => [status, grpc, outcome, version]),
    );
    const asked = conversation.asked.filter(({ path }) => INFERENCE.test(path));
    for (const [i, { headers, body, path }] of asked.entries()) {
      const one = whole.exchanges[i];
      expect([one?.target, one?.correlationId, one?.eventTime]).toEqual([
        path,
        headers['x-request-id'],
        headers['x-fairway-time'],
      ]);
      expect(bodyOf(one?.request ?? EMPTY).equals(body.subarray(5))).toBe(true);
      expect(one).toMatchObject({ requestLength: body.length - 5, truncated: false, protocol: 'grpc' });
    }
    for (const size of [1, 997]) {
      const cut = conversation.steps.flatMap((step) => pieces(step, size));
      expect(written(replay(cut).exchanges) === written(whole.exchanges)).toBe(true);
    }
  });
});

test('a connection is idle between its calls only', async () => {
  const { steps } = await record(SCRIPTS['calls one after the other'] as (typeof SCRIPTS)[string]);
  expect(replay(steps).idle).toBe(true);
  expect(replay(steps.slice(0, 6)).idle).toBe(false);
});

test('a call that is cut off when the client goes is told as such', async () => {
  const { steps } = await record(SCRIPTS['large frames'] as (typeof SCRIPTS)[string]);
  const { exchanges, tally } = replay(steps.filter(({ side }) => side === 'q'));
  expect(exchanges).toMatchObject([{ outcome: 'upstream_aborted', status: 0, responseLength: 0 }]);
  expect(tally.unframed).toEqual({});
});

test('bodies end at the cap, their lengths do not; the spec that is cut away is learned elsewhere', async () => {
  const { steps } = await record(SCRIPTS['large frames'] as (typeof SCRIPTS)[string]);
  const [one] = replay(steps, 5000).exchanges;
  expect(one).toMatchObject({ truncated: true, requestLength: 60_046, responseLength: 48_052 });
  expect([bodyOf(one?.request ?? EMPTY).length, bodyOf(one?.response ?? EMPTY).length]).toEqual([5000, 5000]);
  expect(one?.answered).toBeUndefined();
  expect(one?.route).toEqual({ model: 'home-equity' });
});

test('large messages without room are not kept, counted as shed when they begin, and the next call is captured', async () => {
  const script = SCRIPTS['a large request, a large answer, and small ones'] as (typeof SCRIPTS)[string];
  const { steps } = await record(script);
  for (const size of [1, 997, 1e6]) {
    const asked: number[] = [];
    const cut = steps.flatMap((step) => pieces(step, size));
    const { exchanges, missed, shed, tally } = replay(cut, 70_000, (length) => asked.push(length) === 0);
    expect(exchanges).toMatchObject([{ correlationId: 'small', status: 200, truncated: false }]);
    // Of a message above the cap no more than that needs room.
    expect([missed, shed, asked, tally.unframed]).toEqual([2, 2, [70_000, 70_000], {}]);
  }
});

test('gzip messages stay as they are, and say what they are', async () => {
  const conversation = await record(SCRIPTS['gzip messages'] as (typeof SCRIPTS)[string]);
  const [one] = replay(conversation.steps).exchanges;
  expect(one).toMatchObject({ requestEncoding: 'gzip', route: { model: 'home-equity' }, answered: '7' });
  expect(gunzipSync(bodyOf(one?.request ?? EMPTY))).toHaveLength(77);
});
