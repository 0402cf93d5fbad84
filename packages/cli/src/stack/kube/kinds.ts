import type { WebhookConfiguration } from './admission/configuration.ts';
import type { AppProject, Application, ApplicationSet } from './argocd/types.ts';
import type { KubeObject } from './objects.ts';
import type { Definition, Role, RoleBinding } from './rights.ts';
import type {
  Deployment,
  EndpointSlice,
  EventObject,
  Job,
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  Service,
} from './workloads.ts';

/** One kind of the API, as discovery describes it; `T` is the type of its objects. */
export type Kind<out T extends KubeObject = KubeObject> = {
  /** Only for the compiler. */
  readonly object?: T;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** `status` is a subresource: the main resource cannot write it. */
  readonly status: boolean;
  /** Custom resources know no strategic merge, and their generation counts any change outside metadata. */
  readonly custom: boolean;
  readonly shortNames: readonly string[];
};

type Options = { readonly namespaced?: boolean; readonly status?: boolean; readonly shortNames?: readonly string[] };

const builtin = <T extends KubeObject = KubeObject>(
  group: string,
  version: string,
  kind: string,
  plural: string,
  options: Options = {},
): Kind<T> => ({
  group,
  version,
  kind,
  plural,
  namespaced: options.namespaced ?? true,
  status: options.status ?? false,
  custom: false,
  shortNames: options.shortNames ?? [],
});
const crd = (group: string, version: string, kind: string, plural: string, options: Options = {}): Kind => ({
  ...builtin(group, version, kind, plural, options),
  custom: true,
});
const argo = <T extends KubeObject>(kind: string, plural: string, shortNames: string[], status: boolean): Kind<T> => ({
  ...builtin('argoproj.io', 'v1alpha1', kind, plural, { shortNames, status }),
  custom: true,
});

export const NAMESPACE: Kind<Namespace> = builtin('', 'v1', 'Namespace', 'namespaces', {
  namespaced: false,
  status: true,
  shortNames: ['ns'],
});
export const POD: Kind<Pod> = builtin('', 'v1', 'Pod', 'pods', { status: true, shortNames: ['po'] });
export const SERVICE: Kind<Service> = builtin('', 'v1', 'Service', 'services', { status: true, shortNames: ['svc'] });
export const SECRET = builtin('', 'v1', 'Secret', 'secrets');
export const CONFIG_MAP = builtin('', 'v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] });
export const EVENT: Kind<EventObject> = builtin('', 'v1', 'Event', 'events', { shortNames: ['ev'] });
export const VOLUME: Kind<PersistentVolume> = builtin('', 'v1', 'PersistentVolume', 'persistentvolumes', {
  namespaced: false,
  status: true,
  shortNames: ['pv'],
});
export const CLAIM: Kind<PersistentVolumeClaim> = builtin('', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', {
  status: true,
  shortNames: ['pvc'],
});
export const DEPLOYMENT: Kind<Deployment> = builtin('apps', 'v1', 'Deployment', 'deployments', {
  status: true,
  shortNames: ['deploy'],
});
export const REPLICA_SET: Kind<ReplicaSet> = builtin('apps', 'v1', 'ReplicaSet', 'replicasets', {
  status: true,
  shortNames: ['rs'],
});
export const JOB: Kind<Job> = builtin('batch', 'v1', 'Job', 'jobs', { status: true });
export const ENDPOINT_SLICE: Kind<EndpointSlice> = builtin('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices');
// Argo CD's own CRDs: Application and AppProject have no status subresource, ApplicationSet has one.
export const APPLICATION: Kind<Application> = argo('Application', 'applications', ['app', 'apps'], false);
export const APPLICATION_SET: Kind<ApplicationSet> = argo(
  'ApplicationSet',
  'applicationsets',
  ['appset', 'appsets'],
  true,
);
export const APP_PROJECT: Kind<AppProject> = argo('AppProject', 'appprojects', ['appproj', 'appprojs'], false);

const RBAC = 'rbac.authorization.k8s.io';
export const SERVICE_ACCOUNT = builtin('', 'v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] });
export const ROLE: Kind<Role> = builtin(RBAC, 'v1', 'Role', 'roles');
export const CLUSTER_ROLE: Kind<Role> = builtin(RBAC, 'v1', 'ClusterRole', 'clusterroles', { namespaced: false });
export const ROLE_BINDING: Kind<RoleBinding> = builtin(RBAC, 'v1', 'RoleBinding', 'rolebindings');
export const CLUSTER_ROLE_BINDING: Kind<RoleBinding> = builtin(
  RBAC,
  'v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  { namespaced: false },
);
export const DEFINITION: Kind<Definition> = builtin(
  'apiextensions.k8s.io',
  'v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  { namespaced: false, status: true, shortNames: ['crd', 'crds'] },
);

export const MUTATING_WEBHOOKS: Kind<WebhookConfiguration> = builtin(
  'admissionregistration.k8s.io',
  'v1',
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  { namespaced: false },
);

/** Every kind that the embedded API serves by itself. To add one: one line. */
export const KINDS: readonly Kind[] = [
  NAMESPACE,
  POD,
  SERVICE,
  SECRET,
  CONFIG_MAP,
  SERVICE_ACCOUNT,
  EVENT,
  VOLUME,
  CLAIM,
  DEPLOYMENT,
  REPLICA_SET,
  JOB,
  ENDPOINT_SLICE,
  builtin('coordination.k8s.io', 'v1', 'Lease', 'leases'),
  ROLE,
  CLUSTER_ROLE,
  ROLE_BINDING,
  CLUSTER_ROLE_BINDING,
  DEFINITION,
  MUTATING_WEBHOOKS,
  // Kept as they are; nothing here scales, drains nodes, filters packets or routes.
  builtin('apps', 'v1', 'StatefulSet', 'statefulsets', { status: true, shortNames: ['sts'] }),
  builtin('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', { shortNames: ['hpa'] }),
  builtin('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { shortNames: ['pdb'] }),
  builtin('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies', { shortNames: ['netpol'] }),
  builtin('networking.k8s.io', 'v1', 'Ingress', 'ingresses', { shortNames: ['ing'] }),
  crd('gateway.networking.k8s.io', 'v1', 'HTTPRoute', 'httproutes'),
  crd('monitoring.coreos.com', 'v1', 'ServiceMonitor', 'servicemonitors'),
  crd('route.openshift.io', 'v1', 'Route', 'routes', { status: true }),
  APPLICATION,
  APPLICATION_SET,
  APP_PROJECT,
];

/** Kinds that CustomResourceDefinitions add: every served version, and none that is there anyway. */
export const definedKinds = (definitions: readonly Definition[]): Kind[] =>
  definitions.flatMap(({ spec: { group, names, scope, versions } }) =>
    versions
      .filter(({ served }) => served)
      .map(({ name, subresources }) => ({
        ...builtin(group, name, names.kind, names.plural, {
          namespaced: scope === 'Namespaced',
          status: subresources?.status !== undefined,
          ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
        }),
        custom: true,
      }))
      .filter((kind) => !KINDS.some((known) => known.group === group && known.plural === kind.plural)),
  );

/** `apps/Deployment`; the core group is empty: `/Pod`. */
export const kindKey = (kind: Pick<Kind, 'group' | 'kind'>): string => `${kind.group}/${kind.kind}`;
export const apiVersionOf = (kind: Pick<Kind, 'group' | 'version'>): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

/** The kind that an object's own `apiVersion` and `kind` name. */
export function kindOf(object: { readonly apiVersion: string; readonly kind: string }): Kind | undefined {
  return KINDS.find((kind) => kind.kind === object.kind && apiVersionOf(kind) === object.apiVersion);
}

/** `deployments.apps "x"`: the way the API names an object in its messages. */
export const qualified = (kind: Kind): string => (kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`);
