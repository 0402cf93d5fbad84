import { DEFINITION, definedKinds, KINDS, kindKey, NAMESPACE } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './loop.ts';

/** Empties namespaces that are being deleted, then lets them go. */
export function namespaceController(registry: Registry): Controller {
  return {
    name: 'namespace',
    keys: ({ type, kind, object }) => {
      if (kind === kindKey(NAMESPACE))
        return object.metadata.deletionTimestamp === undefined ? [] : [object.metadata.name];
      // Only what leaves a namespace can make it empty.
      return type === 'DELETED' && object.metadata.namespace !== undefined ? [object.metadata.namespace] : [];
    },
    reconcile(name) {
      const namespace = registry.get(NAMESPACE, '', name);
      if (!namespace || namespace.metadata.deletionTimestamp === undefined) return undefined;
      const kinds = [...KINDS, ...definedKinds(registry.list(DEFINITION))];
      const inside = kinds
        .filter(({ namespaced }) => namespaced)
        .flatMap((kind) => registry.list(kind, name).map((object) => ({ kind, object })));
      for (const { kind, object } of inside) {
        if (object.metadata.deletionTimestamp === undefined) registry.remove(kind, name, object.metadata.name);
      }
      if (inside.length === 0)
        registry.update(NAMESPACE, { ...namespace, spec: { ...namespace.spec, finalizers: [] } });
      return inside.length === 0 ? undefined : 200;
    },
  };
}
