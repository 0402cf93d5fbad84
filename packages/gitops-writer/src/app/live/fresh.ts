import type { Application } from '../../ports.ts';
import { type Objection, wholeSeconds } from './objection.ts';

/**
 * Condition 2: the comparison is younger than the merge and than the end of the last operation. `sync.status` and `health`
 * of an older one describe the world before the change.
 */
export function fresh({ reconciledAt, operation }: Application, mergedAt: string | undefined): Objection | undefined {
  if (isOlder(reconciledAt, mergedAt)) return stale('the change was merged');
  if (isOlder(reconciledAt, operation?.finishedAt)) return stale('its last sync ended');
  return undefined;
}

const stale = (event: string): Objection => ({
  state: 'unknown',
  reason: `What Argo CD says is from before ${event}; it is asked to compare again.`,
  stale: true,
});

/** In whole seconds: the forge tells milliseconds, Argo CD cuts them off. */
function isOlder(reconciledAt: string | undefined, event: string | undefined): boolean {
  if (event === undefined) return false;
  return reconciledAt === undefined || !(wholeSeconds(reconciledAt) >= wholeSeconds(event));
}

/**
 * Whether Argo CD may be asked to compare again: not while a request is pending, and not within `everyMs` of the last
 * comparison. The clocks may differ, so the distance counts in both directions.
 */
export function mayRefresh({ refreshRequested, reconciledAt }: Application, now: number, everyMs: number): boolean {
  if (refreshRequested) return false;
  return reconciledAt === undefined || !(Math.abs(now - Date.parse(reconciledAt)) <= everyMs);
}
