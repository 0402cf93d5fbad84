import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../guards/source.ts';
import { policyProblems } from '../../manifests/policy.ts';
import {
  combinations,
  examples,
  kustomize,
  kustomizeText,
  type KubeObject,
  type Rendering,
  rendering,
  scratch,
  shippedOverlays,
} from '../../manifests/render.ts';
import { schemaProblems } from '../../manifests/schema.ts';

describe('what is shipped', () => {
  let overlays: Rendering[];
  beforeAll(() => {
    overlays = shippedOverlays().map(rendering);
  });

  it('names the overlays', () => {
    expect(overlays.map(({ where }) => where)).toEqual(
      expect.arrayContaining([
        'manifests/install/overlays/kubernetes',
        'manifests/install/overlays/openshift',
        'manifests/install/overlays/trial',
        'manifests/argocd',
      ]),
    );
  });

  it('has no unknown field, in any overlay, combination of components or example', () => {
    const kinds = examples().map(({ objects }) => [...new Set(objects.map(({ kind }) => kind))]);
    expect(kinds).toEqual([['ExternalSecret'], ['SealedSecret']]);
    const all = [...overlays, ...combinations(), ...examples()].flatMap(({ objects }) => objects);
    expect(all.length).toBeGreaterThan(200);
    expect(schemaProblems(all)).toEqual([]);
  });

  it('keeps our own rules', () => {
    expect(overlays.flatMap(({ objects }) => policyProblems(objects, { production: false }))).toEqual([]);
  });

  it.each(shippedOverlays())('is rendered as it was reviewed: %s', async (folder) => {
    const golden = `test/golden/manifests/${folder.replace('manifests/', '').replaceAll('/', '-')}.yaml`;
    await expect(kustomizeText(join(ROOT, folder))).toMatchFileSnapshot(join(ROOT, golden));
  });

  it("lets routers in that run on the host's network", () => {
    type Policy = { ingress?: { from?: { namespaceSelector?: object; podSelector?: object }[] }[] };
    const policies = overlays
      .filter(({ where }) => where.includes('/install/overlays/'))
      .flatMap(({ objects }) => objects.filter(({ kind }) => kind === 'NetworkPolicy'));
    const peers = policies.flatMap((one) => ((one['spec'] as Policy).ingress ?? []).flatMap(({ from = [] }) => from));
    const byNamespace = peers.filter(({ namespaceSelector }) =>
      JSON.stringify(namespaceSelector)?.includes('may-call'),
    );
    expect(byNamespace.length).toBeGreaterThan(5);
    for (const peer of byNamespace) expect(peer).toHaveProperty('podSelector', {});
  });

  it("renews the injector's certificate without a change of what the API server trusts", () => {
    type Issued = { secretName: string; isCA?: boolean; issuerRef: { name: string } };
    const objects = overlays.find(({ where }) => where.endsWith('overlays/kubernetes'))?.objects ?? [];
    const spec = (kind: string, name: string) =>
      objects.find((one) => one.kind === kind && one.metadata.name === name)?.['spec'];
    const hook = objects.find(({ kind }) => kind === 'MutatingWebhookConfiguration');
    expect(hook?.metadata.annotations?.['cert-manager.io/inject-ca-from']).toBe('fairway/fairway-injector');
    const leaf = spec('Certificate', 'fairway-injector') as Issued;
    const authority = spec('Certificate', 'fairway-injector-ca') as Issued;
    expect([leaf.isCA, authority.isCA]).toEqual([undefined, true]);
    expect(leaf.secretName).toBe('fairway-injector-tls');
    expect(spec('Issuer', leaf.issuerRef.name)).toEqual({ ca: { secretName: authority.secretName } });
    expect(spec('Issuer', authority.issuerRef.name)).toEqual({ selfSigned: {} });
  });

  it('has no two objects of one name', () => {
    for (const { where, objects } of overlays) {
      const names = objects.map(({ apiVersion, kind, metadata }) =>
        [apiVersion, kind, metadata.namespace, metadata.name].join('/'),
      );
      expect(new Set(names).size, where).toBe(names.length);
    }
  });
});

describe('an overlay that is changed', () => {
  let folder: string;
  beforeAll(() => {
    folder = scratch();
    cpSync(join(ROOT, 'manifests/install'), join(folder, 'install'), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The OpenShift overlay with one text of one file replaced. */
  function changed(file: string, from: string, to: string): KubeObject[] {
    const path = join(folder, 'install', file);
    const before = readFileSync(path, 'utf8');
    expect(before).toContain(from);
    writeFileSync(path, before.replaceAll(from, to));
    try {
      return kustomize(join(folder, 'install/overlays/openshift'));
    } finally {
      writeFileSync(path, before);
    }
  }
  const writer = 'services/writer/deployment.yaml';

  it.each([
    [
      'a field that no Deployment has',
      writer,
      'revisionHistoryLimit: 5',
      'revisionHistoryLimits: 5',
      'revisionHistoryLimits',
    ],
    ['a field deep inside', writer, 'readOnlyRootFilesystem:', 'readOnlyRootFileSystem:', 'readOnlyRootFileSystem'],
    ['a value of another type', writer, 'replicas: 2', 'replicas: "2"', "'string' is not assignable to type 'number'"],
    ['a word that is none of the allowed', writer, 'type: RollingUpdate', 'type: Rolling', 'Rolling'],
    ['a field that no Route has', 'components/route/routes.yaml', 'wildcardPolicy: None', 'wildcard: None', 'wildcard'],
    ['a kind that is not known', 'components/route/routes.yaml', 'kind: Route', 'kind: Rote', 'no schema is known'],
  ])('is refused for %s', (_, file, from, to, told) => {
    const problems = schemaProblems(changed(file, from, to));
    expect(problems.join('\n')).toContain(told);
  });

  it.each([
    ['no memory limit', writer, 'limits: { memory: 512Mi }', 'limits: {}', 'resources.limits.memory is not set'],
    ['a tag', writer, 'image: fairway/writer', 'image: other/writer:1.0', 'image other/writer:1.0 is not pinned'],
    ['latest', writer, 'image: fairway/writer', 'image: other/writer:latest', 'whatever is latest'],
    [
      'a fixed user',
      writer,
      'runAsNonRoot: true',
      'runAsNonRoot: true\n        runAsUser: 1000',
      'runAsUser must not be set',
    ],
    ['root', writer, 'runAsNonRoot: true', 'runAsNonRoot: false', 'runAsNonRoot must be true'],
    ['capabilities', writer, 'drop: [ALL]', 'drop: []', 'capabilities.drop must hold ALL'],
    [
      'escalation',
      writer,
      'allowPrivilegeEscalation: false',
      'privileged: false',
      'allowPrivilegeEscalation must be false',
    ],
    [
      'a writable root',
      writer,
      'readOnlyRootFilesystem: true',
      'privileged: false',
      'readOnlyRootFilesystem must be true',
    ],
    [
      'no seccomp profile',
      writer,
      '{ type: RuntimeDefault }',
      '{ type: Unconfined }',
      'seccompProfile.type must be RuntimeDefault',
    ],
    [
      'root in a container of a pod that says otherwise',
      writer,
      'allowPrivilegeEscalation: false',
      'allowPrivilegeEscalation: false\n            runAsNonRoot: false',
      'container writer: securityContext.runAsNonRoot must not be false',
    ],
    [
      'another profile in a container',
      writer,
      'allowPrivilegeEscalation: false',
      'allowPrivilegeEscalation: false\n            seccompProfile: { type: Unconfined }',
      'container writer: seccomp profile Unconfined must not be set',
    ],
    [
      "a port of the node's",
      writer,
      'containerPort: 8080,',
      'containerPort: 8080, hostPort: 8080,',
      'hostPort must not be',
    ],
    ['no readiness', writer, 'readinessProbe:', 'livenessProbe2:', 'readinessProbe is not set'],
    [
      'no grace',
      writer,
      'terminationGracePeriodSeconds: 220',
      'dnsPolicy: ClusterFirst',
      'terminationGracePeriodSeconds is not set',
    ],
    ['a disk without limit', writer, 'emptyDir: { sizeLimit: 10Gi }', 'emptyDir: {}', 'needs a sizeLimit'],
    ["the node's own disk", writer, 'emptyDir: { sizeLimit: 10Gi }', 'hostPath: { path: /var }', 'is a hostPath'],
    [
      'a token in the settings',
      'overlays/openshift/writer.env',
      'GIT_USER=fairway',
      'FORGE_TOKEN=abc',
      'FORGE_TOKEN is a secret',
    ],
    [
      'a token from a Secret in the environment',
      writer,
      '{ name: FORGE_TOKEN_FILE, value: /etc/fairway/secrets/FORGE_TOKEN }',
      '{ name: FORGE_TOKEN, valueFrom: { secretKeyRef: { name: fairway-writer, key: FORGE_TOKEN } } }',
      'FORGE_TOKEN is taken from a Secret; mount it and set FORGE_TOKEN_FILE',
    ],
    [
      'a whole Secret in the environment',
      writer,
      '- configMapRef: { name: fairway-writer }',
      '- secretRef: { name: fairway-writer }',
      'envFrom takes a whole Secret',
    ],
    [
      'a password in an address',
      'overlays/openshift/writer.env',
      'MLFLOW_URL=https://',
      'MLFLOW_URL=https://u:p@',
      'holds a password',
    ],
  ])('is refused for %s', (_, file, from, to, told) => {
    expect(policyProblems(changed(file, from, to), { production: false }).join('\n')).toContain(told);
  });

  it('is refused for a Secret with values', () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 'x' } };
    expect(policyProblems([secret], { production: false })).toEqual([
      'Secret s: holds values; refer to a Secret that is made outside of Git',
    ]);
  });
});

it('says of an overlay of your own what is left to fill in', () => {
  const { objects } = rendering('manifests/install/overlays/openshift');
  const problems = policyProblems(objects, { production: true });
  const sealed = examples().find(({ where }) => where.endsWith('/sealed-secrets.yaml'))?.objects ?? [];
  const open = policyProblems(sealed, { production: true });
  expect(sealed.length).toBeGreaterThan(3);
  for (const { metadata } of sealed)
    expect(open).toContain(
      `SealedSecret ${metadata.namespace}/${metadata.name}: is the example; put in what kubeseal prints for your cluster`,
    );
  expect(problems).toContain('Deployment fairway/fairway-writer: has a digest of zeros; put in the one of your image');
  expect(problems.join('\n')).toMatch(
    /ConfigMap fairway\/fairway-writer-\w+: names [\w.]+\.example\.com; put in your own address/,
  );
});
