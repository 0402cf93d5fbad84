import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadIdentity } from '../../stack/kube/api/certificate.ts';
import { argoFindings, exclusionFindings } from './argocd.ts';
import type { Item, Looker } from './cluster.ts';
import type { Finding } from './finding.ts';
import { callerFindings, managedFindings, twinFindings } from './installation.ts';
import { kindFindings } from './kinds.ts';
import { modelMounts, serviceMounts } from './mounts.ts';
import { clockFinding, versionFindings } from './server.ts';
import { bundleFinding, unarmedFindings, webhookFindings } from './webhook.ts';

const told = (findings: readonly Finding[]) => findings.map(({ state, text }) => `${state}: ${text}`);

describe('the version of Kubernetes', () => {
  const minors = Array.from({ length: 16 }, (_, index) => 20 + index);
  it.each(minors)('1.%i is taken, and what it lacks is named with the mend', (minor) => {
    const found = told(versionFindings(`v1.${minor}.3`, `${minor}+`));
    const lacks = [
      [21, /^missing: v1\.\d+\.3 lacks policy\/v1 \(1\.21\): leave component disruption-budgets/],
      [23, /^missing: v1\.\d+\.3 lacks autoscaling\/v2 \(1\.23\): leave component recorder-hpa out/],
      [25, /^warning: v1\.\d+\.3 lacks Pod Security admission/],
      [26, /^missing: v1\.\d+\.3 lacks unhealthyPodEvictionPolicy \(1\.26\): leave component disruption-budgets/],
      [27, /^warning: v1\.\d+\.3 lacks autoscaling by one container \(1\.27.*replicas a number$/],
      [29, /^missing: v1\.\d+\.3 lacks native sidecars \(1\.29\).*capture\.agent: injector/],
    ] as const;
    const expected = lacks.filter(([before]) => minor < before).map(([, words]) => expect.stringMatching(words));
    expect(found).toEqual(expected.length > 0 ? expected : [`ok: v1.${minor}.3`]);
  });
  it.each([
    ['v1.19.16', '19', /^missing: v1\.19\.16 is older than 1\.20.*: upgrade the cluster$/],
    ['v1.36.0', '36', /^warning: v1\.36\.0 is newer than 1\.35.*: read its notes/],
    ['', 'x', /^warning: says no version that can be read \(""\)$/],
  ])('%s is told in a sentence', (version, minor, words) => {
    expect(told(versionFindings(version, minor))).toEqual([expect.stringMatching(words)]);
  });
});

it.each([
  [0, 'ok'],
  [-4, 'ok'],
  [6, 'warning'],
  [-30, 'warning'],
  [61, 'missing'],
  [-3600, 'missing'],
])('a clock that is %i s away is %s', (seconds, state) => {
  const now = Date.parse('2026-11-23T10:00:00Z');
  const found = clockFinding(new Date(now + seconds * 1000).toUTCString(), now, now);
  expect(found.state).toBe(state);
  if (state !== 'ok') expect(found.text).toMatch(/s apart: let both take their time from the same NTP servers/);
});
it('a server that says no time is a warning', () => {
  expect(clockFinding(undefined, 0, 0)).toMatchObject({
    state: 'warning',
    text: expect.stringMatching(/not say its time/),
  });
});

describe('what cannot be seen in a cluster', () => {
  /** A cluster that serves these kinds and has these objects by path. */
  const cluster = (
    kinds: Readonly<Record<string, readonly string[]>>,
    objects: Record<string, unknown> = {},
  ): Looker => ({
    namespace: 'fairway',
    argocd: 'openshift-gitops',
    get: async (path) => (path in objects ? { found: objects[path] as Item } : { absent: true }),
    list: async (path) => (path in objects ? { found: objects[path] as Item[] } : { absent: true }),
    exists: async (path) => (path in objects ? { found: true } : { absent: true }),
    post: async () => ({ status: 500, body: undefined, date: undefined }),
    kinds: async (apiVersion) => kinds[apiVersion] ?? [],
  });
  const shipped = (folder: string, apiVersion: string, kind: string) => ({
    folder,
    object: { apiVersion, kind, metadata: { name: 'one' } },
  });

  it('is told for each kind that nobody serves: Argo CD, Routes, the Prometheus operator', async () => {
    const found = await kindFindings(cluster({ 'apps/v1': ['Deployment'] }), [
      shipped('services/writer', 'apps/v1', 'Deployment'),
      shipped('', 'argoproj.io/v1alpha1', 'AppProject'),
      shipped('overlays/operator', 'argoproj.io/v1beta1', 'ArgoCD'),
      shipped('components/route', 'route.openshift.io/v1', 'Route'),
      shipped('components/monitoring', 'monitoring.coreos.com/v1', 'ServiceMonitor'),
    ]);
    expect(told(found)).toEqual([
      'ok: 1 of 5 kinds of the manifests are served',
      expect.stringMatching(/^missing: argoproj\.io\/v1alpha1 is not served.*: install OpenShift GitOps or Argo CD$/),
      expect.stringMatching(/^warning: argoproj\.io\/v1beta1 is not served/),
      expect.stringMatching(
        /^warning: monitoring\.coreos\.com\/v1 is not served.*: install the Prometheus operator, or/,
      ),
      expect.stringMatching(
        /^warning: route\.openshift\.io\/v1 is not served.*only OpenShift has it; take component ingress/,
      ),
    ]);
  });
  it("is told of models' namespaces without the managed-by label, and not where no operator asks for it", async () => {
    const operator = { 'argoproj.io/v1beta1': ['ArgoCD'] };
    const spaces = {
      '/api/v1/namespaces/bare': { metadata: { name: 'bare' } },
      '/api/v1/namespaces/foreign': {
        metadata: { name: 'foreign', labels: { 'argocd.argoproj.io/managed-by': 'other' } },
      },
    };
    const names = ['bare', 'foreign', 'later'];
    expect(told(await managedFindings(cluster(operator, spaces), names))).toEqual([
      expect.stringMatching(/^missing: has no label .*kubectl label --overwrite namespace bare .*=openshift-gitops$/),
      expect.stringMatching(/^missing: is managed by other, not by openshift-gitops, so Argo CD may not write there/),
      'warning: is not there yet; Argo CD makes it with the first sync',
    ]);
    expect(await managedFindings(cluster({}, spaces), names)).toEqual([]);
  });
  it.each([
    [['m-dev', 'm-prod'], /^ok: allows what the writer renders, from https:\/\/git\.bank\.example/],
    [
      ['m-dev', 'm-uat', 'm-eu'],
      /^missing: does not let Argo CD into m-uat, m-eu, .*: add the environment to its destinations/,
    ],
  ])('is told of environments beyond the destinations of the project: %j', async (models, words) => {
    const server = 'https://kubernetes.default.svc';
    const spec = {
      sourceRepos: ['https://git.bank.example/ml/gitops.git'],
      destinations: ['*-dev', '*-prod', '!kube-*'].map((namespace) => ({ server, namespace })),
    };
    const path = '/apis/argoproj.io/v1alpha1/namespaces/openshift-gitops/appprojects/fairway';
    const project = { ...shipped('', 'argoproj.io/v1alpha1', 'AppProject').object, metadata: { name: 'fairway' } };
    const looker = cluster({ 'argoproj.io/v1alpha1': ['Application'] }, { [path]: { ...project, spec } });
    const [found] = await argoFindings(looker, [{ folder: '', object: project }], models);
    expect(told(found === undefined ? [] : [found])).toEqual([expect.stringMatching(words)]);
  });
  it.each([
    ['nothing said', {}, []],
    ['lists that are empty', { 'resource.exclusions': '', 'resource.inclusions': '\n' }, []],
    ['other kinds', { 'resource.exclusions': '[{ apiGroups: [apps], kinds: [DaemonSet] }]' }, []],
    ['every kind of a group', { 'resource.exclusions': '[{ apiGroups: [app*], kinds: [] }]' }, ['Deployment']],
    ['another cluster', { 'resource.exclusions': '[{ kinds: ["*"], clusters: ["https://192.168.*"] }]' }, []],
    ['this cluster', { 'resource.exclusions': '[{ kinds: [Job], clusters: ["*default.svc"] }]' }, ['Job']],
    ['one kind alone', { 'resource.inclusions': '[{ apiGroups: [batch], kinds: [Job] }]' }, ['Deployment']],
  ])('is told of what Argo CD looks away from: %s', async (_, data, kept) => {
    const path = '/api/v1/namespaces/openshift-gitops/configmaps/argocd-cm';
    const wanted = [
      { group: 'apps', kind: 'Deployment' },
      { group: 'batch', kind: 'Job' },
    ];
    const [found] = await exclusionFindings(cluster({}, { [path]: { metadata: { name: 'argocd-cm' }, data } }), wanted);
    expect(found?.state).toBe(kept.length === 0 ? 'ok' : 'missing');
    if (kept.length > 0) expect(found?.text).toContain(`keep Argo CD from ${kept.join(', ')}:`);
  });
  it('is told of what models mount and lack: the Secret of the queue, the claims of a retraining', async () => {
    const workload = (namespace: string, ...volumes: object[]) => ({
      metadata: { name: 'm', namespace },
      spec: { template: { spec: { volumes } } },
    });
    const queue = { name: 'queue', secret: { secretName: 'fairway-queue' } };
    const claims = ['fairway-snapshots', 'fairway-registry'].map((claimName) => ({
      persistentVolumeClaim: { claimName },
    }));
    const byLabel = '?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dfairway';
    const objects = {
      [`/apis/apps/v1/deployments${byLabel}`]: [
        workload('m-dev', queue),
        workload('m-prod', queue, { name: 'spool', emptyDir: {} }),
        workload('m-prod', queue),
        workload('m-test', { secret: { secretName: 'maybe', optional: true } }),
      ],
      [`/apis/batch/v1/jobs${byLabel}`]: [workload('m-retrain', ...claims)],
      '/api/v1/pods?labelSelector=fairway.dev%2Finject%3Dtrue': [
        {
          metadata: {
            name: 'p',
            namespace: 'kserve',
            annotations: { 'fairway.dev/status': '{"agent":"agent","queue":"queue-1"}' },
          },
          spec: {
            volumes: [
              { name: 'queue', secret: { secretName: 'not-ours' } },
              { name: 'queue-1', secret: { secretName: 'fairway-queue' } },
            ],
          },
        },
        { metadata: { name: 'q', namespace: 'kserve' }, spec: { volumes: [queue] } },
      ],
      '/api/v1/namespaces/m-dev/secrets/fairway-queue': {},
      '/api/v1/namespaces/m-retrain/persistentvolumeclaims/fairway-registry': {},
    };
    const found = await modelMounts(cluster({}, objects));
    expect(found.map(({ state, name, text }) => `${state}: ${name}: ${text}`)).toEqual([
      'missing: namespace m-prod: Secret fairway-queue is not there, so its pods wait for it: make it (docs/install.md, "Secrets")',
      'missing: namespace m-retrain: PersistentVolumeClaim fairway-snapshots is not there, so its pods wait for it: make it (docs/install.md, step 6)',
      'missing: namespace kserve: Secret fairway-queue is not there, so its pods wait for it: make it (docs/install.md, "Secrets")',
      'ok: models: 2 of 5 Secrets and claims that they mount are there',
    ]);
    expect(await modelMounts(cluster({}))).toEqual([]);
  });
  it('is told of every problem of the project at once, and of sets that delete what serves with its folder', async () => {
    const at = '/apis/argoproj.io/v1alpha1/namespaces/openshift-gitops';
    const named = (kind: string, name: string, spec: object) => ({
      folder: '',
      object: { apiVersion: 'argoproj.io/v1alpha1', kind, metadata: { name }, spec: spec as Item['spec'] & object },
    });
    const kinds = [{ group: 'batch', kind: 'Job' }];
    const wanted = [
      named('AppProject', 'fairway', { namespaceResourceWhitelist: kinds }),
      ...['kept', 'half', 'bare'].map((name) => named('ApplicationSet', name, {})),
    ];
    const set = (name: string, syncPolicy: object) => ({ metadata: { name }, spec: { syncPolicy } });
    const looker = cluster(
      { 'argoproj.io/v1alpha1': ['Application'] },
      {
        [`${at}/appprojects/fairway`]: { metadata: { name: 'fairway' }, spec: {} },
        [`${at}/applicationsets/kept`]: set('kept', {
          preserveResourcesOnDeletion: true,
          applicationsSync: 'create-update',
        }),
        [`${at}/applicationsets/half`]: set('half', { preserveResourcesOnDeletion: true }),
        [`${at}/applicationsets/bare`]: { metadata: { name: 'bare' }, spec: {} },
      },
    );
    const found = await argoFindings(looker, wanted, ['m-dev']);
    const guard = /^warning: deletes what it made when a folder leaves Git.*argocd-guarded/;
    expect(told(found).slice(0, 6)).toEqual([
      expect.stringMatching(/^missing: takes nothing from your repository \(sourceRepos: none\): put its address in$/),
      expect.stringMatching(/^missing: does not allow Job, which the writer renders/),
      expect.stringMatching(/^missing: does not let Argo CD into m-dev/),
      'ok: is there, and deletes nothing by itself',
      expect.stringMatching(guard),
      expect.stringMatching(guard),
    ]);
  });
  it('is told of routers and Prometheus that our network policies keep out', async () => {
    const policies = '/apis/networking.k8s.io/v1/namespaces/fairway/networkpolicies';
    const spaces = '/api/v1/namespaces?labelSelector=fairway.dev%2Fmay-call%3Dtrue';
    const policy = (name: string) => ({
      metadata: { name },
      spec: { ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'fairway.dev/may-call': 'true' } } }] }] },
    });
    const open = { metadata: { name: 'fairway-default' }, spec: {} };
    const injector = policy('fairway-injector');
    const by = async (objects: Record<string, unknown>) => told(await callerFindings(cluster({}, objects)));
    expect(await by({ [policies]: [open] })).toEqual([]);
    expect(await by({ [policies]: [open, policy('fairway-writer')], [spaces]: [] })).toEqual([
      expect.stringMatching(/^missing: network policies keep routers and Prometheus out: kubectl label namespace/),
    ]);
    expect(await by({ [policies]: [injector], [spaces]: [] })).toEqual([expect.stringMatching(/^warning: /)]);
    expect(await by({ [policies]: [injector], [spaces]: [{ metadata: { name: 'openshift-ingress' } }] })).toEqual([
      'ok: network policies let openshift-ingress in',
    ]);
  });
  it('is told of pods that asked for an agent and run without', async () => {
    const pod = (name: string, annotations?: Record<string, string>, phase = 'Running') => ({
      metadata: { name, namespace: 'm', annotations },
      status: { phase },
    });
    const armed = pod('armed', { 'fairway.dev/status': '{}' });
    const by = async (pods: readonly object[]) =>
      told(await unarmedFindings(cluster({}, { '/api/v1/pods?labelSelector=fairway.dev%2Finject%3Dtrue': pods })));
    expect(await by([])).toEqual([]);
    expect(await by([armed, pod('over', {}, 'Succeeded'), pod('not', { 'fairway.dev/inject': 'false' })])).toEqual([
      'ok: 1 pods asked for an agent and have it',
    ]);
    expect(await by([armed, ...Array.from({ length: 7 }, (_, index) => pod(`bare-${index}`))])).toEqual([
      expect.stringMatching(/^missing: 7 of 8 pods .*: m\/bare-0, .*m\/bare-4 and 2 more\. "fairway inject -f" says/),
    ]);
  });
  it('is told of a claim that waits for its volume, and who makes the certificate of the injector', async () => {
    const claim = '/api/v1/namespaces/fairway/persistentvolumeclaims/fairway-snapshots';
    const volumes = [
      { persistentVolumeClaim: { claimName: 'fairway-snapshots' } },
      { secret: { secretName: 'fairway-injector-tls' } },
    ];
    const service = { metadata: { name: 's' }, spec: { template: { spec: { volumes } } } };
    const waiting = { metadata: { name: 'fairway-snapshots' }, status: { phase: 'Pending' } };
    expect(told(await serviceMounts(cluster({}, { [claim]: waiting }), service))).toEqual([
      expect.stringMatching(/^warning: PersistentVolumeClaim fairway-snapshots has no volume yet.*storage class/),
      expect.stringMatching(/^missing: Secret fairway-injector-tls .*: take component injector-tls-service-ca or/),
    ]);
  });
  it('is told of a second installation by its namespace, and of two injectors', async () => {
    const writers = ['fairway', 'fairway-two'].map((namespace) => ({
      metadata: { name: 'fairway-writer', namespace },
    }));
    const path = '/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dfairway-writer';
    expect(told(await twinFindings(cluster({}, { [path]: writers })))).toEqual([
      expect.stringMatching(/^missing: Fairway is also installed in fairway-two: .*Remove one, or rename both/),
    ]);
    const hooks = ['one', 'two'].map((name) => ({ metadata: { name }, webhooks: [{ name: 'inject.fairway.dev' }] }));
    const all = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    expect(told(await webhookFindings(cluster({}, { [all]: hooks }), 0))).toContain(
      'missing: one and two both ask an injector: remove one of them',
    );
  });
});

it.each([
  ['', /^has no caBundle, so that pods start without their agent: let service-ca or cert-manager/],
  ['-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----', /a caBundle that is no certificate/],
])('a caBundle %j is told in a sentence', (pem, words) => {
  expect(bundleFinding('webhook', pem, 0)).toMatchObject({ state: 'missing', text: expect.stringMatching(words) });
});

it.each([
  ['2026-11-23', 'ok', /^trusts an authority until 2036-/],
  ['2036-11-15', 'warning', /^trusts an authority that expires on 2036-.*: renew it now$/],
  ['2037-01-01', 'missing', /^trusts an authority that has expired \(2036-.*: renew it$/],
  ['2020-01-01', 'missing', /^trusts an authority that is not valid yet: compare the clocks$/],
])('a certificate of ten years from 2026-11-23 is judged on %s as %s', (day, state, words) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-bundle-'));
  try {
    const pem = loadIdentity(folder, ['127.0.0.1'], Date.parse('2026-11-23')).certificate;
    expect(bundleFinding('webhook', pem, Date.parse(day))).toMatchObject({ state, text: expect.stringMatching(words) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
