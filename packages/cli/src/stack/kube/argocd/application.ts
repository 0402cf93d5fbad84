import type { Clock, Logger } from '@fairway/core';
import type { Writer } from '../admission/writer.ts';
import { type Controller, keyOf, splitKey } from '../controllers/loop.ts';
import { APPLICATION, kindKey, KINDS } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import { type Comparison, comparedStatus, conditionsWith, specMoved } from './application-status.ts';
import { decideAutoSync, revisionOf } from './autosync.ts';
import { compare, placed, trackedBy, trackedObjects } from './compare.ts';
import { continueSync, isHook } from './hooks.ts';
import type { Renderer } from './manifests.ts';
import { afterTry, dueOperation, withOperation } from './operation.ts';
import { checkProject } from './project.ts';
import { type Repositories, sameRepository } from './repositories.ts';
import { runSync, type SyncOutcome } from './sync.ts';
import {
  type AppCondition,
  type Application,
  type ApplicationStatus,
  FINALIZER,
  GENERATE_PATHS,
  type Operation,
  type OperationState,
  REFRESH,
  REFRESH_TIMESTAMP,
  targetOf,
} from './types.ts';

export type ArgoParts = {
  readonly registry: Registry;
  /** By which what is synced is written. */
  readonly writer: Writer;
  readonly repositories: Repositories;
  readonly render: Renderer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace whose Applications are ours. */
  readonly namespace: string;
};

/** An application whose target could not be found out is looked at again after this time. */
const ERROR_RETRY_MS = 3_000;

/** Compares Applications with the cluster and syncs them. */
export function applicationController(parts: ArgoParts): Controller {
  const { registry, repositories, namespace } = parts;
  return {
    name: 'application',
    keys: ({ kind, object }) => {
      if (kind === kindKey(APPLICATION)) return object.metadata.namespace === namespace ? [keyOf(object)] : [];
      const own = KINDS.find((known) => kindKey(known) === kind);
      const app = own && trackedBy(own, object);
      return app === undefined ? [] : [`${namespace}/${app}`];
    },
    sources: (enqueue) =>
      repositories.onMove((url) => {
        const following = registry
          .list(APPLICATION, namespace)
          .filter(({ spec }) => sameRepository(spec.source.repoURL, url));
        for (const app of following) enqueue(keyOf(app));
      }),
    async reconcile(key) {
      const app = registry.get(APPLICATION, ...splitKey(key));
      if (!app) return undefined;
      return app.metadata.deletionTimestamp === undefined ? reconcile(parts, app) : cascade(parts, app);
    },
  };
}

/** Deletes what the application deployed, then lets it go. Without the finalizer the resources stay. */
function cascade({ registry }: ArgoParts, app: Application): undefined {
  const finalizers = app.metadata.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return undefined;
  const left = trackedObjects(registry, app);
  for (const { kind, live } of left) {
    if (live.metadata.deletionTimestamp === undefined)
      registry.remove(kind, live.metadata.namespace ?? '', live.metadata.name, { propagation: 'Foreground' });
  }
  if (left.length === 0)
    registry.update(APPLICATION, {
      ...app,
      metadata: { ...app.metadata, finalizers: finalizers.filter((name) => name !== FINALIZER) },
    });
  return undefined;
}

async function reconcile(parts: ArgoParts, app: Application): Promise<number | undefined> {
  const asked = app.metadata.annotations?.[REFRESH] !== undefined;
  const failing = app.status?.sync?.status === 'Unknown';
  const comparison = await compareNow(parts, app, targetOf(app.spec.source), asked || failing);
  const fresh = asked || failing || app.status?.sync?.revision !== comparison.revision || specMoved(app);
  const current = write(parts, app, (latest) => comparedStatus(latest, comparison, fresh, parts.clock.now()), asked);
  if (!current) return undefined;
  const waits = [comparison.failure ? ERROR_RETRY_MS : undefined, await operate(parts, current, comparison)];
  return waits.reduce<number | undefined>(
    (least, wait) => (wait === undefined ? least : Math.min(wait, least ?? wait)),
    undefined,
  );
}

/** The comparison with a revision; `pull`: the remote is asked first. */
async function compareNow(
  { registry, repositories, render, log }: ArgoParts,
  app: Application,
  revision: string,
  pull: boolean,
): Promise<Comparison> {
  const { repoURL, path = '.' } = app.spec.source;
  const failed = (type: AppCondition['type'], message: string): Comparison => ({
    compared: trackedObjects(registry, app)
      .filter(({ live }) => !isHook(live))
      .map(({ kind, live }) => ({
        kind,
        namespace: live.metadata.namespace ?? '',
        name: live.metadata.name,
        target: live,
        live,
        status: 'OutOfSync',
      })),
    hooks: [],
    liveHooks: [],
    revision: undefined,
    sourceType: undefined,
    failure: { type, message },
  });
  const invalid = checkProject(registry, app);
  if (invalid !== undefined) return failed('InvalidSpecError', invalid);
  try {
    if (pull) await repositories.refresh(repoURL);
    const commit = await repositories.resolve(repoURL, revision);
    const { targets, sourceType } = await render(repoURL, commit, path);
    const compared = compare(
      registry,
      app,
      targets.filter(({ object }) => !isHook(object)),
    );
    const hooks = targets
      .filter(({ object }) => isHook(object))
      .map(({ kind, object }) => ({ kind, object: placed(app, kind, object) }));
    const liveHooks = trackedObjects(registry, app).filter(({ live }) => isHook(live));
    return { compared, hooks, liveHooks, revision: commit, sourceType, failure: undefined };
  } catch (error) {
    log.info({ application: app.metadata.name, reason: (error as Error).message }, 'target state could not be loaded');
    return failed(
      'ComparisonError',
      `Failed to load target state: failed to generate manifest for source 1 of 1: ${(error as Error).message}`,
    );
  }
}

/** Starts what auto-sync wants and carries the operation on. */
async function operate(parts: ArgoParts, app: Application, comparison: Comparison): Promise<number | undefined> {
  if (app.operation) return runOperation(parts, app, app.operation);
  if (comparison.failure || comparison.revision === undefined) return undefined;
  const now = parts.clock.now();
  const untouched = await isUntouched(parts, app, comparison.revision);
  const wanted = decideAutoSync(app, comparison.compared, comparison.revision, untouched, now);
  const refused: AppCondition | undefined =
    wanted.kind === 'refused' ? { type: 'SyncError', message: wanted.message } : undefined;
  write(parts, app, (latest) => ({
    ...latest.status,
    conditions: conditionsWith(latest.status?.conditions, ['SyncError'], refused, now),
  }));
  if (wanted.kind === 'later') return wanted.afterMs;
  return wanted.kind === 'start' ? runOperation(parts, app, wanted.operation) : undefined;
}

/** With `manifest-generate-paths: .`, whether the application's folder is what it was when something was last applied. */
async function isUntouched({ repositories }: ArgoParts, app: Application, revision: string): Promise<boolean> {
  const { syncResult } = app.status?.operationState ?? {};
  if (app.metadata.annotations?.[GENERATE_PATHS] !== '.' || syncResult === undefined) return false;
  const { repoURL, path = '.' } = app.spec.source;
  const tree = (commit: string) => repositories.treeOf(repoURL, commit, path).catch(() => undefined);
  const [before, now] = await Promise.all([syncResult.revision, revision].map(tree));
  return before !== undefined && before === now;
}

/** One try of an operation. What is written before it lets a restarted process carry it on. */
async function runOperation(parts: ArgoParts, app: Application, operation: Operation): Promise<number | undefined> {
  const due = dueOperation(app, operation, parts.clock.now());
  if (due.kind === 'wait') return due.afterMs;
  const running = write(parts, app, (latest) => ({ ...latest.status, operationState: due.state }), false, operation);
  if (!running) return undefined;
  const comparison = await compareNow(parts, running, revisionOf(running, operation), false);
  const { revision } = comparison;
  const outcome = await oneStep(parts, running, operation, comparison, due.state);
  const state = afterTry(running, due.state, revision ?? revisionOf(running, operation), outcome, parts.clock.now());
  const over = state.phase !== 'Running';
  const hooks = outcome.phase === 'Running';
  const written = write(parts, running, (latest) => withOperation(latest, state), false, over ? 'done' : operation);
  const told = { application: app.metadata.name, revision, phase: state.phase, reason: state.message };
  if (!hooks) parts.log.info(told, 'sync');
  // What is waited for tells us itself; this is for what does not.
  if (hooks) return HOOK_LOOK_MS;
  if (!written || !over) return 0;
  // Argo CD compares anew after every operation: this is what makes reconciledAt later than finishedAt.
  const after = await compareNow(parts, written, targetOf(written.spec.source), false);
  write(parts, written, (latest) => comparedStatus(latest, after, true, parts.clock.now()));
  return undefined;
}

const HOOK_LOOK_MS = 1_000;

/** Applies, or looks at what was applied and its hooks. A selective sync runs none. */
async function oneStep(
  { registry, writer }: ArgoParts,
  app: Application,
  operation: Operation,
  { compared, hooks, failure }: Comparison,
  { syncResult }: OperationState,
): Promise<SyncOutcome | { readonly phase: 'Error'; readonly message: string }> {
  if (failure) return { phase: 'Error', message: failure.message };
  if (syncResult) return continueSync({ registry, writer, app }, compared, hooks, syncResult.resources ?? []);
  const outcome = await runSync({ registry, writer }, app, operation, compared);
  const whole = outcome.phase === 'Succeeded' && operation.sync?.resources === undefined;
  return whole && hooks.length > 0
    ? { ...outcome, phase: 'Running', message: 'one or more tasks are running' }
    : outcome;
}

/** Writes the newest object's status; optionally takes the refresh request off, and sets or removes the operation. */
function write(
  { registry }: ArgoParts,
  app: Application,
  status: (latest: Application) => ApplicationStatus,
  refreshed = false,
  operation?: Operation | 'done',
): Application | undefined {
  const { name, namespace = '', uid } = app.metadata;
  const latest = registry.get(APPLICATION, namespace, name);
  if (latest?.metadata.uid !== uid) return undefined;
  const { operation: pending, ...rest } = latest;
  const kept = operation === 'done' ? undefined : (operation ?? pending);
  const metadata = refreshed ? withoutRefresh(app, latest) : latest.metadata;
  const next = { ...rest, metadata, status: status(latest), ...(kept ? { operation: kept } : {}) };
  return registry.update(APPLICATION, next) as Application;
}

/** A request that came during the refresh has another timestamp and stays. */
function withoutRefresh(asked: Application, latest: Application): Application['metadata'] {
  const { [REFRESH]: _, [REFRESH_TIMESTAMP]: stamp, ...annotations } = latest.metadata.annotations ?? {};
  return stamp === asked.metadata.annotations?.[REFRESH_TIMESTAMP]
    ? { ...latest.metadata, annotations }
    : latest.metadata;
}
