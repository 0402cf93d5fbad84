import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Baseline, ModelVersion, RetrainRequest } from '@fairway/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kindOf } from '../../../packages/cli/src/stack/kube/kinds.ts';
import { renderDeploy } from '../../../packages/gitops-writer/src/render/deploy.ts';
import { parseModelFile, retrainOf, servingOf } from '../../../packages/gitops-writer/src/render/model-file.ts';
import { trainingObjects } from '../../../packages/gitops-writer/src/render/retrain.ts';
import { toYaml } from '../../../packages/gitops-writer/src/render/yaml.ts';
import { ROOT } from '../../guards/source.ts';
import { policyProblems } from '../../manifests/policy.ts';
import { type KubeObject, objectsOf } from '../../manifests/render.ts';
import { schemaProblems } from '../../manifests/schema.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const GOLDEN = join(ROOT, 'test/golden/writer');

const isObject = ({ apiVersion, kind }: KubeObject): boolean =>
  kind !== 'Kustomization' && !apiVersion.startsWith('fairway.dev/');

const objectsIn = (files: readonly { path: string; text: string }[]): KubeObject[] =>
  files
    .filter(({ path }) => path.endsWith('.yaml'))
    .flatMap(({ text }) => objectsOf(text))
    .filter((object) => typeof object.kind === 'string')
    .filter(isObject);

/** Both judges at once. */
const problemsOf = (objects: readonly KubeObject[]): string[] => [
  ...schemaProblems(objects),
  ...policyProblems(objects, { production: false }),
];

const action = fc.constantFrom('drop', 'hash', 'truncate:3', 'truncate:9999');
const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const host = fc.constantFrom('a.example.com', 'scores.ml.example.com');
const amount = fc.record({
  cpu: maybe(fc.constantFrom('1m', '500m', '2', '1.5')),
  memory: maybe(fc.constantFrom('64Mi', '1Gi')),
  memoryLimit: maybe(fc.constantFrom('2Gi', '4096Mi')),
});
const route = fc.record({ host: maybe(host) });
const gateway = fc.record({ host, name, namespace: maybe(name) });
const doors = fc.oneof(
  fc.constant({}),
  fc.record({ route }),
  fc.record({ gateway }),
  fc.record({ ingress: fc.record({ host, class: maybe(name), tlsSecret: name }) }),
);
const canary = fc.record({ weight: fc.integer({ min: 0, max: 99 }) });
const scale = fc.oneof(
  fc.record({ replicas: fc.integer({ min: 1, max: 100 }), doors }),
  fc.record({
    replicas: fc.integer({ min: 1, max: 3 }),
    canary,
    doors: fc.oneof(fc.record({ route }), fc.record({ gateway })),
  }),
  fc.record({
    autoscaling: fc.record({ min: fc.integer({ min: 1, max: 9 }), max: fc.integer({ min: 9, max: 99 }) }),
    doors,
  }),
);
/** What a model may say about how it is served. */
const serving = fc
  .tuple(
    scale,
    fc.record({
      load: maybe(fc.constantFrom('1s', '15m', '2h')),
      timeout: maybe(fc.constantFrom('5s', '30s', '10m')),
      resources: maybe(amount),
      batching: maybe(fc.record({ size: fc.integer({ min: 1, max: 1024 }) })),
      gpu: maybe(
        fc.record({
          image: fc.constant(`tensorflow/serving@${digest('9')}`),
          count: fc.integer({ min: 1, max: 16 }),
          nodes: maybe(fc.constant({ 'nvidia.com/gpu.product': 'A100' })),
        }),
      ),
      grpc: maybe(fc.boolean()),
      metrics: maybe(fc.constantFrom('serving', 'all')),
      networkPolicy: maybe(fc.boolean()),
    }),
  )
  .map(([{ doors: way, ...size }, rest]) => ({ ...size, ...way, ...rest }));
const tail = fc.record({
  claim: name,
  stateClaim: name,
  files: fc.constantFrom('scores.csv*', 'a/b.json'),
  time: fc.string({ minLength: 1, maxLength: 9, unit: 'grapheme-ascii' }),
  score: fc.constant('p_bad'),
});

/** A model.yaml with every option that people have. */
const modelFile = fc.record({
  model: name,
  serving,
  agent: fc.constantFrom('sidecar', 'injector'),
  tail: maybe(tail),
  deadline: maybe(fc.constantFrom('1h', '2d')),
  trainer: maybe(amount),
  bytes: maybe(fc.integer({ min: 0, max: 2 ** 40 })),
  eventTime: fc.constantFrom('header', 'wall-clock'),
  sampling: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  redact: fc.option(fc.dictionary(fc.stringMatching(/^[A-Za-z_.$ -]{1,20}$/), action, { maxKeys: 4 }), {
    nil: undefined,
  }),
  bodyBytes: fc.option(fc.integer({ min: 1024, max: 16_777_216 }), { nil: undefined }),
  gateMargin: fc.double({ min: 0, max: 1, noNaN: true }),
  golden: fc.boolean(),
});
type Options = typeof modelFile extends fc.Arbitrary<infer T> ? T : never;

const retrainRequest = (model: string): RetrainRequest =>
  ({
    kind: 'retrain',
    model,
    version: '1',
    environment: 'prod',
    dedupeKey: 'key',
    actor: 'fairway-monitor',
    windows: [],
    moved: [],
    verdict: { window: { period: '2026Q2' }, state: 'alert', findings: [], metrics: {} },
    snapshot: { id: 's', file: 's.csv.gz', sha256: 'e'.repeat(64), columns: [], rows: 1, labels: 1, events: 1 },
  }) as unknown as RetrainRequest;

function rendered(options: Options): { path: string; text: string }[] {
  const { model, agent, tail: tailing, eventTime, sampling, redact, bodyBytes, gateMargin, golden } = options;
  const yaml = {
    apiVersion: 'fairway.dev/v1',
    kind: 'Model',
    name: model,
    owner: 'team@example.com',
    source: { registry: 'directory' },
    capture: { eventTime, sampling, redact, bodyBytes, agent, tail: tailing },
    serving: options.serving,
    retrain: {
      image: `registry.example.com/trainer@${digest('7')}`,
      gateMargin,
      deadline: options.deadline,
      resources: options.trainer,
    },
    environments: [{ name: 'prod', namespace: `${model}-prod`, merge: 'review' }],
  };
  const file = parseModelFile(model, JSON.stringify(yaml));
  const [environment] = file.environments;
  if (environment === undefined) throw new Error('the model has an environment');
  const modelVersion: ModelVersion = {
    model,
    version: '2',
    digest: digest('2'),
    metrics: {},
    origin: 'directory',
    ...(options.bytes === undefined ? {} : { bytes: options.bytes }),
    target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
    variables: [],
    signature: { name: 'serving_default', method: 'tensorflow/serving/predict', inputs: [], outputs: [] },
  };
  const baseline = { definition: 1, model, version: '2', rows: 0, variables: [] } as unknown as Baseline;
  const approval = {
    eventId: 'e',
    model,
    version: '2',
    environment: 'prod',
    actor: 'a',
    time: '2026-11-22T08:30:00.000Z',
  };
  const stable = { change: 'f'.repeat(20), image: `m@${digest('1')}`, modelVersion: { ...modelVersion, version: '1' } };
  const weight = servingOf(file, 'prod').canary?.weight;
  const deploy = renderDeploy({
    change: '0123456789abcdef0123',
    ...(weight === undefined ? {} : { canary: { stable, weight } }),
    modelVersion,
    environment,
    file,
    approval,
    baseline,
    image: `registry.example.com/models/${model}@${digest('3')}`,
    agentImage: `registry.example.com/agent@${digest('4')}`,
    ...(golden ? { golden: '{"instances": []}\n' } : {}),
  });
  const training = {
    change: 'fedcba9876543210fedc',
    request: retrainRequest(model),
    file: { ...file, retrain: retrainOf(file) },
  };
  return [...deploy.files, ...trainingFiles(training)];
}

/** Job and account; what else lies in the folder is told by other tests. */
function trainingFiles(source: Parameters<typeof trainingObjects>[0]): { path: string; text: string }[] {
  return Object.entries(trainingObjects(source)).map(([path, object]) => ({ path, text: toYaml(object) }));
}

it('renders only what a cluster knows and our rules allow, whatever model.yaml says', () => {
  // Rendered first and judged together: the compiler takes a second to start.
  const objects = fc.sample(modelFile, { numRuns: 60 }).flatMap((options) => objectsIn(rendered(options)));
  expect(objects.length).toBeGreaterThan(150);
  expect(problemsOf(objects)).toEqual([]);
});

it('keeps the same in every golden file', () => {
  const files = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => ({ path, text: readFileSync(join(GOLDEN, path), 'utf8') }));
  const objects = objectsIn(files);
  expect(new Set(objects.map(({ kind }) => kind))).toEqual(
    new Set([
      'ConfigMap',
      'Deployment',
      'HTTPRoute',
      'HorizontalPodAutoscaler',
      'Ingress',
      'Job',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Route',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
    ]),
  );
  expect(problemsOf(objects)).toEqual([]);
  // The embedded cluster has to take it as well.
  expect(objects.filter((object) => kindOf(object) === undefined)).toEqual([]);
});
