import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { permitsDestination } from '../../../packages/cli/src/stack/kube/argocd/globs.ts';
import type { Destination } from '../../../packages/cli/src/stack/kube/argocd/types.ts';
import { ROOT } from '../../guards/source.ts';
import { type KubeObject, rendering } from '../../manifests/render.ts';

type Kind = { group: string; kind: string };
type Project = {
  clusterResourceWhitelist: Kind[];
  namespaceResourceWhitelist: Kind[];
};
type Set_ = {
  syncPolicy: { preserveResourcesOnDeletion: boolean; applicationsSync?: string };
  template: {
    metadata: { annotations: Record<string, string> };
    spec: {
      ignoreDifferences?: object[];
      syncPolicy: { syncOptions: string[]; managedNamespaceMetadata: { labels: Record<string, string> } };
    };
  };
};

const HERE = 'https://kubernetes.default.svc';
const specs = <T>(objects: readonly KubeObject[], wanted: string): T[] =>
  objects.filter(({ kind }) => kind === wanted).map((object) => object['spec'] as T);
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

describe('the models in Argo CD', () => {
  const plain = rendering('manifests/argocd').objects;
  const guarded = rendering('manifests/argocd-guarded').objects;

  it('are found by sets that leave Applications alone which a commit does not touch', () => {
    for (const { template } of specs<Set_>(plain, 'ApplicationSet'))
      expect(template.metadata.annotations['argocd.argoproj.io/manifest-generate-paths']).toBe('.');
  });

  it('get namespaces that OpenShift GitOps may manage', () => {
    for (const { template } of specs<Set_>(plain, 'ApplicationSet'))
      expect(template.spec.syncPolicy.managedNamespaceMetadata.labels).toEqual({
        'argocd.argoproj.io/managed-by': 'openshift-gitops',
      });
  });

  it('reach the namespaces of their environments, and none that others work in', () => {
    const [project] = specs<{ destinations: Destination[] }>(plain, 'AppProject');
    const may = (namespace: string) => permitsDestination(project?.destinations ?? [], { server: HERE, namespace });
    expect(['home-equity-dev', 'home-equity-staging', 'home-equity-prod', 'home-equity-retrain'].filter(may)).toEqual([
      'home-equity-dev',
      'home-equity-staging',
      'home-equity-prod',
      'home-equity-retrain',
    ]);
    const others = ['fairway', 'default', 'cert-manager', 'external-secrets', 'openshift-gitops', 'openshift-prod'];
    expect([...others, 'kube-system', 'kube-dev', 'argocd', 'home-equity'].filter(may)).toEqual([]);
  });

  it('may hold no Secret, no role and nothing cluster-wide but their namespace', () => {
    const [project] = specs<Project>(plain, 'AppProject');
    expect(project?.clusterResourceWhitelist).toEqual([{ group: '', kind: 'Namespace' }]);
    const kinds = project?.namespaceResourceWhitelist.map(({ kind }) => kind);
    expect(kinds?.sort()).toEqual([
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
    ]);
  });

  it('cannot be wiped out by a folder that is gone, where the guards are on', () => {
    const sets = specs<Set_>(guarded, 'ApplicationSet');
    expect(sets).toHaveLength(2);
    for (const { syncPolicy } of sets)
      expect(syncPolicy).toEqual({ preserveResourcesOnDeletion: true, applicationsSync: 'create-update' });
  });

  it('keep the number that an autoscaler chose, in comparing and in syncing', () => {
    const [environments] = specs<Set_>(guarded, 'ApplicationSet');
    expect(environments?.template.spec.ignoreDifferences).toEqual([
      { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] },
    ]);
    expect(environments?.template.spec.syncPolicy.syncOptions).toContain('RespectIgnoreDifferences=true');
  });
});

describe.each([
  ['openshift', 'install', 'openshift-gitops'],
  ['kubernetes', 'install-kubernetes', 'argocd'],
])('overlay %s installed by Argo CD', (overlay, argocd, namespace) => {
  const installing = rendering(`manifests/argocd/overlays/${argocd}`).objects;
  const installed = rendering(`manifests/install/overlays/${overlay}`).objects;
  const [project] = specs<Project & { destinations: Destination[] }>(installing, 'AppProject');

  it('may have exactly the kinds that it has, and those of the monitoring', () => {
    const allowed = [...(project?.clusterResourceWhitelist ?? []), ...(project?.namespaceResourceWhitelist ?? [])];
    const names = new Set(allowed.map(({ group, kind }) => `${group}/${kind}`));
    const used = installed.map(({ apiVersion, kind }) => `${groupOf(apiVersion)}/${kind}`);
    const monitoring = ['PodMonitor', 'PrometheusRule', 'ServiceMonitor'].map(
      (kind) => `monitoring.coreos.com/${kind}`,
    );
    expect([...names].sort()).toEqual([...new Set([...used, ...monitoring])].sort());
  });

  it('is looked at again when its overlay changes, or the release that the docs have it refer to', () => {
    const application = installing.find(({ kind }) => kind === 'Application');
    const [{ source } = { source: { path: 'no Application' } }] = specs<{ source: { path: string } }>(
      installing,
      'Application',
    );
    const docs = readFileSync(join(ROOT, 'docs/install.md'), 'utf8');
    expect(docs).toContain(`folder \`${source.path}\``);
    const [, above = '', release = ''] =
      /^ *resources: \[((?:\.\.\/)+)(\w+)\/manifests\/install\/overlays/m.exec(docs) ?? [];
    expect(join(source.path, above)).toBe('./');
    expect(application?.metadata.annotations?.['argocd.argoproj.io/manifest-generate-paths']).toBe(`.;/${release}`);
  });

  it('reaches its own namespaces and no other', () => {
    const spaces = new Set(installed.flatMap(({ metadata }) => metadata.namespace ?? []));
    expect(spaces).toEqual(new Set(['fairway', namespace]));
    expect(project?.destinations).toEqual([...spaces].map((one) => ({ server: HERE, namespace: one })));
    expect(installing.map(({ metadata }) => metadata.namespace)).toEqual([namespace, namespace]);
  });
});

it('the models on an Argo CD without the operator have every guard, and no kind or label of the operator', () => {
  const objects = rendering('manifests/argocd-kubernetes').objects;
  expect(objects.map(({ kind, metadata }) => `${metadata.namespace} ${kind}`).sort()).toEqual([
    'argocd AppProject',
    'argocd ApplicationSet',
    'argocd ApplicationSet',
  ]);
  expect(JSON.stringify(objects)).not.toContain('openshift-gitops');
  for (const { syncPolicy } of specs<Set_>(objects, 'ApplicationSet'))
    expect(syncPolicy).toEqual({ preserveResourcesOnDeletion: true, applicationsSync: 'create-update' });
});

it('the namespace of the OpenShift overlay may be managed by OpenShift GitOps, and elsewhere nobody is named', () => {
  const labels = (overlay: string) =>
    rendering(`manifests/install/overlays/${overlay}`).objects.find(({ kind }) => kind === 'Namespace')?.metadata
      .labels ?? {};
  expect(labels('openshift')['argocd.argoproj.io/managed-by']).toBe('openshift-gitops');
  expect(Object.keys(labels('kubernetes')).join()).not.toContain('managed-by');
});
