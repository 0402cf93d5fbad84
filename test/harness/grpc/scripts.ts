import { constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import type { Script } from './conversation.ts';
import { floats, predictRequest, predictResponse, texts } from './messages.ts';
import { type Answer, ask, framed, PREDICT } from './unary.ts';

const MODEL = { name: 'home-equity' };
const REQUEST = framed(
  predictRequest(MODEL, { LOAN: floats([2, 1], [1000, 2500.5]), JOB: texts([2], ['Mgr', 'Söhne']) }),
);
const RESPONSE = framed(predictResponse({ ...MODEL, version: 7 }, { P_BAD1: floats([2, 1], [0.25, 0.75]) }));
const OK: Answer = { kind: 'message', body: RESPONSE };

const told = (answer: Answer) => () => answer;
const many = (rows: number) => floats([rows, 1], Array<number>(rows).fill(0.5));
const LARGE_RESPONSE = framed(predictResponse({ ...MODEL, version: 7 }, { P_BAD1: many(20_000) }));

/** Conversations of node's client and server, each for one thing that HTTP/2 or gRPC allows. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  'calls one after the other': {
    answer: told(OK),
    run: async (client) => {
      for (const id of ['a', 'b']) {
        await ask(client, PREDICT, REQUEST, {
          headers: { 'x-request-id': `req-${id}`, 'x-fairway-time': '2026-01-02T03:04:05Z' },
        }).told;
      }
    },
  },
  'many calls at once, in small frames': {
    answer: told({ ...OK, pieces: 4 }),
    run: (client) => Promise.all([1, 2, 3].map(async (n) => ask(client, PREDICT, REQUEST, { pieces: n + 1 }).told)),
  },
  'padded frames': {
    client: { paddingStrategy: constants.PADDING_STRATEGY_MAX },
    server: { paddingStrategy: constants.PADDING_STRATEGY_MAX },
    answer: told(OK),
    run: async (client) => ask(client, PREDICT, REQUEST, { pieces: 2 }).told,
  },
  'fields that need continuations': {
    answer: told({ ...OK, headers: { 'x-long': 'y'.repeat(20_000) } }),
    run: async (client) => {
      await ask(client, PREDICT, REQUEST, { headers: { 'x-long': 'x'.repeat(20_000) } }).told;
      await ask(client, PREDICT, REQUEST).told;
    },
  },
  'no table, and a large one': {
    client: { settings: { headerTableSize: 0 } },
    server: { settings: { headerTableSize: 16_384 } },
    answer: told({ ...OK, headers: { 'x-told': 'again' } }),
    run: async (client) => {
      for (let i = 0; i < 3; i++) await ask(client, PREDICT, REQUEST, { headers: { 'x-asked': 'again' } }).told;
    },
  },
  'large frames': {
    client: { settings: { maxFrameSize: 65_536 } },
    server: { settings: { maxFrameSize: 65_536 } },
    answer: told({
      kind: 'message',
      body: framed(predictResponse({ ...MODEL, version: 7 }, { P_BAD1: many(12_000) })),
    }),
    run: async (client) => ask(client, PREDICT, framed(predictRequest(MODEL, { LOAN: many(15_000) }))).told,
  },
  'a large request, a large answer, and small ones': {
    answer: ({ headers }) => (headers['x-request-id'] === 'large-answer' ? { ...OK, body: LARGE_RESPONSE } : OK),
    run: async (client) => {
      await ask(client, PREDICT, framed(predictRequest(MODEL, { LOAN: many(20_000) }))).told;
      await ask(client, PREDICT, REQUEST, { headers: { 'x-request-id': 'large-answer' } }).told;
      await ask(client, PREDICT, REQUEST, { headers: { 'x-request-id': 'small' } }).told;
    },
  },
  'gzip messages': {
    answer: told({
      kind: 'message',
      body: framed(gzipSync(RESPONSE.subarray(5)), true),
      headers: { 'grpc-encoding': 'gzip' },
    }),
    run: async (client) => {
      const body = framed(gzipSync(REQUEST.subarray(5)), true);
      await ask(client, PREDICT, body, { headers: { 'grpc-encoding': 'gzip' } }).told;
    },
  },
  'errors, with and without a head before': {
    answer: ({ body }) =>
      body.length > 5 ? { kind: 'error', status: 5 } : { kind: 'message', body: Buffer.alloc(0), status: 3 },
    run: async (client) => {
      await ask(client, PREDICT, REQUEST).told;
      await ask(client, PREDICT, framed(Buffer.alloc(0))).told;
    },
  },
  'an answer of something before the model': {
    answer: told({ kind: 'http', status: 503 }),
    run: async (client) => ask(client, PREDICT, REQUEST).told,
  },
  'pings, other methods, resets and no trailers': {
    answer: ({ headers }) => {
      const kind = headers['x-kind'];
      return kind === 'reset' || kind === 'silence' || kind === 'no trailers' ? { kind } : OK;
    },
    run: async (client) => {
      await new Promise<void>((resolve) => client.ping(() => resolve()));
      await ask(client, '/tensorflow.serving.PredictionService/GetModelMetadata', REQUEST).told;
      await ask(client, '/tensorflow.serving.ModelService/GetModelStatus', REQUEST).told;
      await ask(client, '/grpc.health.v1.Health/Check', framed(Buffer.alloc(0))).told;
      for (const kind of ['reset', 'no trailers'])
        await ask(client, PREDICT, REQUEST, { headers: { 'x-kind': kind } }).told;
      const silent = ask(client, PREDICT, REQUEST, { headers: { 'x-kind': 'silence' } });
      await new Promise<void>((resolve) => client.ping(() => resolve()));
      silent.stream.close(constants.NGHTTP2_CANCEL);
      await silent.told;
    },
  },
  'a server that goes away': {
    answer: told({ kind: 'silence' }),
    run: async (client, server) => {
      const { told } = ask(client, PREDICT, REQUEST);
      await new Promise<void>((resolve) => client.ping(() => resolve()));
      server.goaway(constants.NGHTTP2_NO_ERROR, 0);
      server.destroy();
      await told;
    },
  },
};
