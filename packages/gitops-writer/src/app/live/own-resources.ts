import type { Change } from '@fairway/core';
import { environmentName, retrainJob, retrainNamespace } from '../../render/paths.ts';
import type { OwnResource } from './synced.ts';

/** What a change renders for Argo CD to apply (render/deploy.ts, render/retrain.ts). */
export function ownResources({ id, kind, model, environment }: Change): OwnResource[] {
  if (kind === 'retrain') {
    return [{ group: 'batch', kind: 'Job', namespace: retrainNamespace(model), name: retrainJob(id) }];
  }
  const namespace = environmentName(model, environment);
  return [
    { group: 'apps', kind: 'Deployment', namespace, name: model },
    { group: '', kind: 'Service', namespace, name: model },
  ];
}
