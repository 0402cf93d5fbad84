import { describe, expect, it } from 'vitest';
import { type KubeObject, rendering } from '../../manifests/render.ts';

type Kind = { group: string; kind: string };
type Project = {
  destinations: { namespace: string }[];
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

it('lets Argo CD install exactly the kinds that the OpenShift overlay and its monitoring have', () => {
  const [project] = specs<Project>(rendering('manifests/argocd/overlays/install').objects, 'AppProject');
  const allowed = [...(project?.clusterResourceWhitelist ?? []), ...(project?.namespaceResourceWhitelist ?? [])];
  const names = new Set(allowed.map(({ group, kind }) => `${group}/${kind}`));
  const used = rendering('manifests/install/overlays/openshift').objects.map(
    ({ apiVersion, kind }) => `${groupOf(apiVersion)}/${kind}`,
  );
  const monitoring = ['PodMonitor', 'PrometheusRule', 'ServiceMonitor'].map((kind) => `monitoring.coreos.com/${kind}`);
  expect([...names].sort()).toEqual([...new Set([...used, ...monitoring])].sort());
});
