import type { Change } from '@fairway/core';
import { environmentName, retrainJob, retrainNamespace } from '../../render/paths.ts';
import { optionalObjects } from '../../render/manifests.ts';
import type { OwnResource } from './synced.ts';

/**
 * What a change renders for Argo CD to apply (render/manifests.ts, render/retrain.ts). `optional`: only where model.yaml asks for
 * it. Argo CD lists everything that the compared commit has, so what is not listed is not rendered.
 */
export function ownResources({ id, kind, model, environment }: Change): OwnResource[] {
  if (kind === 'retrain') {
    const job = { namespace: retrainNamespace(model), name: retrainJob(id) };
    return [
      { group: 'batch', kind: 'Job', ...job },
      // Retrainings of before it was rendered have none.
      { group: '', kind: 'ServiceAccount', ...job, optional: true },
    ];
  }
  const namespace = environmentName(model, environment);
  return [
    { group: 'apps', kind: 'Deployment', namespace, name: model },
    { group: '', kind: 'Service', namespace, name: model },
    ...optionalObjects(model).map((object) => ({ ...object, namespace, optional: true as const })),
  ];
}
