import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@fairway/core';
import { JOB, type Kind, kindKey, NAMESPACE, POD, qualified, SERVICE } from '../kinds.ts';
import { type Draft, type KubeObject, kubeTime, type Metadata } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { Job, Pod, Service } from '../workloads.ts';
import { type Applier, applied, firstApplied, ownersAfter } from './apply.ts';
import { withDefaults } from './defaults.ts';
import type { Store } from './store.ts';
import { notFound, validate } from './validate.ts';

/**
 * `manager`: who is told as the owner of what is written. `owners`: the draft brings its owners, as an apply has worked them out.
 * `preview`: answers what would be written, before it is checked; nothing is stored.
 */
export type WriteOptions = {
  readonly dryRun?: boolean;
  readonly manager?: string;
  readonly owners?: boolean;
  readonly preview?: boolean;
};
export type RemoveOptions = WriteOptions & {
  readonly resourceVersion?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly uid?: string | undefined;
};

/** The rules of the API server over the store; the HTTP API and all controllers write through it. */
export type Registry = {
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): T | undefined;
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): T[];
  create(kind: Kind, draft: Draft, options?: WriteOptions): KubeObject;
  /** Writes everything but the status (or only the status); 409 when `resourceVersion` is given and stale. */
  update(kind: Kind, draft: Draft, part?: 'all' | 'status', options?: WriteOptions): KubeObject;
  /** Server-side apply: creates, or lays `draft` over what is there; 409 where another manager has set a field otherwise. */
  apply(kind: Kind, draft: Draft, applier: Applier, options?: WriteOptions): KubeObject;
  /** Removes, or marks for removal where finalizers or a running pod must end first. Answers the object as it is then. */
  remove(kind: Kind, namespace: string, name: string, options?: RemoveOptions): KubeObject;
  readonly store: Pick<Store, 'version' | 'eventsSince' | 'subscribe'>;
};

/** What the API server asks of its neighbours while it admits an object. */
export type Admission = { clusterIP(): string };

/** Kinds whose `metadata.generation` the API server counts. */
const counts = (kind: Kind): boolean =>
  kind.custom || ['apps', 'batch', 'discovery.k8s.io'].includes(kind.group) || kindKey(kind) === '/Pod';

/** Whoever writes without saying a name, our own controllers among them. */
const NOBODY = 'fairway';

export function openRegistry(store: Store, clock: Clock, admission: Admission): Registry {
  const registry: Registry = {
    get: <T extends KubeObject>(kind: Kind<T>, namespace: string, name: string) =>
      store.get(kind, namespace, name) as T | undefined,
    list: <T extends KubeObject>(kind: Kind<T>, namespace?: string) => store.list(kind, namespace) as T[],
    create(kind, draft, options = {}) {
      const object = withDefaults(kind, admit(kind, named(kind, draft, clock.now(), options.owners), admission));
      checkNamespace(store, kind, object);
      if (options.preview) return object;
      validate(kind, object, undefined);
      checkAbsent(store, kind, object);
      return options.dryRun ? object : store.put(kind, object);
    },
    update(kind, draft, part = 'all', options = {}) {
      const { name = '', namespace = '' } = draft.metadata;
      const current = store.get(kind, namespace, name) ?? notFound(kind, name);
      checkPrecondition(kind, current, draft);
      const written = merged(kind, current, draft, part);
      const managedFields = options.owners
        ? draft.metadata.managedFields
        : ownersAfter(kind, current, written, options.manager ?? NOBODY, clock.now());
      const next = managedFields ? { ...written, metadata: { ...written.metadata, managedFields } } : written;
      if (options.preview) return next;
      if (part === 'all') validate(kind, next, current);
      if (isDeepStrictEqual(next, current) || options.dryRun) return next;
      const stored = store.put(kind, next);
      return (isFinished(kind, stored) ? store.remove(kind, namespace, name) : undefined) ?? stored;
    },
    remove(kind, namespace, name, options = {}) {
      const current = store.get(kind, namespace, name) ?? notFound(kind, name);
      checkUid(kind, current, options.uid);
      checkVersion(kind, current, options.resourceVersion);
      const marked = markDeleted(kind, current, options, clock.now());
      if (options.dryRun) return marked ?? current;
      if (marked === undefined) return store.remove(kind, namespace, name) ?? current;
      return isDeepStrictEqual(marked, current) ? current : store.put(kind, marked);
    },
    apply(kind, draft, applier, options = {}) {
      const { name = '', namespace = '' } = draft.metadata;
      const current = store.get(kind, namespace, name);
      if (!current)
        return registry.create(kind, firstApplied(kind, draft, applier, clock.now()), { ...options, owners: true });
      checkPrecondition(kind, current, draft);
      const { resourceVersion: _, ...metadata } = draft.metadata;
      const next = applied(kind, current, { ...draft, metadata }, applier, clock.now());
      return registry.update(kind, next, 'all', { ...options, owners: true });
    },
    store,
  };
  return registry;
}

/** Everything a new object gets from the server: name, uid, times, generation; its status starts empty. */
function named(kind: Kind, draft: Draft, now: number, owners = false): KubeObject {
  const { name, generateName, namespace, labels, annotations, ownerReferences, finalizers, managedFields } =
    draft.metadata;
  const chosen = name ?? (generateName === undefined ? undefined : `${generateName.slice(0, 58)}${randomSuffix()}`);
  if (chosen === undefined)
    throw refusal(
      'Invalid',
      `${kind.kind} is invalid: metadata.name: Required value: name or generateName is required`,
    );
  const metadata: Metadata = {
    name: chosen,
    ...(generateName === undefined ? {} : { generateName }),
    ...(kind.namespaced ? { namespace: namespace ?? 'default' } : {}),
    uid: randomUUID(),
    resourceVersion: '',
    ...(counts(kind) ? { generation: 1 } : {}),
    creationTimestamp: kubeTime(now),
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
    ...(ownerReferences ? { ownerReferences } : {}),
    ...(finalizers ? { finalizers } : {}),
    ...(owners && managedFields ? { managedFields } : {}),
  };
  const { status, ...rest } = draft;
  const initial = INITIAL_STATUS[kindKey(kind)] ?? (kind.status ? {} : status);
  return { ...rest, metadata, ...(initial === undefined ? {} : { status: initial }) };
}

const INITIAL_STATUS: Readonly<Record<string, object>> = {
  '/Namespace': { phase: 'Active' },
  '/Pod': { phase: 'Pending', qosClass: 'BestEffort' },
  '/PersistentVolume': { phase: 'Available' },
  '/PersistentVolumeClaim': { phase: 'Pending' },
  '/Service': { loadBalancer: {} },
  'apiextensions.k8s.io/CustomResourceDefinition': {
    conditions: [
      { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
      { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
    ],
  },
};

/** Five characters of the alphabet that Kubernetes uses: no vowels, so no words. */
export function randomSuffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/** What the real server's admission fills in: a cluster IP, and the selector by which a Job finds its pods. */
function admit(kind: Kind, object: KubeObject, admission: Admission): KubeObject {
  if (kindKey(kind) === kindKey(SERVICE)) {
    const { spec } = object as Service;
    if (spec === undefined || spec.clusterIP !== undefined) return object;
    const clusterIP = admission.clusterIP();
    return { ...object, spec: { ...spec, clusterIP, clusterIPs: [clusterIP] } };
  }
  if (kindKey(kind) === kindKey(JOB) && (object as Job).spec?.selector === undefined) {
    const { spec } = object as Job;
    const labels = jobLabels(object);
    const metadata = { ...spec?.template?.metadata, labels: { ...spec?.template?.metadata?.labels, ...labels } };
    const selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': object.metadata.uid } };
    return { ...object, spec: { ...spec, selector, template: { ...spec?.template, metadata } } };
  }
  return object;
}

const jobLabels = ({ metadata: { name, uid } }: KubeObject) => ({
  'batch.kubernetes.io/controller-uid': uid,
  'batch.kubernetes.io/job-name': name,
  'controller-uid': uid,
  'job-name': name,
});

function checkNamespace(store: Store, kind: Kind, object: KubeObject): void {
  if (!kind.namespaced) return;
  const name = object.metadata.namespace ?? '';
  const namespace = store.get(NAMESPACE, '', name);
  if (!namespace) return notFound(NAMESPACE, name);
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const message = `unable to create new content in namespace ${name} because it is being terminated`;
  throw refusal('Forbidden', `${qualified(kind)} "${object.metadata.name}" is forbidden: ${message}`);
}

function conflict(kind: Kind, name: string, why: string): Error {
  const message = `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}; please apply your changes to the latest version and try again`;
  return refusal('Conflict', message, { name, group: kind.group, kind: kind.plural });
}

function checkAbsent(store: Store, kind: Kind, { metadata: { name, namespace = '' } }: KubeObject): void {
  if (!store.get(kind, namespace, name)) return;
  const details = { name, group: kind.group, kind: kind.plural };
  throw refusal('AlreadyExists', `${qualified(kind)} "${name}" already exists`, details);
}

function checkUid(kind: Kind, { metadata }: KubeObject, uid: string | undefined): void {
  if (uid === undefined || uid === metadata.uid) return;
  throw conflict(kind, metadata.name, 'the UID in the precondition does not match');
}

function checkVersion(kind: Kind, { metadata }: KubeObject, version: string | undefined): void {
  if (version === undefined || version === metadata.resourceVersion) return;
  const why = `the ResourceVersion in the precondition (${version}) does not match the ResourceVersion in record (${metadata.resourceVersion})`;
  throw conflict(kind, metadata.name, why);
}

function checkPrecondition(kind: Kind, current: KubeObject, { metadata }: Draft): void {
  const { name, resourceVersion } = current.metadata;
  checkUid(kind, current, metadata.uid);
  if (metadata.resourceVersion && metadata.resourceVersion !== resourceVersion)
    throw conflict(kind, name, 'the object has been modified');
}

/** The object as it will be stored: fields of the server stay the server's, the other part stays as it is. */
function merged(kind: Kind, current: KubeObject, draft: Draft, part: 'all' | 'status'): KubeObject {
  if (part === 'status') {
    const { status: _, ...rest } = current;
    return { ...rest, ...('status' in draft ? { status: draft['status'] } : {}) };
  }
  const { labels, annotations, ownerReferences, finalizers } = draft.metadata;
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...own } = current.metadata;
  const metadata: Metadata = {
    ...own,
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
    ...(ownerReferences?.length ? { ownerReferences } : {}),
    ...(finalizers?.length ? { finalizers } : {}),
  };
  const { status, ...rest } = draft;
  const kept = kind.status ? current['status'] : status;
  const next = withDefaults(
    kind,
    keepAddress(kind, current, { ...rest, metadata, ...(kept === undefined ? {} : { status: kept }) }),
  );
  if (!counts(kind) || !specChanged(kind, current, next)) return next;
  return { ...next, metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 } };
}

/** A Service keeps its cluster IP when an update does not name one. */
function keepAddress(kind: Kind, current: KubeObject, next: KubeObject): KubeObject {
  if (kindKey(kind) !== kindKey(SERVICE)) return next;
  const { clusterIP, clusterIPs } = (current as Service).spec;
  return { ...next, spec: { ...(clusterIP ? { clusterIP, clusterIPs } : {}), ...(next as Service).spec } };
}

function specChanged(kind: Kind, current: KubeObject, next: KubeObject): boolean {
  if (!kind.custom) return !isDeepStrictEqual(current['spec'], next['spec']);
  const content = ({ metadata: _metadata, status, ...rest }: KubeObject) => (kind.status ? rest : { ...rest, status });
  return !isDeepStrictEqual(content(current), content(next));
}

/** The object marked as being deleted; undefined when nothing holds it and it can go now. */
function markDeleted(kind: Kind, current: KubeObject, options: RemoveOptions, now: number): KubeObject | undefined {
  const { metadata } = current;
  const finalizers = [...(metadata.finalizers ?? [])];
  // A pod has nothing that depends on it here.
  const isPod = kindKey(kind) === kindKey(POD);
  if (options.propagation === 'Foreground' && !isPod && !finalizers.includes('foregroundDeletion'))
    finalizers.push('foregroundDeletion');
  if (options.propagation === 'Orphan' && !finalizers.includes('orphan')) finalizers.push('orphan');
  const grace = isPod ? podGrace(current as Pod, options) : 0;
  const held = grace > 0 || finalizers.length > 0 || kindKey(kind) === kindKey(NAMESPACE);
  if (!held) return undefined;
  const deletionTimestamp = metadata.deletionTimestamp ?? kubeTime(now + grace * 1000);
  const marked: Metadata = {
    ...metadata,
    deletionTimestamp,
    deletionGracePeriodSeconds: Math.min(grace, metadata.deletionGracePeriodSeconds ?? grace),
    ...(finalizers.length > 0 ? { finalizers } : {}),
  };
  return kindKey(kind) === kindKey(NAMESPACE)
    ? { ...current, metadata: marked, status: { phase: 'Terminating' } }
    : { ...current, metadata: marked };
}

/** A pod that the kubelet never took has nothing to stop. */
function podGrace(pod: Pod, options: RemoveOptions): number {
  if (pod.spec.nodeName === undefined) return 0;
  return options.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** Deletion was asked for and the last finalizer is gone. A pod ends by the kubelet's word only. */
function isFinished(kind: Kind, object: KubeObject): boolean {
  if (object.metadata.deletionTimestamp === undefined || kindKey(kind) === kindKey(POD)) return false;
  const { finalizers } =
    kindKey(kind) === kindKey(NAMESPACE) ? (object['spec'] as { finalizers?: string[] }) : object.metadata;
  return (finalizers ?? []).length === 0;
}
