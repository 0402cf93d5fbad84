import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { isSampled } from '../../../packages/log-sidecar/src/privacy/sampling.ts';
import { type Agent, eventually, spoolFolder, startAgent } from './agent.ts';
import { type ModelServer, startModelServer } from './model-server.ts';
import { exchangesOf, type Gate, type QueueServer, startGate, startPostgresQueue } from './queues.ts';

const MAIN = fileURLToPath(new URL('../../../packages/log-sidecar/src/main.ts', import.meta.url));
const TARGET = '/v1/models/home-equity:predict';
const SAMPLING = 0.5;
const SECRET = 'S3CRET';
const spool = spoolFolder();
let model: ModelServer;
let queue: QueueServer;
let gate: Gate;
let agent: Agent;

beforeAll(async () => {
  [model, queue] = [await startModelServer(), await startPostgresQueue()];
  gate = await startGate(queue.url);
  agent = await startAgent({
    upstream: model.port,
    queueUrl: gate.url,
    spool: spool.path,
    env: {
      CAPTURE_SAMPLING: String(SAMPLING),
      CAPTURE_REDACT: 'ssn=drop,name=hash,zip=truncate:3',
      CAPTURE_HASH_KEY: 'a key of no more than this test, long enough',
      CAPTURE_BODY_BYTES: '4096',
    },
  });
});
afterAll(async () => {
  await agent.end('SIGTERM');
  gate.stop();
  await model.stop();
  await queue.stop();
  spool.remove();
});

const ROW = `{"ssn":"${SECRET}","name":"${SECRET}","zip":"123${SECRET}","open":"plain","x":9007199254740993}`;
const LONG = `{"instances":[{"ssn":"${SECRET}","open":"${'long '.repeat(2000)}"}]}`;

/** What callers send, the behaviour of the model, and what may be left of either body. */
const KINDS: Record<string, { body: string | Buffer; do: string; request: RegExp; response: RegExp }> = {
  rows: { body: `{"instances":[${ROW}]}`, do: '', request: /"name":"[\w-]{22}","zip":"123","open"/, response: /0\.25/ },
  columns: { body: `{"inputs":${ROW}}`, do: 'echo', request: /9007199254740993/, response: /9007199254740993/ },
  gzip: { body: gzipSync(`{"instances":[${ROW}]}`), do: '', request: /"zip":"123"/, response: /0\.25/ },
  refused: { body: `{"instances":[${ROW}]}`, do: 'refuse', request: /"zip":"123"/, response: /^$/ },
  broken: { body: `{"instances":[${ROW}`, do: 'echo', request: /^$/, response: /^$/ },
  long: { body: LONG, do: 'echo', request: /^$/, response: /^$/ },
};
const EACH = 32;

async function predict(kind: string): Promise<string> {
  const { body, do: behaviour } = KINDS[kind] as (typeof KINDS)[string];
  const headers = {
    'x-request-id': kind,
    'x-do': behaviour,
    ...(kind === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
  const answer = await fetch(`${agent.url}${TARGET}`, { method: 'POST', body, headers });
  await answer.arrayBuffer();
  return answer.headers.get('x-fairway-id') as string;
}

test('nothing secret reaches disk or queue, and every exchange is accounted for', async () => {
  const ids: string[] = [];
  for (let i = 0; i < EACH; i++) for (const kind of Object.keys(KINDS)) ids.push(await predict(kind));
  const sample = ids.filter((id) => isSampled(id, SAMPLING));
  const captured = ids.length;
  const sampledOut = captured - sample.length;

  // The queue is away: all that is left of the sample is on the disk.
  const settled = { captured, sampledOut, redacting: 0, inSpool: sample.length, sent: 0, dropped: {} };
  await expect.poll(() => agent.account()).toMatchObject(settled);
  const written = readdirSync(spool.path).map((name) => readFileSync(join(spool.path, name)));
  const disk = Buffer.concat(written);
  expect(disk.includes('plain')).toBe(true);
  expect(disk.includes(SECRET)).toBe(false);

  await gate.open();
  await eventually(async () => (await agent.account()).sent === sample.length);
  const packs = await queue.packs();
  for (const { payload } of packs) {
    expect(gunzipSync(Buffer.from(payload, 'base64')).includes(SECRET)).toBe(false);
  }
  const stored = exchangesOf(packs);
  expect(stored.map(({ head }) => head.id).toSorted()).toEqual(sample.toSorted());
  expect(stored.map(({ head }) => head.seq).toSorted((a, b) => a - b)).toEqual(sample.map((_, index) => index + 1));
  expect(packs.toSorted((a, b) => a.last - b.last).at(-1)?.dropped).toEqual({ sampled_out: sampledOut });
  for (const { head, request, response } of stored) {
    const kind = KINDS[head.correlationId as string] as (typeof KINDS)[string];
    expect(Buffer.from(request).toString()).toMatch(kind.request);
    expect(Buffer.from(response).toString()).toMatch(kind.response);
    expect(head).toMatchObject({ sampling: SAMPLING, redacted: { variables: ['ssn', 'name', 'zip'] } });
  }
  const count = (kind: string) => stored.filter(({ head }) => head.correlationId === kind).length;
  const metrics = await agent.metrics();
  for (const [name, value] of [
    ['sampled_out_total', sampledOut],
    ['truncated_total', count('long')],
    ['withheld_total{reason="error_body"}', count('refused')],
    ['withheld_total{reason="unparsable"}', 2 * count('broken')],
    ['withheld_total{reason="truncated"}', 2 * count('long')],
  ]) {
    expect(metrics.split('\n')).toContain(`fairway_agent_${name} ${value}`);
  }
});

test('a hash without a key ends the start with a sentence', async () => {
  const env = {
    PATH: process.env.PATH,
    SPOOL_DIR: spool.path,
    QUEUE_URL: gate.url,
    FAIRWAY_MODEL: 'home-equity',
    FAIRWAY_ENVIRONMENT: 'dev',
    AGENT_NAME: 'agent-test',
    CAPTURE_REDACT: 'ssn=hash',
  };
  const ended = spawnSync(process.execPath, await runnable(MAIN), { env, encoding: 'utf8' });
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('CAPTURE_REDACT hashes a variable')]);
});
