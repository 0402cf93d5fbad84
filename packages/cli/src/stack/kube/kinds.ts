import type { AppProject, Application, ApplicationSet } from './argocd/types.ts';
import type { KubeObject } from './objects.ts';
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

/** Every kind that the embedded API serves. To add one: one line. */
export const KINDS: readonly Kind[] = [
  NAMESPACE,
  POD,
  SERVICE,
  SECRET,
  CONFIG_MAP,
  builtin('', 'v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  EVENT,
  VOLUME,
  CLAIM,
  DEPLOYMENT,
  REPLICA_SET,
  JOB,
  ENDPOINT_SLICE,
  builtin('coordination.k8s.io', 'v1', 'Lease', 'leases'),
  APPLICATION,
  APPLICATION_SET,
  APP_PROJECT,
];

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
