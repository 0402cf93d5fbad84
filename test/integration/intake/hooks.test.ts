import { createHmac, randomUUID, createHash } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { undocumented } from '../../harness/api-shapes.ts';
import { fairway, plainEnv } from '../../harness/demo.ts';
import { freePort } from '../../harness/ports.ts';
import { startWriter, type WriterProcess } from '../../harness/writer-process.ts';
import { people } from '../writer/ways.ts';
import { approve, cardEvents, MODEL, startWorld, TOKEN, type World } from '../writer/world.ts';

/** Twice as long as what a killed writer had in hand may wait. */
const WAIT = { timeout: 60_000 };
const SECRET = 'secret-of-the-job';
const CREDENTIALS = [
  { name: 'eyes', role: 'viewer', token: 'token-of-the-viewer' },
  { name: 'ci', role: 'approver', token: 'token-of-the-approver' },
  { name: 'job', role: 'approver', secret: SECRET },
];

let world: World;
let replica: WriterProcess;
let team: ReturnType<typeof people>;
beforeAll(async () => {
  const more = {
    CHAMPION_EVERY_MS: '1000',
    HOOK_PATIENCE_MS: '1500',
    WRITER_CREDENTIALS: JSON.stringify(CREDENTIALS),
  };
  let given: Readonly<Record<string, string>> = {};
  world = await startWorld({ writer: (env) => startWriter((given = { ...env, ...more })) });
  replica = await startWriter({ ...given, DATA_DIR: join(world.dir, 'replica') });
  team = people(world);
  for (const version of ['1', '2', '3']) await team.register(version);
  await team.edit(`models/${MODEL}/model.yaml`, (text) =>
    text.replace('registry: directory }', 'registry: directory, approves: prod }'),
  );
});
afterAll(async () => {
  await replica.end('SIGTERM');
  await world.stop();
});

const file = () => join(world.registry, MODEL, 'champion');
function crown(text: string): void {
  writeFileSync(`${file()}.new`, text);
  renameSync(`${file()}.new`, file());
}

type Delivery = { readonly id: string; readonly state: string; readonly reason?: string; readonly change?: string };
type Got = { readonly status: number; readonly body: { readonly delivery: Delivery; readonly detail: string } };

/** One call; its answer must be as the OpenAPI document says. */
async function send(path: string, init: RequestInit, to = world.url()): Promise<Got> {
  const answer = await fetch(`${to}${path}`, init);
  const body = (await answer.json()) as Got['body'];
  const type = answer.headers.get('content-type') ?? '';
  expect(undocumented(init.method ?? 'GET', path, { status: answer.status, type, body })).toEqual([]);
  return { status: answer.status, body };
}
const as = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
const hook = (body: object, { to = world.url(), token = 'token-of-the-approver', at = 'directory' } = {}) =>
  send(`/v1/hooks/${at}`, { method: 'POST', headers: as(token), body: JSON.stringify(body) }, to);
const read = (id: string) => send(`/v1/hooks/deliveries/${id}`, { headers: as('token-of-the-viewer') });
const settled = async (id: string): Promise<Delivery> => {
  let delivery: Delivery | undefined;
  await expect.poll(async () => (delivery = (await read(id)).body.delivery).state, WAIT).not.toBe('received');
  return delivery as Delivery;
};
const inProd = () => team.changes('environment=prod');
type ModelShown = { readonly champion?: Readonly<Record<string, unknown>> };
const champion = async () => {
  const { models } = (await world.api('GET', '/v1/models')).body as unknown as { models: readonly ModelShown[] };
  return models[0]?.champion;
};

it('makes one change of a new champion that polls, hints and ten hooks at two replicas see', async () => {
  await expect.poll(champion, WAIT).toMatchObject({ state: 'none' });
  crown('1\n');
  const urls = [world.url(), `http://127.0.0.1:${replica.port}`];
  const taken = await Promise.all(
    Array.from({ length: 10 }, (_, i) => hook({ model: MODEL, version: '1' }, { to: urls[i % 2] })),
  );
  expect(taken.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202));
  const deliveries = await Promise.all(taken.map(({ body }) => settled(body.delivery.id)));
  expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['done']));
  const changes = await inProd();
  expect(changes).toHaveLength(1);
  const [change] = changes as [Change];
  expect(new Set(deliveries.map((delivery) => delivery.change))).toEqual(new Set([change.id]));
  expect(change).toMatchObject({ kind: 'deploy', version: '1', actor: 'directory champion' });
  const pull = await team.pull(await world.until(change.id, ({ phase }) => phase === 'proposed'));
  expect(pull.body).toContain('version 1 is the champion of home-equity');
  await team.live(change.id);
  await expect.poll(champion, WAIT).toMatchObject({ state: 'champion', version: '1', change: change.id });
});

it('says of a hook that claims another champion that it is unverified, and makes nothing of it', async () => {
  const { id } = (await hook({ model: MODEL, version: '3', eventId: 'claim-3' })).body.delivery;
  const delivery = await settled(id);
  expect(delivery.state).toBe('unverified');
  expect(delivery.reason).toContain('the registry folder does not say what the hook claims: version is 1, not 3');
  expect(await inProd()).toHaveLength(1);
  // The same event again is the same delivery, looked at once more.
  expect((await hook({ model: MODEL, version: '3', eventId: 'claim-3' })).body.delivery.id).toBe(id);
  expect((await settled(id)).state).toBe('unverified');
});

it('takes a champion that comes back after another one for a new decision', async () => {
  crown('2\n');
  await expect.poll(async () => (await inProd()).length, WAIT).toBe(2);
  const [second] = (await inProd()) as [Change];
  await team.live(second.id);
  crown('1\n');
  await expect.poll(async () => (await inProd()).length, WAIT).toBe(3);
  const [third] = (await inProd()) as [Change];
  expect(third).toMatchObject({ version: '1' });
  await team.live(third.id);
});

it('makes nothing of a champion that is live already, and tells once that there is none any more', async () => {
  const before = (await inProd()).length;
  rmSync(file());
  await expect.poll(champion, WAIT).toMatchObject({ state: 'none', withdrawn: { version: '1' } });
  crown('1\n');
  await expect.poll(champion, WAIT).toMatchObject({ state: 'champion', outcome: expect.stringContaining('already') });
  expect(await inProd()).toHaveLength(before);
  await expect.poll(() => cardEvents(world).filter((event) => event === 'champion-withdrawn'), WAIT).toHaveLength(1);
});

it('rejects a champion that does not fit, with every reason, and again only when it is decided anew', async () => {
  await team.register('4');
  writeFileSync(
    join(world.registry, MODEL, '4', 'inputVar.json'),
    JSON.stringify(['LOAN', 'JOB'].map((name) => ({ name, type: 'decimal', role: 'input' }))),
  );
  crown('4\n');
  await expect.poll(async () => (await inProd())[0]?.version, WAIT).toBe('4');
  const [rejected] = (await inProd()) as [Change];
  expect(rejected).toMatchObject({ phase: 'rejected', version: '4' });
  expect(rejected.pullRequest).toBeUndefined();
  expect(rejected.digest).toBeUndefined();
  for (const name of ['LOAN', 'JOB', 'X']) expect(rejected.reason).toContain(`input ${name} `);
  const { body } = await hook({ model: MODEL, version: '4' });
  expect(await settled(body.delivery.id)).toMatchObject({ state: 'done', change: rejected.id });
  const refused = await approve(world, '4', 'prod', 'somebody waits for this one');
  expect(refused.status).toBe(422);
  for (const name of ['LOAN', 'JOB', 'X']) expect(refused.body.detail).toContain(`input ${name} `);
  expect((await inProd())[0]?.id).toBe(rejected.id);
  await expect.poll(() => cardEvents(world).filter((event) => event === 'rejected'), WAIT).toHaveLength(1);
});

describe('a hook', () => {
  const sas = { projectId: randomUUID(), modelId: randomUUID(), decision: 'approve' };

  it('is refused without a role, for a registry that is not there, and with what is no hook', async () => {
    expect((await hook({ model: MODEL }, { token: 'token-of-the-viewer' })).status).toBe(403);
    expect((await hook({ model: MODEL }, { token: 'wrong' })).status).toBe(401);
    const elsewhere = await hook(sas, { at: 'sas' });
    expect(elsewhere).toMatchObject({ status: 400, body: { detail: expect.stringContaining('set SAS_URL') } });
    expect((await hook({}, { at: 'mlflow' })).body.detail).toContain('set MLFLOW_URL');
    expect((await hook({ ...sas, decision: 1 }, { at: 'sas' })).body.detail).toContain('decision');
    expect((await hook({ model: '../etc' })).body.detail).toContain('Model "../etc" is not usable');
    expect((await hook({ model: MODEL, colour: 'red' })).body.detail).toContain('colour');
    expect((await read('h-00000000000000000000')).status).toBe(404);
    expect((await read("h-' OR 1=1")).status).toBe(404);
  });

  it('about a model that nobody has fails in a sentence', async () => {
    const { id } = (await hook({ model: 'nobody' })).body.delivery;
    expect(await settled(id)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('No model.yaml has source.registry directory'),
    });
  });

  it('may be signed instead of carrying a token', async () => {
    const body = JSON.stringify({ model: MODEL });
    const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), randomUUID()];
    const hash = createHash('sha256').update(body).digest('hex');
    const words = ['POST', '/v1/hooks/directory', timestamp, nonce, hash].join('\n');
    const headers = {
      'content-type': 'application/json',
      'x-fairway-key': 'job',
      'x-fairway-timestamp': timestamp,
      'x-fairway-nonce': nonce,
      'x-fairway-signature': `v1=${createHmac('sha256', SECRET).update(words).digest('hex')}`,
    };
    expect((await send('/v1/hooks/directory', { method: 'POST', headers, body })).status).toBe(202);
  });

  it('that was taken is attended to after a kill', async () => {
    const { id } = (await hook({ model: MODEL, version: '4' })).body.delivery;
    await world.stopWriter('SIGKILL');
    await world.startWriter();
    expect(await settled(id)).toMatchObject({ state: 'done' });
  });

  it('never shows a token in the log', () => {
    for (const secret of [TOKEN, 'token-of-the-approver', SECRET]) expect(world.output()).not.toContain(secret);
  });
});

it('keeps event ids of champions to itself', async () => {
  const answer = await world.api('POST', '/v1/approvals', {
    eventId: 'champion:directory:home-equity:x',
    model: MODEL,
    version: '1',
    environment: 'prod',
    actor: 'mallory',
  });
  expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining("are Fairway's own") } });
});

it('tells of a source what there is, and what is missing', async () => {
  const source = async () => (await world.api('GET', `/v1/models/${MODEL}/source`)).body;
  expect(await source()).toMatchObject({
    source: { registry: 'directory' },
    approves: 'prod',
    problems: [],
    champion: { version: '4' },
    versions: [{ version: '1' }, { version: '2' }, { version: '3' }, { version: '4' }],
  });
  crown('seven\n');
  expect(await source()).toMatchObject({
    problems: [expect.stringContaining('The file home-equity/champion says "seven"')],
  });
});

describe('fairway doctor', () => {
  const doctor = (args: readonly string[], url = world.url()) =>
    fairway(['doctor', ...args], { env: plainEnv({ FAIRWAY_WRITER_URL: url, FAIRWAY_WRITER_TOKEN: TOKEN }) });

  it('says what is missing in a registry, a sentence each, and ends with 1', async () => {
    crown('seven\n');
    const { code, stdout, stderr } = await doctor(['--source', 'directory']);
    expect(stdout).toContain(`✘ ${MODEL}: The file ${MODEL}/champion says "seven"`);
    expect(stderr).toContain('1 thing is missing');
    expect(code).toBe(1);
  });

  it('says that nothing is missing', async () => {
    crown('1\n');
    const { code, stdout } = await doctor(['--model', MODEL]);
    expect(stdout).toContain(
      'nothing is missing in directory: 4 versions, champion 1; a champion is an approval for prod',
    );
    expect(code).toBe(0);
    const asJson = await doctor(['--model', MODEL, '--json']);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ checks: [{ name: MODEL, ok: true }] });
  });

  it('says what there is when it is asked about something else', async () => {
    const elsewhere = await doctor(['--source', 'sas']);
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining(`comes from sas; it has: ${MODEL}`) });
    const another = await doctor(['--source', 'sas', '--model', MODEL]);
    expect(another).toMatchObject({ code: 1, stdout: expect.stringContaining('comes from directory, not from sas') });
    const nobody = await doctor(['--model', 'nobody']);
    expect(nobody).toMatchObject({ code: 1, stdout: expect.stringContaining(`it knows: ${MODEL}`) });
  });

  it('says that the writer cannot be reached', async () => {
    const { code, stderr } = await doctor(['--source', 'directory'], `http://127.0.0.1:${await freePort()}`);
    expect(stderr).toContain('does not answer');
    expect(code).toBe(1);
  });
});
