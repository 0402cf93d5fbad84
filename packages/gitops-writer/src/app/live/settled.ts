import type { Application, Relation } from '../../ports.ts';
import { type Objection, short } from './objection.ts';

/** Condition 1: nothing is under way. While an operation runs, what was compared and what is applied may differ. */
export function settled({ deleting, name, operation, operationRequested }: Application): Objection | undefined {
  if (deleting) return { state: 'unknown', reason: `Argo CD Application ${name} is being deleted.` };
  if (operation?.phase === 'Terminating') return { state: 'syncing', reason: 'Argo CD is ending a sync.' };
  if (operation?.phase === 'Running') {
    const message = operation.message ?? '';
    return { state: 'syncing', reason: `Argo CD is applying the manifests${message === '' ? '.' : `: ${message}`}` };
  }
  if (operationRequested) return { state: 'syncing', reason: 'A sync is asked for; Argo CD has not begun it.' };
  return undefined;
}

/**
 * A sync of ours that failed: `applied` is the relation of what the operation applied to the merge commit. Argo CD never
 * tries a failed revision again by itself. The failure of an older revision, or of a later state of our folder, is not ours.
 */
export function applied({ operation }: Application, relation: Relation | undefined): Objection | undefined {
  if (operation?.phase !== 'Failed' && operation?.phase !== 'Error') return undefined;
  if (relation?.kind !== 'contains') return undefined;
  const revision = operation.applied.map((source) => short(source.revision)).join(', ');
  return {
    state: 'sync-failed',
    reason: `Argo CD could not apply ${revision}: ${operation.message ?? 'no reason given'}`,
    fails: true,
  };
}
