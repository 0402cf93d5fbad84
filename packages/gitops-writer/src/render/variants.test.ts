import { fileURLToPath } from 'node:url';
import type { Baseline, Change, ModelVersion } from '@fairway/core';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { ownResources } from '../app/live/own-resources.ts';
import { type Canary, canaryOf } from './canary.ts';
import { type DeploySource, renderDeploy } from './deploy.ts';
import { parseModelFile } from './model-file.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const golden = (path: string) => fileURLToPath(new URL(`../../../../test/golden/writer/${path}`, import.meta.url));
const gpuImage = `tensorflow/serving@${digest('9')}`;
const host = 'scores.example.com';

const modelVersion = (version: string, bytes = 200 * 1024 * 1024): ModelVersion => ({
  model: 'm',
  version,
  digest: digest(version),
  signature: { name: 'serving_default', method: 'tensorflow/serving/predict', inputs: [], outputs: [] },
  variables: [],
  target: { variable: 'BAD', event: '1', probability: 'P' },
  metrics: {},
  origin: `directory:m/${version}`,
  bytes,
});

function source(sections: object, version = '2', change = 'c2'.repeat(10)): DeploySource {
  const file = parseModelFile(
    'm',
    JSON.stringify({
      apiVersion: 'fairway.dev/v1',
      kind: 'Model',
      name: 'm',
      owner: 'o@example.com',
      source: { registry: 'directory' },
      environments: [{ name: 'prod', namespace: 'm-prod', merge: 'review' }],
      ...sections,
    }),
  );
  const [environment] = file.environments;
  if (environment === undefined) throw new Error('the sample has an environment');
  const time = '2026-11-22T08:30:00.000Z';
  return {
    change,
    approval: { eventId: change, model: 'm', version, environment: 'prod', actor: 'a', time },
    modelVersion: modelVersion(version),
    baseline: { definition: 1, model: 'm', version, rows: 0, variables: [] } as unknown as Baseline,
    environment,
    file,
    image: `registry.example.com/models/m@${digest(version)}`,
    agentImage: `fairway/agent@${digest('c')}`,
  };
}

const folder = 'models/m/environments/prod/';
const filesOf = (of: DeploySource) =>
  new Map(renderDeploy(of).files.map(({ path, text }) => [path.slice(folder.length), text]));

const stable = {
  change: 'c1'.repeat(10),
  image: `registry.example.com/models/m@${digest('1')}`,
  modelVersion: modelVersion('1'),
};
const tail = { claim: 'scores', stateClaim: 'tail-state', files: 'scores.csv*', time: 'scored_at', score: 'p_bad' };
const VARIANTS: Record<string, readonly [sections: object, canary?: Canary]> = {
  plain: [{}],
  hpa: [{ serving: { autoscaling: { min: 3, max: 12, cpu: 60 } } }],
  route: [{ serving: { replicas: 2, timeout: '2m', route: { host } } }],
  ingress: [{ serving: { ingress: { host, class: 'nginx', tlsSecret: 'scores-tls' } } }],
  'http-route': [{ serving: { gateway: { host, name: 'public', namespace: 'gateways' } } }],
  gpu: [{ serving: { load: '15m', gpu: { image: gpuImage, nodes: { 'nvidia.com/gpu.product': 'A100' } } } }],
  canary: [{ serving: { replicas: 2, route: { host }, canary: { weight: 10 } } }, { stable, weight: 10 }],
  'blue-green': [{ serving: { gateway: { host, name: 'public' }, canary: { weight: 0 } } }, { stable, weight: 0 }],
  grpc: [{ serving: { grpc: true } }],
  'batching-metrics': [{ serving: { batching: { size: 64 }, metrics: 'all' } }],
  injector: [
    {
      capture: { agent: 'injector', eventTime: 'header', sampling: 0.5, redact: { ssn: 'hash' } },
      serving: { grpc: true },
    },
  ],
  tail: [{ capture: { tail: { ...tail, label: 'bad', recorder: 'http://fairway-recorder.fairway:8080' } } }],
};

/** The chain names the change and its approval, the model version is told by other samples. */
const TOLD_ELSEWHERE = ['baseline.json', 'modelversion.json', 'version.yaml'];

type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  configMapGenerator?: { name: string }[];
};
/** Hooks are in no comparison. */
const isApplied = ({ kind, metadata }: Manifest): boolean =>
  kind !== 'Kustomization' && metadata.annotations?.['argocd.argoproj.io/hook'] === undefined;
const change = { kind: 'deploy', model: 'm', environment: 'prod' } as Change;

describe('a variant of serving', () => {
  it.each(Object.entries(VARIANTS))('%s is rendered to these bytes, every time', async (name, [sections, canary]) => {
    const whole = { ...source(sections), ...(canary === undefined ? {} : { canary }) };
    const files = filesOf(whole);
    expect(filesOf(structuredClone(whole))).toEqual(files);
    for (const told of TOLD_ELSEWHERE) files.delete(told);
    for (const [path, text] of files) await expect(text).toMatchFileSnapshot(golden(`variants/${name}/${path}`));
    const { resources } = parse(files.get('kustomization.yaml') ?? '') as { resources: string[] };
    const objects = [...files.keys()].filter((path) => path.endsWith('.yaml') && path !== 'kustomization.yaml');
    expect(objects.sort()).toEqual(resources);
  });

  it.each(Object.entries(VARIANTS))(
    '%s has nothing that the proof of what is live does not know',
    (_, [sections, canary]) => {
      const whole = { ...source(sections), golden: '{}\n', ...(canary === undefined ? {} : { canary }) };
      const known = ownResources({ ...change, id: whole.change }).map(
        ({ group, kind, name }) => `${group}/${kind} ${name}`,
      );
      const objects = [...filesOf(whole)]
        .filter(([path]) => path.endsWith('.yaml') && !TOLD_ELSEWHERE.includes(path))
        .map(([, text]) => parse(text) as Manifest);
      const generated = objects.flatMap(({ configMapGenerator = [] }) => configMapGenerator);
      const names = objects.filter(isApplied).map(({ apiVersion, kind, metadata }) => {
        const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
        return `${group}/${kind} ${metadata.name}`;
      });
      expect(known).toEqual(expect.arrayContaining([...names, ...generated.map(({ name }) => `/ConfigMap ${name}`)]));
    },
  );

  it('waits for a model as long as its size says, and the rollout longer', () => {
    type Spec = {
      progressDeadlineSeconds: number;
      template: { spec: { containers: { startupProbe: { failureThreshold: number } }[] } };
    };
    const limits = (bytes: number) => {
      const text = filesOf({ ...source({}), modelVersion: modelVersion('2', bytes) }).get('deployment.yaml') ?? '';
      const { spec } = parse(text) as { spec: Spec };
      return [spec.template.spec.containers[0]?.startupProbe.failureThreshold, spec.progressDeadlineSeconds];
    };
    expect(limits(1)).toEqual([121, 600]);
    expect(limits(20 * 1024 ** 3)).toEqual([4216, 8492]);
  });
});

describe('a canary', () => {
  const sections = { serving: { route: {}, canary: { weight: 10 } } };
  /** The folder as a merge leaves it. */
  const merged = (of: DeploySource) => {
    const files = new Map(renderDeploy(of).files.map(({ path, text }) => [path, text]));
    return (path: string) => Promise.resolve(files.get(path));
  };
  const nothing = () => Promise.resolve(undefined);
  const first = source(sections, '1', stable.change);
  const second = source(sections, '2');
  const whole = (of: DeploySource, canary: Canary | undefined) => (canary === undefined ? of : { ...of, canary });

  it('is no canary where nothing serves yet, or model.yaml wants none', async () => {
    expect(await canaryOf(first, nothing)).toBeUndefined();
    expect(await canaryOf(source({}, '2'), merged(first))).toBeUndefined();
  });

  it('goes on with the version before until it is approved again', async () => {
    const canary = await canaryOf(second, merged(first));
    expect(canary).toEqual({ stable, weight: 10 });
    const begun = merged(whole(second, canary));
    expect(await canaryOf(second, begun)).toEqual(canary);
    expect(await canaryOf({ ...second, change: 'c3'.repeat(10) }, begun)).toBeUndefined();
  });

  it('keeps what was whole when a third version comes, and goes back to it whole', async () => {
    const begun = merged(whole(second, await canaryOf(second, merged(first))));
    expect(await canaryOf(source(sections, '3', 'c4'.repeat(10)), begun)).toEqual({ stable, weight: 10 });
    expect(await canaryOf(source(sections, '1', 'c5'.repeat(10)), begun)).toBeUndefined();
  });

  it('takes no canary out of files that say nothing', async () => {
    const said = (texts: Record<string, string>) => (path: string) => Promise.resolve(texts[path.slice(folder.length)]);
    expect(await canaryOf(second, said({ 'version.yaml': 'no: chain', 'stable.json': '{' }))).toBeUndefined();
    const text = (await merged(first)(`${folder}version.yaml`)) ?? '';
    expect(await canaryOf(second, said({ 'version.yaml': text, 'stable.json': '{"image": 1}' }))).toBeUndefined();
  });

  it('leaves callers of the Service with the version before, whose pods nothing else chooses', () => {
    const files = filesOf({ ...second, canary: { stable, weight: 10 } });
    const read = (name: string) => parse(files.get(name) ?? '') as { spec: Record<string, unknown> };
    const chosenBy = (name: string) => (read(name).spec['selector'] as { matchLabels: object }).matchLabels;
    expect(read('service.yaml').spec['selector']).toEqual(chosenBy('stable-deployment.yaml'));
    expect(read('canary-service.yaml').spec['selector']).toEqual(chosenBy('deployment.yaml'));
    expect(chosenBy('deployment.yaml')).not.toEqual(chosenBy('stable-deployment.yaml'));
    expect(files.get('stable-deployment.yaml')).toContain(`fairway.dev/change: ${stable.change}`);
    expect(files.get('deployment.yaml')).toContain(`fairway.dev/change: ${second.change}`);
  });
});
