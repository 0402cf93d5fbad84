import { APP_PROJECT, NAMESPACE, SERVICE } from './kinds.ts';
import type { Network } from './network.ts';
import type { Registry } from './store/registry.ts';

/** What a fresh cluster with OpenShift GitOps holds: its namespaces and Argo CD's project `default`. Callable again. */
export function firstObjects(registry: Registry, argocdNamespace: string): void {
  for (const name of ['default', 'kube-system', argocdNamespace]) {
    if (!registry.get(NAMESPACE, '', name))
      registry.create(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  if (registry.get(APP_PROJECT, argocdNamespace, 'default')) return;
  registry.create(APP_PROJECT, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default', namespace: argocdNamespace },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
    },
  });
}

/** Gives Services new addresses when another stack has taken the network of last time. */
export function moveServices(registry: Registry, network: Network, taken: () => ReadonlySet<string>): void {
  for (const service of registry.list(SERVICE)) {
    const { clusterIP } = service.spec;
    if (clusterIP === undefined || clusterIP === 'None' || network.contains(clusterIP)) continue;
    const moved = network.serviceAddress(taken());
    registry.update(SERVICE, { ...service, spec: { ...service.spec, clusterIP: moved, clusterIPs: [moved] } });
  }
}
