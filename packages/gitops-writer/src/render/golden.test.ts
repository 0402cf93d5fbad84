import { fileURLToPath } from 'node:url';
import type { Approval, Baseline, Compared, ModelVersion, RetrainRequest, Verdict } from '@fairway/core';
import { expect, it } from 'vitest';
import { renderDeploy, type Rendered } from './deploy.ts';
import { parseModelFile, retrainOf, servingOf } from './model-file.ts';
import { deployPullRequest } from './pull-request.ts';
import { retrainPullRequest, retrainReport } from './report.ts';
import { renderRetrain } from './retrain.ts';

const golden = (path: string) => fileURLToPath(new URL(`../../../../test/golden/writer/${path}`, import.meta.url));
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const file = parseModelFile(
  'home-equity',
  `apiVersion: fairway.dev/v1
kind: Model
name: home-equity
owner: credit-risk@example.com
source: { registry: directory }
capture:
  eventTime: header
  sampling: 0.25
  redact: { ssn: drop, name: hash, zip: 'truncate:3' }
  bodyBytes: 65536
serving: { replicas: 2 }
retrain:
  image: registry.example.com/home-equity-trainer@${digest('7')}
  gateMargin: 0.01
  gateZ: 1.96
environments:
  - { name: dev, namespace: home-equity-dev, merge: auto }
  - { name: prod, namespace: home-equity-prod, merge: review }
`,
);
const environment = file.environments[1];
if (environment === undefined) throw new Error('the sample has an environment');

const withReplicas = (replicas: number) => ({ ...file, serving: { prod: { ...servingOf(file, 'prod'), replicas } } });

const modelVersion = (version: string, auc: number, inputs: readonly string[]): ModelVersion => ({
  model: 'home-equity',
  version,
  digest: digest(version),
  signature: {
    name: 'serving_default',
    method: 'tensorflow/serving/predict',
    inputs: inputs.map((name) => ({ name, dtype: 'DT_FLOAT', shape: [-1, 1] })),
    outputs: [{ name: 'P_BAD1', dtype: 'DT_FLOAT', shape: [-1, 1] }],
  },
  variables: [
    ...inputs.map((name) => ({ name, type: 'decimal' as const, role: 'input' as const })),
    { name: 'P_BAD1', type: 'decimal', role: 'output' },
  ],
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
  metrics: { auc, ks: auc - 0.3 },
  origin: `directory:home-equity/${version}`,
  bytes: 52_480,
});
const approval: Approval = {
  eventId: 'sas-task-4711',
  model: 'home-equity',
  version: '2',
  environment: 'prod',
  actor: 'alice@example.com',
  time: '2026-11-22T08:30:00.000Z',
  evidence: 'Validation report <b>V-12</b> | agreed\nby the committee',
};
const baseline: Baseline = {
  definition: 1,
  model: 'home-equity',
  version: '2',
  rows: 3,
  events: 1,
  source: 'b'.repeat(64),
  variables: [],
  performance: { auc: 0.9, ks: 0.6, rows: 3, events: 1 },
  scores: [[5000, 2, 1]],
};
const deploy = {
  change: '0123456789abcdef0123',
  approval,
  modelVersion: modelVersion('2', 0.9023, ['DEBTINC', 'LOAN']),
  baseline,
  environment,
  file,
  image: `registry.example.com/models/home-equity@${digest('a')}`,
  agentImage: `fairway/agent@${digest('c')}`,
};

const verdict = (period: string, state: Verdict['state'], auc: number): Verdict => ({
  id: `v-${period}`,
  window: {
    model: 'home-equity',
    version: '1',
    environment: 'prod',
    period,
    start: '2026-01-01T00:00:00.000Z',
    end: '2026-04-01T00:00:00.000Z',
  },
  state,
  metrics: {
    predictions: 2400,
    labelled: 2400,
    events: 480,
    auc,
    aucInterval: [auc - 0.02, auc + 0.02],
    ks: auc - 0.3,
    gini: 2 * auc - 1,
    meanScore: 0.2,
    eventRate: 0.2,
    brier: 0.1,
    psi: { LOAN: 0.31, DEBTINC: null },
    psiWithMissing: {},
    missing: {},
    scorePsi: 0.1,
  },
  findings:
    state === 'healthy'
      ? []
      : [
          {
            rule: 'auc-decay',
            metric: 'auc',
            value: auc,
            limit: 0.8,
            op: '<',
            sample: 2400,
            severity: 'alert',
            message: `AUC is ${auc}, below 0.8.`,
          },
        ],
  policy: 'c'.repeat(40),
  counts: 'd'.repeat(64),
  judgedAt: '2026-11-22T08:30:00.000Z',
});
const request: RetrainRequest = {
  kind: 'retrain',
  model: 'home-equity',
  version: '1',
  environment: 'prod',
  dedupeKey: 'home-equity 1 auc-decay 2026Q2',
  actor: 'fairway-monitor',
  verdict: verdict('2026Q2', 'alert', 0.74),
  windows: [verdict('2026Q1', 'healthy', 0.88)],
  moved: [
    {
      kind: 'relation',
      metric: 'auc',
      value: 0.14,
      before: null,
      strength: 3,
      share: 0.75,
      sentence: 'AUC fell from 0.880 to 0.740, and the change of the scores explains 0.000 of it.',
    },
  ],
  charts: [{ name: 'auc', title: 'AUC is 0.740 in 2026Q2.', svg: '<svg xmlns="http://www.w3.org/2000/svg"></svg>\n' }],
  snapshot: {
    id: 's-1',
    model: 'home-equity',
    version: '1',
    environment: 'prod',
    file: 'home-equity-1-2026Q2.csv.gz',
    query: 'SELECT * FROM monitoring.labelled',
    start: '2026-01-01T00:00:00.000Z',
    end: '2026-07-01T00:00:00.000Z',
    rows: 4800,
    labels: 4800,
    events: 960,
    columns: [{ name: 'LOAN', type: 'number' }],
    sha256: 'e'.repeat(64),
    createdAt: '2026-11-22T08:30:00.000Z',
  },
};
const retrain = {
  change: 'fedcba9876543210fedc',
  request,
  file: { ...file, retrain: retrainOf(file) },
};

async function expectGolden(
  folder: string,
  { folders: [root = ''], files, message }: Rendered,
  body: string,
): Promise<void> {
  for (const { path, text } of files)
    await expect(text).toMatchFileSnapshot(golden(`${folder}/${path.slice(root.length + 1)}`));
  await expect(message).toMatchFileSnapshot(golden(`${folder}/COMMIT_MESSAGE`));
  await expect(body).toMatchFileSnapshot(golden(`${folder}/PULL_REQUEST.md`));
}

it('renders the same bytes for the same approval, and these', async () => {
  const rendered = renderDeploy(deploy);
  expect(renderDeploy(structuredClone(deploy))).toEqual(rendered);
  const current = { ...modelVersion('1', 0.8911, ['AGE', 'LOAN']), bytes: 48_000 };
  const before = renderDeploy({
    ...deploy,
    change: 'f'.repeat(20),
    modelVersion: current,
    approval: { ...approval, eventId: 'sas-task-1', version: '1' },
    file: withReplicas(1),
    image: `registry.example.com/models/home-equity@${digest('b')}`,
  });
  const { body, title } = deployPullRequest({
    ...deploy,
    current,
    before: before.files,
    after: rendered.files,
    live: { number: 7, url: 'https://forge.example.com/bank/gitops/pulls/7', state: 'merged', headSha: 'd'.repeat(40) },
    dashboardUrl: 'https://fairway.example.com',
    bodyLimit: 65_536,
  });
  expect(title).toBe('Deploy home-equity 2 to prod');
  await expectGolden('deploy', rendered, body);
});

it('binds the intent to every rendered byte', () => {
  const { intent } = renderDeploy(deploy);
  expect(renderDeploy({ ...deploy, file: withReplicas(3) }).intent).not.toBe(intent);
  expect(renderDeploy({ ...deploy, approval: { ...approval, actor: 'mallory' } }).intent).not.toBe(intent);
  expect(renderDeploy({ ...deploy, baseline: { ...baseline, rows: 4 } }).intent).not.toBe(intent);
});

it('renders the same bytes for the same retrain request, and these', async () => {
  const rendered = renderRetrain(retrain);
  const { body, title } = retrainPullRequest({ source: retrain, before: [], after: rendered.files, bodyLimit: 65_536 });
  expect(title).toBe('Retrain home-equity after 2026Q2 (prod)');
  await expectGolden('retrain', rendered, body);
});

it('tells where the model does worst, if the policy asks for segments', () => {
  const segment = { where: { JOB: 'Other', LOAN: '> 30400' }, labelled: 212, eventRate: 0.3 };
  const figures = { metric: 'auc' as const, value: 0.5512, interval: [0.47, 0.63] as const, overall: 0.74 };
  const worst = { ...request, verdict: { ...request.verdict, segments: [{ ...segment, ...figures }] } };
  const { body } = retrainPullRequest({
    source: { ...retrain, request: worst },
    before: [],
    after: [],
    bodyLimit: 65_536,
  });
  expect(body).toContain('## Worst segments');
  expect(body).toMatch(
    /\| JOB Other, LOAN .{1,6}30400 \| auc \| 0\.5512 \| 0\.4700 to 0\.6300 \| 0\.7400 \| 212 \| 0\.3000 \|/,
  );
});

it('shows of a loss what was lost of what, and of a segment how far it lies from all', () => {
  const finding = { limit: 0.1, op: '>' as const, sample: 2400, severity: 'alert' as const, message: 'It lost.' };
  const findings = [
    { ...finding, rule: 'lost', metric: 'auc', value: 0.159, compared: compared('relative-decay', 0.74, 0.88) },
    { ...finding, rule: 'rise', metric: 'mae', value: 2, compared: compared('absolute-decay', 7, 5) },
    { ...finding, rule: 'weak', metric: 'auc', variable: 'JOB x', value: 0.2, compared: compared('segment', 0.5, 0.7) },
    { ...finding, rule: 'old', metric: 'auc', value: 0.159 },
  ];
  const source = { ...retrain, request: { ...request, verdict: { ...request.verdict, findings } } };
  expect(retrainReport(source).match(/^\| (lost|rise|weak|old) .*$/gm)).toEqual([
    '| lost | relative decay of auc | 0.1590 (0.7400 against 0.8800) | \\> 0.1000 | – | 2,400 |',
    '| rise | absolute decay of mae | 2.0000 (7.0000 against 5.0000) | \\> 0.1000 | – | 2,400 |',
    '| weak | auc of JOB x, distance from all | 0.2000 (0.5000 against 0.7000) | \\> 0.1000 | – | 2,400 |',
    // As judged before: nothing says that it was a loss.
    '| old | auc | 0.1590 | \\> 0.1000 | – | 2,400 |',
  ]);

  function compared(as: Compared['as'], figure: number, against: number): Compared {
    return { as, figure, against };
  }
});

it('tells which rules had no say', () => {
  const open = [
    { rules: ['gini-decay', 'ks-decay'], lacks: 'reference' as const, reason: 'No share of <b> can be lost.' },
  ];
  const source = { ...retrain, request: { ...request, verdict: { ...request.verdict, unanswered: open } } };
  for (const text of [
    retrainReport(source),
    retrainPullRequest({ source, before: [], after: [], bodyLimit: 65_536 }).body,
  ]) {
    expect(text).toMatch(
      /Rules that could not be evaluated:\n\n- gini.{1,6}decay, ks.{1,6}decay: No share of .{1,8}b.{1,8} can be lost/,
    );
    expect(text).not.toContain('<b>');
  }
});

it('tells of several classes by accuracy and by the recall of each', () => {
  const classified = (one: RetrainRequest['verdict'], fir: number) => {
    const of = { accuracy: 0.8125, balancedAccuracy: 0.75, macroF1: 0.7, kappa: 0.6, logLoss: null, classPsi: 0 };
    return { ...one, metrics: { ...one.metrics, classification: { ...of, recall: { oak: null, fir } } } };
  };
  const windows = request.windows.map((one) => classified(one, 0.9));
  const source = { ...retrain, request: { ...request, verdict: classified(request.verdict, 0.5), windows } };
  const { body } = retrainPullRequest({ source, before: [], after: [], bodyLimit: 65_536 });
  expect(body).toMatch(/\| accuracy \| balanced \| macro F1 \| worst PSI/);
  expect(body).toContain('| fir | 0.5000 | 0.9000 |');
  expect(body).not.toContain('95 % interval |');
  expect(body).toMatch(/candidate accuracy at least [\d.]+ above the champion's on the same held-out rows/);
});

it.each<[gate: { readonly gateMargin: number; readonly gateZ?: number }, words: RegExp]>([
  [{ gateMargin: 0.02 }, /at least 2 % below the champion's on the same held-out rows \|/],
  [{ gateMargin: 0, gateZ: 1.96 }, /at least 0 % below .* at least 1\.96 of its standard errors above 0 \(paired\) \|/],
])('gates a model that predicts a number by its mean absolute error: %j', (gate, words) => {
  const regression = { mae: 12.5, rmse: 20, rSquared: 0.75, predictionPsi: 0.125, predictionDrift: 0 };
  const verdict = { ...request.verdict, metrics: { ...request.verdict.metrics, aucInterval: null, regression } };
  const { image, deadlineSeconds, resources } = retrain.file.retrain;
  const source = {
    ...retrain,
    request: { ...request, verdict },
    file: { ...retrain.file, retrain: { image, deadlineSeconds, resources, ...gate } },
  };
  const { body } = retrainPullRequest({ source, before: [], after: [], bodyLimit: 65_536 });
  expect(body).toMatch(new RegExp(`candidate mean absolute error ${words.source}`));
  expect(body).not.toContain('AUC at least');
  expect(body).not.toContain('DeLong');
});
