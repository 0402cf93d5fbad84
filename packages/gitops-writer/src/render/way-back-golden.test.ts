import { fileURLToPath } from 'node:url';
import type { Approval, ModelVersion, RetireRequest, RollbackRequest } from '@fairway/core';
import { expect, it } from 'vitest';
import type { RepositoryFile } from '../ports.ts';
import type { Rendered } from './deploy.ts';
import { parseModelFile } from './model-file.ts';
import { renderRetire, retirePullRequest } from './retire.ts';
import { renderRollback, rollbackPullRequest } from './rollback.ts';
import { readTrailers } from './trailers.ts';

const golden = (path: string) => fileURLToPath(new URL(`../../../../test/golden/writer/${path}`, import.meta.url));
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const folder = 'models/home-equity/environments/prod';

const modelYaml = `# People edit this file.
apiVersion: fairway.dev/v1
kind: Model
name: home-equity
owner: credit-risk@example.com
source: { registry: directory }
environments:
  # merges by itself
  - { name: dev, namespace: home-equity-dev, merge: auto }
  # needs a person
  - name: prod # the one that counts
    namespace: 'home-equity-prod'
    merge: review
rollback: { maxAge: 30d }
`;
const file = parseModelFile('home-equity', modelYaml);
const environment = file.environments[1];
if (environment === undefined) throw new Error('the sample has two environments');

const version = (name: string, auc: number): ModelVersion => ({
  model: 'home-equity',
  version: name,
  digest: digest(name),
  signature: { name: 'serving_default', method: 'tensorflow/serving/predict', inputs: [], outputs: [] },
  variables: [],
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
  metrics: { auc },
  origin: `directory:home-equity/${name}`,
});
const files = (name: string): RepositoryFile[] => [
  { path: `${folder}/deployment.yaml`, text: `kind: Deployment\nspec: { replicas: 2 }\nversion: ${name}\n` },
  { path: `${folder}/version.yaml`, text: `version: "${name}"\n` },
];
const approval: Approval = {
  eventId: 'sas-task-4711',
  model: 'home-equity',
  version: '1',
  environment: 'prod',
  actor: 'alice@example.com',
  time: '2026-10-01T08:30:00.000Z',
};
const request: RollbackRequest = {
  kind: 'rollback',
  model: 'home-equity',
  environment: 'prod',
  dedupeKey: 'pager-17',
  actor: 'bob@example.com',
  reason: 'p99 went from 20 ms to 3 s <b>at once</b>',
};
const source = {
  change: '0123456789abcdef0123',
  since: '2026-11-22T08:30:00.000Z',
  evidence: {
    kind: 'rollback' as const,
    request,
    bad: { change: 'b'.repeat(20), version: '2', digest: digest('2') },
    restores: { change: 'a'.repeat(20), version: '1', digest: digest('1'), commit: 'c'.repeat(40) },
  },
  restored: files('1'),
  approval,
  quarantine: undefined,
};

async function expectGolden(name: string, { files: all, message }: Rendered, body: string): Promise<void> {
  await expect(body).toMatchFileSnapshot(golden(`${name}/PULL_REQUEST.md`));
  await expect(message).toMatchFileSnapshot(golden(`${name}/COMMIT_MESSAGE`));
  for (const { path, text } of all)
    if (!path.startsWith(folder)) await expect(text).toMatchFileSnapshot(golden(`${name}/${path.split('/').at(-1)}`));
}

it('renders the same bytes for the same rollback, and these', async () => {
  const rendered = renderRollback(source);
  expect(renderRollback(structuredClone(source))).toEqual(rendered);
  expect(rendered.folders).toEqual([folder]);
  expect(rendered.files.slice(0, 2)).toEqual(files('1'));
  const { body, title, labels } = rollbackPullRequest({
    source,
    environment,
    file,
    before: files('2'),
    after: rendered.files,
    next: version('1', 0.89),
    current: version('2', 0.91),
    bodyLimit: 60_000,
    dashboardUrl: 'https://fairway.example.com',
  });
  expect(title).toBe('Roll back home-equity in prod to version 1');
  expect(labels).toEqual(['fairway', 'fairway/rollback', 'fairway/review']);
  await expectGolden('rollback', rendered, body);
});

it('seals a rollback: its intent covers every trailer and every restored byte', () => {
  const { intent, message } = renderRollback(source);
  expect(readTrailers(message)).toEqual(expect.objectContaining({ size: 10 }));
  const other = { ...source, restored: files('3') };
  expect(renderRollback(other).intent).not.toBe(intent);
  const actor = { ...source, evidence: { ...source.evidence, request: { ...request, actor: 'mallory' } } };
  expect(renderRollback(actor).intent).not.toBe(intent);
  // Who else is quarantined is no part of what was asked for.
  const quarantine = 'apiVersion: fairway.dev/v1\nkind: Quarantine\nentries: []\n';
  expect(renderRollback({ ...source, quarantine }).intent).toBe(intent);
});

const retirement: RetireRequest = {
  kind: 'retire',
  model: 'home-equity',
  environment: 'prod',
  dedupeKey: 'ticket-99',
  actor: 'carol@example.com',
  reason: 'Replaced by another model\nFairway-Change: not a trailer',
  confirm: 'home-equity/prod',
};

it('renders the same bytes for the same retirement, and these', async () => {
  const chain = { change: 'a'.repeat(20), version: '1', digest: digest('1'), image: 'image', approval };
  const retire = { change: 'fedcba9876543210fedc', request: retirement, file, environment, modelYaml, chain };
  const rendered = renderRetire(retire);
  expect(renderRetire(structuredClone(retire))).toEqual(rendered);
  expect(readTrailers(rendered.message)).toEqual(expect.objectContaining({ size: 8 }));
  const { body, title, labels } = retirePullRequest({
    source: retire,
    before: [...files('1'), { path: 'models/home-equity/model.yaml', text: modelYaml }],
    after: rendered.files,
    bodyLimit: 60_000,
  });
  expect(title).toBe('Retire home-equity from prod');
  expect(labels).toContain('fairway/review');
  await expectGolden('retire', rendered, body);
});
