import type { Application } from '../../ports.ts';
import type { Objection } from './objection.ts';

/**
 * Condition 3: no ComparisonError, InvalidSpecError or SyncError. The first two make status and health worthless; the last
 * says that Argo CD refuses to sync by itself (a failed sync of our own is judged before, see `applied`).
 */
export function faultless({ errors }: Application): Objection | undefined {
  if (errors.length === 0) return undefined;
  const reason = `Argo CD reports ${errors.map(({ type, message }) => `${type}: ${message}`).join('; ')}`;
  const blind = errors.some(({ type }) => type !== 'SyncError');
  return blind ? { state: 'unknown', reason, stale: true } : { state: 'waiting-for-sync', reason, stale: true };
}
