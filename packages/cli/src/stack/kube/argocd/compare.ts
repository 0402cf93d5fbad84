import { isDeepStrictEqual } from 'node:util';
import { type Kind, KINDS } from '../kinds.ts';
import type { Draft, KubeObject } from '../objects.ts';
import { withDefaults } from '../store/defaults.ts';
import { threeWayMerge } from '../store/merge.ts';
import type { Registry } from '../store/registry.ts';
import type { Target } from './manifests.ts';
import { type Application, HOOK, type ResourceStatus, TRACKING } from './types.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** One resource of an application: what Git wants, what is there, and whether the two agree. */
export type Compared = {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly target?: KubeObject;
  readonly live?: KubeObject;
  readonly status: 'Synced' | 'OutOfSync';
};

/** `<app>:<group>/<kind>:<namespace>/<name>`: by this an object says which application it belongs to. */
const trackingId = (app: string, kind: Kind, namespace: string, name: string): string =>
  `${app}:${kind.group}/${kind.kind}:${namespace}/${name}`;

/** Name of the application that tracks an object itself; copies of the annotation on its children do not count. */
export function trackedBy(kind: Kind, { metadata }: KubeObject): string | undefined {
  const id = metadata.annotations?.[TRACKING];
  const app = id?.slice(0, id.indexOf(':'));
  return app !== undefined && id === trackingId(app, kind, metadata.namespace ?? '', metadata.name) ? app : undefined;
}

/** Targets with live objects, then live objects that Git no longer wants. Hooks are neither: a sync runs them. */
export function compare(registry: Registry, app: Application, targets: readonly Target[]): Compared[] {
  const wanted = targets.map(({ kind, object }) => compareOne(registry, kind, placed(app, kind, object)));
  const surplus = trackedObjects(registry, app).filter(
    ({ kind, live }) =>
      live.metadata.annotations?.[HOOK] === undefined &&
      !wanted.some(
        (other) =>
          other.kind === kind &&
          other.name === live.metadata.name &&
          other.namespace === (live.metadata.namespace ?? ''),
      ),
  );
  const pruned = surplus.map(
    ({ kind, live }): Compared => ({
      kind,
      namespace: live.metadata.namespace ?? '',
      name: live.metadata.name,
      live,
      status: 'OutOfSync',
    }),
  );
  return [...wanted, ...pruned];
}

/** Live objects that carry the application's tracking id. */
export function trackedObjects(registry: Registry, app: Application): { kind: Kind; live: KubeObject }[] {
  return KINDS.flatMap((kind) => registry.list(kind).map((live) => ({ kind, live }))).filter(
    ({ kind, live }) => trackedBy(kind, live) === app.metadata.name,
  );
}

/** A target where the application puts it, with the annotation by which it is known again. */
export function placed(app: Application, kind: Kind, object: KubeObject): KubeObject {
  const { namespace: own, ...metadata } = object.metadata;
  const namespace = kind.namespaced ? (own ?? app.spec.destination.namespace ?? 'default') : '';
  const annotations = {
    ...metadata.annotations,
    [TRACKING]: trackingId(app.metadata.name, kind, namespace, metadata.name),
  };
  return { ...object, metadata: { ...metadata, ...(kind.namespaced ? { namespace } : {}), annotations } };
}

function compareOne(registry: Registry, kind: Kind, target: KubeObject): Compared {
  const { name, namespace = '' } = target.metadata;
  const live = registry.get(kind, namespace, name);
  const same = live !== undefined && isDeepStrictEqual(predicted(kind, target, live), live);
  return { kind, namespace, name, target, ...(live ? { live } : {}), status: same ? 'Synced' : 'OutOfSync' };
}

/** The live object as it would be after an apply (three-way, with the last applied manifest as the origin). */
function predicted(kind: Kind, target: KubeObject, live: KubeObject): KubeObject {
  const original = lastApplied(live);
  const { status: _, ...wanted } = target;
  const next = withDefaults(kind, threeWayMerge(original, wanted, live) as KubeObject);
  // Bookkeeping of the apply itself is no difference.
  const annotations = { ...next.metadata.annotations };
  const recorded = live.metadata.annotations?.[LAST_APPLIED];
  if (recorded !== undefined) annotations[LAST_APPLIED] = recorded;
  return { ...next, metadata: { ...next.metadata, annotations } };
}

function lastApplied(live: KubeObject): unknown {
  try {
    return JSON.parse(live.metadata.annotations?.[LAST_APPLIED] ?? '{}');
  } catch {
    return {};
  }
}

/** What an apply writes: the merged object with the manifest remembered in its annotation. */
export function applied(target: KubeObject, live: KubeObject | undefined): Draft {
  const { status: _, ...wanted } = target;
  const merged = live ? (threeWayMerge(lastApplied(live), wanted, live) as KubeObject) : wanted;
  const annotations = { ...merged.metadata.annotations, [LAST_APPLIED]: `${JSON.stringify(wanted)}\n` };
  const { resourceVersion: _v, ...metadata } = merged.metadata;
  return { ...merged, metadata: { ...metadata, annotations } };
}

/** As `status.resources` lists it; health stays with the objects themselves (`resourceHealthSource: appTree`). */
export function resourceStatus({ kind, namespace, name, target, status }: Compared): ResourceStatus {
  return {
    ...(kind.group === '' ? {} : { group: kind.group }),
    version: kind.version,
    kind: kind.kind,
    ...(namespace === '' ? {} : { namespace }),
    name,
    status,
    ...(target ? {} : { requiresPruning: true }),
  };
}
