import { isDeepStrictEqual } from 'node:util';
import type { Compared } from './compare.ts';
import { type Application, type Operation, type Retry, type SyncResource, targetOf } from './types.ts';

/** What auto-sync wants now. */
export type AutoSync =
  | { readonly kind: 'none' }
  | { readonly kind: 'start'; readonly operation: Operation }
  | { readonly kind: 'later'; readonly afterMs: number }
  /** Shown as the condition SyncError. */
  | { readonly kind: 'refused'; readonly message: string };

const NONE: AutoSync = { kind: 'none' };
const SELF_HEAL_MS = 5_000;
/** Argo CD's default when the policy names no retry. */
const DEFAULT_RETRY: Retry = { limit: 5 };

/**
 * Argo CD's rules: only when OutOfSync, a failed revision never again by itself, nothing is wiped out whole by accident. `untouched`: no
 * commit since the last sync is about this application, so that whatever differs was changed in the cluster.
 */
export function decideAutoSync(
  app: Application,
  compared: readonly Compared[],
  revision: string,
  untouched: boolean,
  now: number,
): AutoSync {
  const policy = app.spec.syncPolicy?.automated;
  const differing = compared.filter(({ status }) => status === 'OutOfSync');
  if (!policy || policy.enabled === false || app.operation || differing.length === 0) return NONE;
  if (policy.prune !== true && differing.every(({ target }) => target === undefined)) return NONE;
  const last = app.status?.operationState;
  const attempted =
    last?.syncResult !== undefined &&
    (untouched || last.syncResult.revision === revision) &&
    isDeepStrictEqual(last.syncResult.source, app.spec.source);
  if (attempted && last.phase !== 'Succeeded') {
    return {
      kind: 'refused',
      message: `Failed last sync attempt to [${revision}]: ${last.message ?? ''} (retried ${last.retryCount ?? 0} times)`,
    };
  }
  let resources: SyncResource[] | undefined;
  if (attempted) {
    if (policy.selfHeal !== true) return NONE;
    const wait = Date.parse(last.finishedAt ?? last.startedAt) + SELF_HEAL_MS - now;
    if (wait > 0) return { kind: 'later', afterMs: wait };
    // Healing is selective, so no hook runs again because somebody has scaled a Deployment.
    resources = differing.map(({ kind: { group, kind }, namespace, name }) => ({ group, kind, namespace, name }));
  }
  if (policy.prune && policy.allowEmpty !== true && compared.every(({ target }) => target === undefined)) {
    return { kind: 'refused', message: `Skipping sync attempt to ${revision}: auto-sync will wipe out all resources` };
  }
  const syncOptions = app.spec.syncPolicy?.syncOptions;
  const sync = {
    revision,
    prune: policy.prune === true,
    ...(syncOptions ? { syncOptions } : {}),
    ...(resources ? { resources } : {}),
  };
  return {
    kind: 'start',
    operation: { sync, initiatedBy: { automated: true }, retry: app.spec.syncPolicy?.retry ?? DEFAULT_RETRY },
  };
}

/** How long a failed operation waits before its next try: `duration` × `factor`^tries, at most `maxDuration`. */
export function retryDelayMs(retry: Retry, tries: number): number {
  const { duration = '5s', factor = 2, maxDuration = '3m' } = retry.backoff ?? {};
  return Math.min(durationMs(duration) * factor ** tries, durationMs(maxDuration));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's duration text (`1m30s`), or plain seconds. */
function durationMs(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit = 's']) => sum + Number(amount) * (UNITS[unit] ?? 0),
    0,
  );
}

/** The revision an operation is about: its own, or what the application follows. */
export const revisionOf = (app: Application, operation: Operation): string =>
  operation.sync?.revision ?? targetOf(app.spec.source);
