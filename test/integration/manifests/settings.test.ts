import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EnvSpec, readEnv, systemClock } from '@fairway/core';
import { WRITER_ENV } from '@fairway/gitops-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openForge } from '../../../packages/gitops-writer/src/forge-settings.ts';
import { gitSettings } from '../../../packages/gitops-writer/src/git-settings.ts';
import { openImages } from '../../../packages/gitops-writer/src/image-settings.ts';
import { openSources } from '../../../packages/gitops-writer/src/model-sources.ts';
import { INJECTOR_ENV } from '../../../packages/log-sidecar/src/injector/config.ts';
import { MONITOR_ENV, RECORDER_ENV } from '../../../packages/monitor/src/config.ts';
import { ROOT } from '../../guards/source.ts';
import { type KubeObject, objectsOf, rendering } from '../../manifests/render.ts';

const SPECS: Record<string, EnvSpec> = {
  writer: WRITER_ENV,
  recorder: RECORDER_ENV,
  monitor: MONITOR_ENV,
  injector: INJECTOR_ENV,
};
/** Read by Node itself. */
const NODES_OWN = ['NODE_OPTIONS'];
const SECRETS = '/etc/fairway/secrets/';
const SAMPLES: Record<string, string> = {
  DATABASE_URL: 'postgres://fairway:secret@postgres.example.com/fairway',
  QUEUE_URL: 'rediss://:secret@redis.example.com:6379',
  WRITER_TOKEN: 'writer-token-of-a-sample',
  MONITOR_TOKEN: 'monitor-token-of-a-sample',
  FORGE_TOKEN: 'forge-token-of-a-sample',
  WEBHOOK_SECRET: 'webhook-secret-of-a-sample',
  REGISTRY_AUTH: '{"auths":{}}',
};

type Container = {
  name: string;
  env?: { name: string; value: string }[];
  envFrom?: { configMapRef: { name: string } }[];
  volumeMounts: { name: string; mountPath: string }[];
};
type Pod = { containers: [Container]; volumes: { name: string; secret?: { secretName: string } }[] };

/** What the pod of a service finds in its environment. */
function environmentOf(objects: readonly KubeObject[], service: string): Record<string, string> {
  const { containers } = podOf(objects, service);
  const [{ env = [], envFrom = [] }] = containers;
  const maps = envFrom.map(({ configMapRef }) => {
    const found = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name);
    return (found?.['data'] ?? {}) as Record<string, string>;
  });
  return Object.assign({}, ...maps, Object.fromEntries(env.map(({ name, value }) => [name, value]))) as Record<
    string,
    string
  >;
}

function specOf(objects: readonly KubeObject[], wanted: string, name: string): unknown {
  const found = objects.find(({ kind, metadata }) => kind === wanted && metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${wanted} ${name}`);
  return found['spec'];
}

function podOf(objects: readonly KubeObject[], service: string): Pod {
  const spec = specOf(objects, 'Deployment', `fairway-${service}`) as { template: { spec: Pod } };
  return spec.template.spec;
}

const secretFiles = (env: Record<string, string>): string[] =>
  Object.values(env).flatMap((value) => (value.startsWith(SECRETS) ? [value.slice(SECRETS.length)] : []));

describe.each([
  ['openshift', ['writer', 'recorder', 'monitor', 'injector']],
  ['kubernetes', ['writer', 'recorder', 'monitor', 'injector']],
  ['trial', ['writer', 'recorder', 'monitor']],
])('the settings of overlay %s', (overlay, services) => {
  let objects: readonly KubeObject[];
  let mounted: string;
  beforeAll(() => {
    objects = rendering(`manifests/install/overlays/${overlay}`).objects;
    mounted = mkdtempSync(join(tmpdir(), 'fairway-settings-'));
    mkdirSync(join(mounted, 'data'));
    for (const [name, value] of Object.entries(SAMPLES)) writeFileSync(join(mounted, name), `${value}\n`);
  });
  afterAll(() => rmSync(mounted, { recursive: true, force: true }));

  const here = (service: string) =>
    Object.fromEntries(
      Object.entries(environmentOf(objects, service)).map(([name, value]) => [
        name,
        value.startsWith(SECRETS) ? join(mounted, value.slice(SECRETS.length)) : value,
      ]),
    );

  it.each(services)('are all known to the %s', (service) => {
    const spec = SPECS[service] ?? {};
    const unknown = Object.keys(environmentOf(objects, service)).filter(
      (name) => !(name in spec) && !(name.replace(/_FILE$/, '') in spec) && !NODES_OWN.includes(name),
    );
    expect(unknown).toEqual([]);
  });

  it.each(services)('are enough for the %s to start', (service) => {
    expect(() => readEnv(here(service), SPECS[service] ?? {})).not.toThrow();
  });

  it('fit together in the writer', () => {
    const env = { ...readEnv(here('writer'), WRITER_ENV), DATA_DIR: join(mounted, 'data') };
    const { credentials } = openForge(env, systemClock);
    expect(gitSettings(env, credentials, systemClock, undefined).branch).toBe('main');
    expect(() => openImages(env)).not.toThrow();
    expect(openSources(env, join(mounted, 'data'), systemClock).connected.length).toBeGreaterThan(0);
  });

  it.each(services)('come to the %s as files of a Secret that is mounted there', (service) => {
    const env = environmentOf(objects, service);
    const { containers, volumes } = podOf(objects, service);
    const mounts = containers[0].volumeMounts.map(({ mountPath }) => `${mountPath}/`);
    const files = Object.values(env).filter((value) => value.startsWith('/etc/fairway/'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files)
      expect(
        mounts.some((mount) => file.startsWith(mount)),
        file,
      ).toBe(true);
    if (service !== 'injector')
      expect(volumes).toContainEqual({ name: 'secrets', secret: { secretName: `fairway-${service}` } });
  });
});

type Vault = { target: { name: string }; data: { secretKey: string }[] };
type Sealed = { encryptedData: Record<string, string>; template: { metadata: { name: string; namespace: string } } };
type Scaler = { secretTargetRef: { name: string; key: string }[] };

/** Files of the queue's Secret that the agent in the writer's sample reads; it redacts by hash. */
function agentFiles(): string[] {
  const sample = readFileSync(join(ROOT, 'test/golden/writer/deploy/deployment.yaml'), 'utf8');
  const { template } = specOf(objectsOf(sample), 'Deployment', 'home-equity') as {
    template: { spec: { initContainers: [Container] } };
  };
  const values = (template.spec.initContainers[0].env ?? []).flatMap(({ value }) => value ?? []);
  return values.flatMap((value) => /^\/etc\/fairway-queue\/(.+)$/.exec(value)?.[1] ?? []).sort();
}

describe.each([
  [
    'external-secrets.yaml',
    'ExternalSecret',
    (spec: unknown) => (spec as Vault).data.map((one) => one.secretKey),
    (spec: unknown) => ({ name: (spec as Vault).target.name }),
  ],
  [
    'sealed-secrets.yaml',
    'SealedSecret',
    (spec: unknown) => Object.keys((spec as Sealed).encryptedData),
    (spec: unknown) => (spec as Sealed).template.metadata,
  ],
] as const)('the example %s', (file, kind, keysOf, madeBy) => {
  const examples = objectsOf(readFileSync(join(ROOT, 'manifests/install/examples', file), 'utf8'));
  const keys = (name: string) => keysOf(specOf(examples, kind, name)).toSorted();

  it.each(['writer', 'recorder', 'monitor'])('brings every file that the %s reads, and no other', (service) => {
    const objects = rendering('manifests/install/overlays/openshift').objects;
    expect(keys(`fairway-${service}`)).toEqual(secretFiles(environmentOf(objects, service)).sort());
  });

  it("brings every file that an agent reads, into a model's namespace, and what KEDA asks for", () => {
    expect(agentFiles()).toEqual(['hash-key', 'prefix', 'url']);
    expect(keys('fairway-queue')).toEqual(agentFiles());
    expect(examples.find(({ metadata }) => metadata.name === 'fairway-queue')?.metadata.namespace).not.toBe('fairway');
    const scaled = rendering('manifests/install/overlays/kubernetes').objects;
    const { secretTargetRef } = specOf(scaled, 'TriggerAuthentication', 'fairway-recorder-queue') as Scaler;
    expect(secretTargetRef.map(({ name }) => name)).toEqual(['fairway-queue-scaler']);
    expect(keys('fairway-queue-scaler')).toEqual(secretTargetRef.map(({ key }) => key));
  });

  it('makes Secrets of the names that it has itself', () => {
    for (const { metadata, ...object } of examples)
      expect({ name: metadata.name, namespace: metadata.namespace }).toMatchObject(madeBy(object['spec']));
  });
});
