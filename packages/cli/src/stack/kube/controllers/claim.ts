import { CLAIM, kindKey, VOLUME } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../workloads.ts';
import { type Controller, keyOf, splitKey } from './loop.ts';

/** Binds claims to the volume that they name, or to a free one of their class; volumes are made by hand (hostPath). */
export function claimController(registry: Registry): Controller {
  return {
    name: 'claim',
    keys: ({ kind, object }) => {
      if (kind === kindKey(CLAIM)) return [keyOf(object)];
      return kind === kindKey(VOLUME)
        ? registry
            .list(CLAIM)
            .filter(({ status }) => status?.phase !== 'Bound')
            .map(keyOf)
        : [];
    },
    reconcile(key) {
      const claim = registry.get(CLAIM, ...splitKey(key));
      if (!claim || claim.status?.phase === 'Bound') return undefined;
      const volume = registry.list(VOLUME).find((candidate) => suits(candidate, claim));
      if (!volume) return undefined;
      const { name, namespace = '', uid } = claim.metadata;
      const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, namespace, uid };
      const bound = registry.update(VOLUME, { ...volume, spec: { ...volume.spec, claimRef } });
      registry.update(VOLUME, { ...bound, status: { phase: 'Bound' } }, 'status');
      const taken = registry.update(CLAIM, { ...claim, spec: { ...claim.spec, volumeName: volume.metadata.name } });
      const { accessModes, capacity } = volume.spec;
      registry.update(CLAIM, { ...taken, status: { phase: 'Bound', accessModes, capacity } }, 'status');
      return undefined;
    },
  };
}

function suits({ metadata, spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { volumeName, storageClassName = '', accessModes = [] } = claim.spec;
  const { claimRef } = spec;
  const free =
    claimRef === undefined ||
    (claimRef.name === claim.metadata.name &&
      claimRef.namespace === claim.metadata.namespace &&
      (claimRef.uid ?? claim.metadata.uid) === claim.metadata.uid);
  if (!free) return false;
  if (volumeName !== undefined && volumeName !== '') return metadata.name === volumeName;
  return (
    (spec.storageClassName ?? '') === storageClassName && accessModes.every((mode) => spec.accessModes?.includes(mode))
  );
}
