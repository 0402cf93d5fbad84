import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { misfit, registration, savedModel } from '../../conformance/model-source/model.ts';
import type { Registration } from '../../conformance/model-source/target.ts';
import { FLAVORS, mlmodelFile } from '../../harness/mlflow/mlmodel.ts';
import { webhookDelivery } from '../../harness/mlflow/tracking.ts';
import {
  filesIn as mlflowFiles,
  type MlflowWorld,
  NAME,
  PASSWORD,
  startWorld as startMlflow,
} from '../../harness/mlflow/world.ts';
import { type FakeSasServer, startFakeSas } from '../../harness/sas/server.ts';
import {
  addContent,
  addModel,
  addProcess,
  addProject,
  type FakeModel,
  type FakeProject,
  setChampion,
} from '../../harness/sas/state.ts';
import { zipOf } from '../../harness/sas/zip.ts';
import { startWriter } from '../../harness/writer-process.ts';
import { people } from '../writer/ways.ts';
import { MODEL, startWorld, TOKEN, type World } from '../writer/world.ts';

/** Of SAS and MLflow the rule-keeping stand-ins (HAND-MADE) of test/harness; everything else is as shipped. */
const WAIT = { timeout: 60_000 };
const HOOK_SECRET = 'secret-of-the-registry-webhook';
const CREDIT = 'credit';

let sas: FakeSasServer;
let project: FakeProject;
let mlflow: MlflowWorld;
let world: World;
let team: ReturnType<typeof people>;
beforeAll(async () => {
  sas = await startFakeSas('2023.10');
  project = addProject(sas.state, 'Home Equity', { function: 'classification' });
  mlflow = await startMlflow('3.4', 'proxy');
  const more = {
    SAS_URL: sas.url,
    SAS_CLIENT_ID: sas.logon.client.id,
    SAS_CLIENT_SECRET: sas.logon.client.secret,
    MLFLOW_URL: mlflow.tracking.url,
    MLFLOW_USERNAME: 'fairway',
    MLFLOW_PASSWORD: PASSWORD,
    MLFLOW_WEBHOOK_SECRET: HOOK_SECRET,
    MODEL_DIRECTORY: '',
    // Only hooks bring anything about here.
    CHAMPION_EVERY_MS: '3600000',
    HOOK_PATIENCE_MS: '1000',
  };
  world = await startWorld({ writer: (env) => startWriter({ ...env, ...more }) });
  team = people(world);
  await team.edit(`models/${MODEL}/model.yaml`, (text) =>
    text.replace(
      '{ registry: directory }',
      '{ registry: sas, project: Home Equity, archive: model.zip, approves: prod }',
    ),
  );
  await team.edit(`models/${CREDIT}/model.yaml`, () => creditYaml);
});
afterAll(async () => {
  await world.stop();
  await sas.stop();
  await mlflow.stop();
});

const creditYaml = `apiVersion: fairway.dev/v1
kind: Model
name: ${CREDIT}
owner: credit-risk@example.com
source: { registry: mlflow, name: "${NAME}", alias: champion, approves: prod }
environments:
  - { name: prod, namespace: ${CREDIT}-prod, merge: review }
`;

async function registered(weight: number, registers: Registration): Promise<FakeModel> {
  const { folder, remove } = await savedModel(weight);
  const model = addModel(sas.state, project, `HMEQ TF ${weight}`);
  addContent(sas.state, model, 'model.zip', await zipOf(filesIn(folder)));
  for (const [name, value] of Object.entries(registers)) {
    const own = name === 'baseline.json' ? { ...(value as object), version: model.versionName } : value;
    addContent(sas.state, model, name, JSON.stringify(own));
  }
  remove();
  return model;
}

function filesIn(folder: string): Record<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))]));
}

type Delivery = { readonly id: string; readonly state: string; readonly reason?: string; readonly change?: string };
async function post(path: string, init: RequestInit): Promise<{ status: number; delivery: Delivery; detail: string }> {
  const answer = await fetch(`${world.url()}${path}`, { method: 'POST', ...init });
  const text = await answer.text();
  const body = text === '' ? {} : (JSON.parse(text) as { delivery: Delivery; detail: string });
  return { status: answer.status, ...(body as { delivery: Delivery; detail: string }) };
}
const settled = async ({ id }: Delivery): Promise<Delivery> => {
  let delivery: Delivery | undefined;
  const read = async () => {
    const { body } = await world.api('GET', `/v1/hooks/deliveries/${id}`);
    delivery = (body as unknown as { delivery: Delivery }).delivery;
    return delivery.state;
  };
  await expect.poll(read, WAIT).not.toBe('received');
  return delivery as Delivery;
};
const changes = async (model: string) => (await world.api('GET', `/v1/changes?model=${model}`)).body.changes;

describe('SAS Model Manager', () => {
  const hook = (model: FakeModel, processId: string, more: object = {}) =>
    post('/v1/hooks/sas', {
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        projectId: project.id,
        modelId: model.id,
        modelVersionName: '1.0',
        processId,
        taskName: 'Approve the champion',
        decision: 'approve',
        decidedBy: 'alice',
        ...more,
      }),
    });
  const propertiesOf = ({ id }: FakeModel): string =>
    JSON.stringify(sas.state.models.find((model) => model.id === id)?.fields['properties'] ?? []);

  it('is asked what a hook claims, leads to a pull request, and hears how it ended', async () => {
    const model = await registered(1, registration(MODEL));
    const process = addProcess(sas.state, project, 'fairway');
    setChampion(sas.state, project, model);
    const taken = await hook(model, process.id);
    expect(taken.status).toBe(202);
    const delivery = await settled(taken.delivery);
    expect(delivery).toMatchObject({ state: 'done', reason: expect.stringContaining('SAS Model Manager confirms it') });
    const change = await world.until(delivery.change ?? '', ({ phase }) => phase === 'proposed');
    const { body } = await team.pull(change);
    expect(body).toContain('In SAS Model Manager, version');
    expect(body).toContain('confirmed by nobody: alice decided it (task Approve the champion');
    await world.onForge('PATCH', `/pulls/${change.pullRequest?.number}`, { state: 'closed' });
    await world.until(change.id, ({ phase }) => phase === 'rejected');
    await expect.poll(() => process.received.map(({ name }) => name), WAIT).toEqual(['fairway']);
    expect(propertiesOf(model)).toContain('rejected');
  });

  it('hears every reason why its champion cannot be followed, and no pull request is opened', async () => {
    const model = await registered(2, misfit(MODEL));
    const process = addProcess(sas.state, project, 'fairway');
    setChampion(sas.state, project, model);
    const delivery = await settled((await hook(model, process.id)).delivery);
    const [change] = (await changes(MODEL)) as [Change];
    expect(delivery).toMatchObject({ state: 'done', change: change.id });
    expect(change).toMatchObject({ phase: 'rejected' });
    expect(change.pullRequest).toBeUndefined();
    for (const name of ['LOAN', 'JOB', 'X']) expect(change.reason).toMatch(new RegExp(`\\b${name}\\b`));
    await expect.poll(() => propertiesOf(model), WAIT).toContain('LOAN');
  });

  it('makes nothing of a hook for a model that is not the champion', async () => {
    const before = (await changes(MODEL)).length;
    const model = await registered(3, registration(MODEL));
    const delivery = await settled((await hook(model, 'none')).delivery);
    expect(delivery).toMatchObject({ state: 'unverified', reason: expect.stringContaining(`not ${model.id}`) });
    expect(await changes(MODEL)).toHaveLength(before);
  });
});

describe('MLflow', () => {
  const hook = (secret: string, event: string, data: object) => {
    const { headers, body } = webhookDelivery(secret, event, data, Date.now());
    return {
      send: () => post('/v1/hooks/mlflow', { headers: { ...headers, 'content-type': 'application/json' }, body }),
    };
  };
  const crowned = (version: string, secret = HOOK_SECRET) =>
    hook(secret, 'model_version_alias.created', { name: NAME, alias: 'champion', version });

  it('is believed by its signature, asked what it claims, and a delivery counts once', async () => {
    const { folder, remove } = await savedModel(5);
    const files = mlflowFiles(folder, 'data/model/');
    for (const [name, value] of Object.entries(registration(CREDIT)))
      files.set(name, Buffer.from(JSON.stringify(value)));
    files.set('MLmodel', mlmodelFile(FLAVORS.keras));
    const { version } = mlflow.register(files);
    remove();
    mlflow.tracking.models.get(NAME)?.aliases.set('champion', version);
    expect((await crowned(version, 'another secret').send()).detail).toContain('MLFLOW_WEBHOOK_SECRET');
    const { send } = crowned(version);
    const taken = await Promise.all(Array.from({ length: 5 }, send));
    expect(new Set(taken.map(({ delivery }) => delivery.id)).size).toBe(1);
    const delivery = await settled(taken[0]?.delivery as Delivery);
    expect(delivery).toMatchObject({ state: 'done', change: expect.any(String) });
    expect(await changes(CREDIT)).toMatchObject([{ id: delivery.change, version }]);
    await world.until(delivery.change ?? '', ({ phase }) => phase === 'proposed');
  });

  it('leaves what claims another version unverified, and its own noise alone', async () => {
    const delivery = await settled((await crowned('9').send()).delivery);
    expect(delivery).toMatchObject({ state: 'unverified', reason: expect.stringContaining('not 9') });
    const noise = { name: NAME, version: '1', key: 'fairway.prod.outcome', value: 'live' };
    expect((await hook(HOOK_SECRET, 'model_version_tag.set', noise).send()).status).toBe(204);
    expect(await changes(CREDIT)).toHaveLength(1);
  });
});

it('examines both, and shows no secret anywhere', async () => {
  for (const model of [MODEL, CREDIT])
    expect((await world.api('GET', `/v1/models/${model}/source`)).body).toMatchObject({ approves: 'prod' });
  const shown = `${world.output()}${JSON.stringify(await changes(MODEL))}`;
  for (const secret of [sas.logon.client.secret, PASSWORD, HOOK_SECRET, TOKEN]) expect(shown).not.toContain(secret);
});
