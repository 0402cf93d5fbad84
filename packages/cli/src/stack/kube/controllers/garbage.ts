import { type Kind, KINDS, kindKey, kindOf } from '../kinds.ts';
import type { KubeObject, OwnerReference } from '../objects.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './loop.ts';

/** An owner as a key: its uid decides whether the object of that name is still the one that was meant. */
const ownerKey = (kind: Kind, namespace: string, { name, uid }: Pick<OwnerReference, 'name' | 'uid'>): string =>
  [kindKey(kind), kind.namespaced ? namespace : '', name, uid].join('|');

/** Removes what an owner leaves behind (`ownerReferences`), in the foreground or background, or lets it go (`Orphan`). */
export function garbageController(registry: Registry): Controller {
  return {
    name: 'garbage',
    keys: ({ type, kind, object }) => {
      const own = KINDS.find((known) => kindKey(known) === kind);
      const leaving = type === 'DELETED' || object.metadata.deletionTimestamp !== undefined;
      const self = own && leaving ? [ownerKey(own, object.metadata.namespace ?? '', object.metadata)] : [];
      return [...self, ...(type === 'MODIFIED' ? [] : ownersOf(object))];
    },
    reconcile(key) {
      const [kindName = '', namespace = '', name = '', uid = ''] = key.split('|');
      const kind = KINDS.find((known) => kindKey(known) === kindName);
      if (!kind) return undefined;
      const found = registry.get(kind, namespace, name);
      const owner = found?.metadata.uid === uid ? found : undefined;
      const finalizers = owner?.metadata.finalizers ?? [];
      if (!owner) for (const dependent of dependentsOf(registry, uid)) release(registry, dependent, uid);
      else if (finalizers.includes('orphan')) {
        for (const dependent of dependentsOf(registry, uid)) disown(registry, dependent, uid);
        finish(registry, kind, owner, 'orphan');
      } else if (finalizers.includes('foregroundDeletion')) {
        const dependents = dependentsOf(registry, uid);
        for (const dependent of dependents)
          if (dependent.object.metadata.deletionTimestamp === undefined)
            release(registry, dependent, uid, 'Foreground');
        if (dependents.length === 0) finish(registry, kind, owner, 'foregroundDeletion');
      }
      return undefined;
    },
  };
}

type Dependent = { readonly kind: Kind; readonly object: KubeObject };

function ownersOf({ metadata }: KubeObject): string[] {
  return (metadata.ownerReferences ?? []).flatMap((owner) => {
    const kind = kindOf(owner);
    return kind ? [ownerKey(kind, metadata.namespace ?? '', owner)] : [];
  });
}

function dependentsOf(registry: Registry, uid: string): Dependent[] {
  return KINDS.flatMap((kind) =>
    registry
      .list(kind)
      .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid))
      .map((object) => ({ kind, object })),
  );
}

/** Removes a dependent, unless another owner still wants it. */
function release(
  registry: Registry,
  { kind, object }: Dependent,
  uid: string,
  propagation: 'Background' | 'Foreground' = 'Background',
): void {
  const { name, namespace = '' } = object.metadata;
  const others = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
  const wanted = others.some((owner) => {
    const ownerKind = kindOf(owner);
    return ownerKind && registry.get(ownerKind, namespace, owner.name)?.metadata.uid === owner.uid;
  });
  if (wanted) disown(registry, { kind, object }, uid);
  else registry.remove(kind, namespace, name, { propagation });
}

function disown(registry: Registry, { kind, object }: Dependent, uid: string): void {
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
  registry.update(kind, { ...object, metadata: { ...object.metadata, ownerReferences } });
}

function finish(registry: Registry, kind: Kind, owner: KubeObject, finalizer: string): void {
  const finalizers = (owner.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  registry.update(kind, { ...owner, metadata: { ...owner.metadata, finalizers } });
}
