import { fileURLToPath } from 'node:url';
import { sha256 } from '@fairway/core';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { type DeploySource, renderDeploy } from './deploy.ts';
import { parseModelFile } from './model-file.ts';
import { proveEnvironment } from './proof.ts';
import { deployPullRequest } from './pull-request.ts';

const expected = (name: string) =>
  fileURLToPath(new URL(`../../../../test/golden/writer/smoke/${name}`, import.meta.url));
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const file = parseModelFile(
  'm',
  `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: o@example.com
source: { registry: directory }
environments:
  - { name: prod, namespace: m-prod, merge: review }
`,
);
const [environment] = file.environments;
if (environment === undefined) throw new Error('the sample has an environment');

const golden =
  '{"name":"a","inputs":{"X":[[1.0]]},"outputs":{"P":[[NaN]]}}\r\n\n{"instances":[[2]],"outputs":{"P":[[1]]}}';
const source = {
  change: 'bf4e2a6bd43a9fb5dd4d',
  approval: {
    eventId: 'e',
    model: 'm',
    version: '2',
    environment: 'prod',
    actor: 'a',
    time: '2026-11-22T08:30:00.000Z',
  },
  modelVersion: {
    model: 'm',
    version: '2',
    digest: digest('2'),
    signature: { name: 'serving_default', method: 'tensorflow/serving/predict', inputs: [], outputs: [] },
    variables: [],
    target: { variable: 'BAD', event: '1', probability: 'P' },
    metrics: {},
    origin: 'directory:m/2',
  },
  baseline: {
    definition: 1,
    model: 'm',
    version: '2',
    rows: 3,
    events: 1,
    source: 'b'.repeat(64),
    variables: [],
    performance: { auc: 0.9, ks: 0.6, rows: 3, events: 1 },
    scores: [],
  },
  environment,
  file,
  image: `registry.example.com/models/m@${digest('a')}`,
  agentImage: `fairway/agent@${digest('c')}`,
} satisfies DeploySource;

const folder = 'models/m/environments/prod/';
const filesOf = (rendered: ReturnType<typeof renderDeploy>) =>
  new Map(rendered.files.map(({ path, text }) => [path.slice(folder.length), text]));
const asGit = (rendered: ReturnType<typeof renderDeploy>) =>
  rendered.files.map(({ path, text }) => ({ path, mode: '100644', bytes: Buffer.from(text) }));

describe('golden cases', () => {
  it('are rendered to these bytes, the cases themselves as they were registered', async () => {
    const files = filesOf(renderDeploy({ ...source, golden }));
    for (const name of ['kustomization.yaml', 'smoke-service.yaml', 'smoke.yaml'])
      await expect(files.get(name)).toMatchFileSnapshot(expected(name));
    expect(files.get('golden.jsonl')).toBe(golden);
    expect(files.get('smoke.yaml')).toContain(sha256(golden));
  });

  it('change nothing else, and nothing where there are none', () => {
    const [without, with_] = [filesOf(renderDeploy(source)), filesOf(renderDeploy({ ...source, golden }))];
    const added = [...with_.keys()].filter((name) => !without.has(name));
    expect(added.sort()).toEqual(['golden.jsonl', 'smoke-service.yaml', 'smoke.yaml']);
    const differing = [...without].filter(([name, text]) => with_.get(name) !== text).map(([name]) => name);
    expect(differing.sort()).toEqual(['kustomization.yaml', 'version.yaml']);
  });

  it('are bound into the chain: a byte more, and the folder proves nothing', () => {
    const rendered = renderDeploy({ ...source, golden });
    const problems = (files: ReturnType<typeof asGit>) => proveEnvironment('m', 'prod', files).problems;
    const intact = problems(asGit(rendered));
    const changed = asGit(rendered).map((one) =>
      one.path.endsWith('golden.jsonl') ? { ...one, bytes: Buffer.concat([one.bytes, Buffer.from('\n')]) } : one,
    );
    const missing = asGit(rendered).filter(({ path }) => !path.endsWith('golden.jsonl'));
    expect(problems(changed).length).toBe(intact.length + 1);
    expect(problems(changed)).toContain(
      'The intent hash does not fit the files: they are not those that were approved.',
    );
    expect(problems(missing).length).toBe(intact.length + 1);
    expect(renderDeploy({ ...source, golden: `${golden}\n` }).intent).not.toBe(rendered.intent);
  });

  it('are asked by a pod that no Service of the model chooses', () => {
    const files = filesOf(renderDeploy({ ...source, golden }));
    const chosen = ['service.yaml', 'smoke-service.yaml'].map(
      (name) => (parse(files.get(name) ?? '') as { spec: { selector: Record<string, string> } }).spec.selector,
    );
    const job = parse(files.get('smoke.yaml') ?? '') as {
      spec: { template: { metadata: { labels: Record<string, string> } } };
    };
    const { labels } = job.spec.template.metadata;
    for (const selector of chosen)
      expect(Object.entries(selector).every(([key, value]) => labels[key] === value)).toBe(false);
  });

  it.each([
    [golden, 'After the rollout 2 golden cases are asked; one that is not answered as wanted fails the change.'],
    ['{}\n', 'After the rollout 1 golden case is asked;'],
    [undefined, undefined],
  ])('are told in the pull request', (cases, said) => {
    const whole = { ...source, ...(cases === undefined ? {} : { golden: cases }) };
    const after = renderDeploy(whole).files;
    const { body } = deployPullRequest({ ...whole, before: [], after, bodyLimit: 65_536 });
    expect(body.includes('golden case')).toBe(said !== undefined);
    expect(body).toContain(said ?? 'Deployment');
  });
});
