import { execFile, spawnSync } from 'node:child_process';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { undocumented } from '../../harness/api-shapes.ts';
import { startWriter, type WriterProcess } from '../../harness/writer-process.ts';
import { registerVersion } from './model.ts';
import { MODEL, startWorld, TOKEN, type World } from './world.ts';

const TOKENS = {
  viewer: 'token-of-the-viewer',
  approver: 'token-of-the-approver',
  admin: 'token-of-the-admin',
  writer: TOKEN,
} as const;
const SECRET = 'secret-of-the-workflow';
const CREDENTIALS = [
  { name: 'eyes', role: 'viewer', token: TOKENS.viewer },
  { name: 'monitor', role: 'approver', token: TOKENS.approver },
  { name: 'ops', role: 'admin', token: TOKENS.admin },
  { name: 'sas', role: 'approver', secret: SECRET },
];

const hasOpenssl = ['openssl', 'curl', 'bash'].every((name) => spawnSync(name, ['--version']).error === undefined);

let world: World;
/** A second writer on the same database. */
let replica: WriterProcess;
beforeAll(async () => {
  const more = { WRITER_CREDENTIALS: JSON.stringify(CREDENTIALS) };
  let given: Readonly<Record<string, string>> = {};
  world = await startWorld({ writer: (env) => startWriter((given = { ...env, ...more })) });
  replica = await startWriter({ ...given, DATA_DIR: join(world.dir, 'replica') });
  for (const version of ['1', '2', '3']) await registerVersion(world.registry, MODEL, version, Number(version));
});
afterAll(async () => {
  await replica.end('SIGTERM');
  await world.stop();
});

type Sent = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly to?: string;
};
type Got = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

/** One call; its answer must be as the OpenAPI document says. */
async function send(path: string, { method = 'GET', headers = {}, body, to = world.url() }: Sent = {}): Promise<Got> {
  const answer = await fetch(`${to}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  const read = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
  const type = answer.headers.get('content-type') ?? '';
  expect(undocumented(method, path, { status: answer.status, type, body: read })).toEqual([]);
  return { status: answer.status, body: read ?? {}, headers: answer.headers };
}

const as = (role: keyof typeof TOKENS) => ({ authorization: `Bearer ${TOKENS[role]}` });
const get = (path: string, role: keyof typeof TOKENS = 'viewer') => send(path, { headers: as(role) });
const post = (path: string, body: unknown, role: keyof typeof TOKENS = 'approver') =>
  send(path, {
    method: 'POST',
    headers: { ...as(role), 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const approval = (change: object = {}) => ({
  eventId: randomUUID(),
  model: MODEL,
  version: '1',
  environment: 'prod',
  actor: 'alice',
  ...change,
});
const request = (kind: string, change: object = {}) => ({
  kind,
  model: MODEL,
  environment: 'prod',
  dedupeKey: randomUUID(),
  actor: 'alice',
  reason: 'It is wrong.',
  ...change,
});

it('tells models, versions, policy, notifications and liveness as documented', async () => {
  const { id } = (await post('/v1/approvals', approval({ version: '3', environment: 'dev' }))).body['change'] as {
    id: string;
  };
  const { pullRequest } = await world.until(id, ({ phase }) => phase === 'merged' || phase === 'syncing');
  world.cluster.rollOut(MODEL, 'dev', id, '3', pullRequest?.mergeCommit ?? '');
  await world.until(id, ({ phase }) => phase === 'live');
  expect((await get(`/v1/changes/${id}`)).body).toMatchObject({ change: { phase: 'live' } });
  expect((await get(`/v1/changes/${id}/liveness`)).body['liveness']).toEqual({
    state: 'live',
    reason: expect.any(String),
    at: expect.any(String),
  });
  const { models } = (await get('/v1/models')).body as { models: Array<{ environments: unknown }> };
  expect(models[0]?.environments).toMatchObject([
    { name: 'dev', live: { version: '3', changeId: id } },
    { name: 'prod' },
  ]);
  expect((await get(`/v1/models/${MODEL}/versions/3`)).status).toBe(200);
  expect((await get(`/v1/models/${MODEL}/policy`)).status).toBe(200);
  expect((await get(`/v1/models/${MODEL}/quarantine`)).body).toMatchObject({ entries: [] });
  const { notifications } = (await get('/v1/notifications?channel=teams')).body as { notifications: unknown[] };
  expect(notifications.length).toBeGreaterThan(0);
  expect((await send('/v1/changes', { method: 'HEAD', headers: as('viewer') })).status).toBe(200);
});

it('serves its OpenAPI document to everybody', async () => {
  const { status, body } = await send('/v1/openapi.json');
  expect(status).toBe(200);
  expect(Object.keys(body['paths'] as object)).toContain('/v1/changes/{id}');
});

describe('roles', () => {
  const retire = request('retire', { confirm: 'no' });
  const rollback = request('rollback');
  it.each([
    ['nobody reads', () => send('/v1/changes'), 401, 'auth.refused'],
    ['a wrong token', () => send('/v1/changes', { headers: { authorization: 'Bearer nope' } }), 401, 'auth.refused'],
    ['a viewer reads', () => get('/v1/changes'), 200, undefined],
    ['a viewer approves', () => post('/v1/approvals', approval(), 'viewer'), 403, 'auth.forbidden'],
    ['a viewer asks for a change', () => post('/v1/changes', rollback, 'viewer'), 403, 'auth.forbidden'],
    ['an approver asks for a rollback', () => post('/v1/changes', rollback), 409, 'change.refused'],
    ['an approver retires', () => post('/v1/changes', retire), 403, 'auth.forbidden'],
    ['an admin retires', () => post('/v1/changes', retire, 'admin'), 400, 'input.invalid'],
    ['an approver rebuilds', () => post('/v1/rebuild', ''), 403, 'auth.forbidden'],
    ['WRITER_TOKEN retires', () => post('/v1/changes', retire, 'writer'), 400, 'input.invalid'],
  ])('%s', async (_, call, status, code) => {
    const answer = await call();
    expect(answer.status).toBe(status);
    expect(answer.body['code']).toBe(code);
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
  });

  it('are named in the log with the credential, never with its token', async () => {
    await post('/v1/approvals', approval(), 'viewer');
    await expect.poll(() => world.output()).toContain('"credential":"eyes"');
    for (const secret of [...Object.values(TOKENS), SECRET]) expect(world.output()).not.toContain(secret);
  });
});

it('rebuilds, which changes nothing while nothing is lost', async () => {
  const before = (await get('/v1/changes?limit=200')).body['changes'];
  const { status, body } = await send('/v1/rebuild', { method: 'POST', headers: as('admin') });
  expect(status).toBe(200);
  expect(body).toMatchObject({ restored: 0 });
  expect((await get('/v1/changes?limit=200')).body['changes']).toHaveLength((before as unknown[]).length);
});

describe('a request that cannot be read', () => {
  const json = { ...as('approver'), 'content-type': 'application/json' };
  it.each<[string, string, Sent, number, RegExp]>([
    ['nothing there', '/v1/nothing', {}, 404, /nothing at \/v1\/nothing/],
    ['nothing at all', '/', {}, 404, /openapi\.json lists what there is/],
    ['another method', '/v1/approvals', { method: 'PUT' }, 405, /does not take PUT; it takes POST/],
    ['a deletion', '/v1/changes', { method: 'DELETE' }, 405, /it takes (GET, HEAD, POST|POST, GET, HEAD)/],
    ['a broken path', '/v1/models/%E0%A4%A/policy', { headers: json }, 400, /could not be read/],
    ['no JSON', '/v1/approvals', { method: 'POST', headers: json, body: '{"a":' }, 400, /it is not JSON/],
    ['nothing for a body', '/v1/approvals', { method: 'POST', headers: json }, 400, /it is not JSON/],
    ['a list', '/v1/approvals', { method: 'POST', headers: json, body: '[]' }, 400, /must be an object/],
    [
      'a form',
      '/v1/approvals',
      { method: 'POST', headers: as('approver'), body: 'a=b' },
      415,
      /content-type application\/json instead of "text\/plain/,
    ],
    [
      'another charset',
      '/v1/approvals',
      { method: 'POST', headers: { ...json, 'content-type': 'application/json; charset=latin1' }, body: '{}' },
      415,
      /JSON in UTF-8/,
    ],
    [
      'a packed body',
      '/v1/approvals',
      { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
      415,
      /without content-encoding/,
    ],
    [
      'too much',
      '/v1/approvals',
      { method: 'POST', headers: json, body: `{"evidence":"${'x'.repeat(2 ** 20)}"}` },
      413,
      /at most 1048576 bytes/,
    ],
    [
      'an unknown kind',
      '/v1/changes',
      { method: 'POST', headers: json, body: '{"kind":"promote"}' },
      400,
      /kind: must be one of retrain, rollback, retire/,
    ],
    ['an unknown filter', '/v1/changes?colour=red', { headers: json }, 400, /there is no field "colour"/],
    ['a page of none', '/v1/changes?limit=0', { headers: json }, 400, /limit: /],
    ['a page of too many', '/v1/changes?limit=201', { headers: json }, 400, /limit: /],
    ['a cursor of our own', '/v1/changes?cursor=12', { headers: json }, 400, /take "next" of the page before/],
    ['an unknown phase', '/v1/changes?phase=live,done', { headers: json }, 400, /phase/],
    ['an id with NUL', '/v1/changes/%00', { headers: json }, 404, /no change "\\u0000"/],
    ['a model with NUL', '/v1/models/a%00b/policy', { headers: json }, 400, /Model "a\\u0000b" is not usable/],
    ['a model that climbs', '/v1/models/..%2F../policy', { headers: json }, 400, /Model "..\/.." is not usable/],
    ['a filter with NUL', '/v1/changes?model=a%00', { headers: json }, 400, /Model "a\\u0000" is not usable/],
  ])('%s', async (_, path, call, status, sentence) => {
    const answer = await send(path, call);
    expect(answer.status).toBe(status);
    expect(answer.body['detail']).toMatch(sentence);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/POST/);
  });

  const names = ['..', '../a', '-a', 'a:b', 'a\nb', 'a/b', 'A', 'x'.repeat(300), 'modèle', 'modell-ü', '', ' '];
  it.each(names.map((name) => [JSON.stringify(name).slice(0, 20), name]))(
    'named %s, in one sentence',
    async (_, name) => {
      const { status, body } = await post('/v1/approvals', approval({ model: name, environment: name }));
      expect(status).toBe(400);
      expect(body['detail']).toMatch(
        /^The approval is not usable: model: Model ".*" is not usable.*; environment: Environment/,
      );
      expect(String(body['detail']).length).toBeLessThan(700);
    },
  );

  it('holds characters that cannot be stored, each named', async () => {
    const { body } = await post('/v1/approvals', approval({ actor: 'a\0', evidence: 'b\0', model: 'c\0' }));
    expect(body['detail']).toMatch(/model: must not hold NUL.*; actor: .*; evidence: /);
  });
});

describe('a digest in the approval', () => {
  it('must be that of the registry', async () => {
    const { status, body } = await post('/v1/approvals', approval({ digest: `sha256:${'0'.repeat(64)}` }));
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'model.changed',
      detail: expect.stringContaining('approve the version that has'),
    });
    const { digest } = (await post('/v1/approvals', approval({ eventId: 'first' }))).body['change'] as {
      digest: string;
    };
    expect((await post('/v1/approvals', approval({ eventId: 'first', digest }))).status).toBe(200);
    const other = await post('/v1/approvals', approval({ version: '2', digest }));
    expect(other).toMatchObject({ status: 409, body: { code: 'model.changed' } });
  });
});

describe('a signed request', () => {
  /** By the words of docs/guide.md, not by the writer's code. */
  function signed(body: string, { target = '/v1/approvals', at = Date.now() } = {}): Sent {
    const timestamp = String(Math.floor(at / 1000));
    const nonce = randomUUID();
    const hash = createHash('sha256').update(body).digest('hex');
    const words = ['POST', target, timestamp, nonce, hash].join('\n');
    const signature = `v1=${createHmac('sha256', SECRET).update(words).digest('hex')}`;
    const proof = {
      'x-fairway-key': 'sas',
      'x-fairway-timestamp': timestamp,
      'x-fairway-nonce': nonce,
      'x-fairway-signature': signature,
    };
    return { method: 'POST', headers: { 'content-type': 'application/json', ...proof }, body };
  }

  it('is taken once, by whichever replica is asked first', async () => {
    const call = signed(JSON.stringify(approval()));
    expect((await send('/v1/approvals', call)).status).toBe(202);
    const to = `http://127.0.0.1:${replica.port}`;
    for (const again of [call, { ...call, to }]) {
      const { status, body } = await send('/v1/approvals', again);
      expect(status).toBe(401);
      expect(body['detail']).toContain('The nonce in x-fairway-nonce was used before');
    }
    expect((await send('/v1/approvals', { ...signed(call.body ?? ''), to })).status).toBe(200);
  });

  it.skipIf(!hasOpenssl)(
    'is made by the shell example of the guide (skipped where openssl is not installed)',
    async () => {
      const guide = readFileSync(new URL('../../../docs/guide.md', import.meta.url), 'utf8');
      const example = /```sh\n(body=[^`]+x-fairway-signature[^`]+)```/.exec(guide)?.[1] ?? '';
      const env = { PATH: process.env['PATH'] ?? '', WRITER: world.url(), KEY: 'sas', SECRET };
      const { stdout } = await promisify(execFile)('bash', ['-euc', example], { env });
      expect(JSON.parse(stdout)).toMatchObject({ change: { model: MODEL, version: '1', environment: 'prod' } });
    },
  );

  it('is refused when it is old, changed, or for another place', async () => {
    const body = JSON.stringify(approval());
    const old = await send('/v1/approvals', signed(body, { at: Date.now() - 400_000 }));
    expect(old.body['detail']).toContain('at most 300 from');
    expect((await send('/v1/approvals', { ...signed(body), body: `${body} ` })).status).toBe(401);
    expect((await send('/v1/approvals?x=1', signed(body))).status).toBe(401);
    expect((await send('/v1/changes', signed(body))).status).toBe(401);
  });
});

it('lists changes page by page, newest first, and by several phases', async () => {
  for (const version of ['1', '2', '3']) await post('/v1/approvals', approval({ version }));
  type Page = { changes: Array<{ id: string; phase: string }>; next?: string };
  const page = async (query: string) => (await get(`/v1/changes?${query}`)).body as Page;
  const all = await page('limit=200');
  expect(all.next).toBeUndefined();
  const walked: string[] = [];
  let next: string | undefined;
  do {
    const one = await page(`limit=3${next === undefined ? '' : `&cursor=${next}`}`);
    expect(one.changes.length).toBeLessThanOrEqual(3);
    walked.push(...one.changes.map(({ id }) => id));
    next = one.next;
  } while (next !== undefined);
  expect(walked).toEqual(all.changes.map(({ id }) => id));
  const dev = await page('environment=dev&phase=live,failed');
  expect(dev.changes.map(({ phase }) => phase)).toEqual(['live']);
  expect((await page('model=other')).changes).toEqual([]);
});
