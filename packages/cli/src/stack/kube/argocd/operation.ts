import { kubeTime } from '../objects.ts';
import { retryDelayMs } from './autosync.ts';
import type { SyncOutcome } from './sync.ts';
import type { Application, ApplicationStatus, History, Operation, OperationState } from './types.ts';

/** Where an operation stands when it is looked at. */
export type Due =
  | { readonly kind: 'run'; readonly state: OperationState }
  | { readonly kind: 'wait'; readonly afterMs: number };

/** Begins, resumes (after our own death) or waits with the operation of an application. */
export function dueOperation(app: Application, operation: Operation, now: number): Due {
  const last = app.status?.operationState;
  if (last?.phase !== 'Running')
    return { kind: 'run', state: { operation, phase: 'Running', startedAt: kubeTime(now) } };
  if (last.finishedAt === undefined) return { kind: 'run', state: last };
  const afterMs = Date.parse(last.finishedAt) + retryDelayMs(operation.retry ?? {}, (last.retryCount ?? 1) - 1) - now;
  if (afterMs > 0) return { kind: 'wait', afterMs };
  // A new try begins with nothing that the one before has left.
  const { finishedAt: _, syncResult: __, ...again } = last;
  return { kind: 'run', state: again };
}

/** The state after a try: succeeded, failed for good, or still running until the next try. */
export function afterTry(
  app: Application,
  state: OperationState,
  revision: string,
  outcome: SyncOutcome | { readonly phase: 'Error'; readonly message: string },
  now: number,
): OperationState {
  const tries = state.retryCount ?? 0;
  const resources = 'resources' in outcome ? outcome.resources : (state.syncResult?.resources ?? []);
  const syncResult = { resources, revision, source: app.spec.source };
  if (outcome.phase === 'Running') return { ...state, phase: 'Running', message: outcome.message, syncResult };
  const finished: OperationState = {
    ...state,
    phase: outcome.phase,
    message: outcome.message,
    finishedAt: kubeTime(now),
    syncResult,
  };
  if (outcome.phase === 'Succeeded') return finished;
  const limit = state.operation.retry?.limit ?? 0;
  if (tries >= limit && !(limit < 0))
    return limit === 0 ? finished : { ...finished, message: `${outcome.message} (retried ${tries} times).` };
  const next = kubeTime(now + retryDelayMs(state.operation.retry ?? {}, tries));
  return {
    ...finished,
    phase: 'Running',
    retryCount: tries + 1,
    message: `${outcome.message}. Retrying attempt #${tries + 1} at ${next}.`,
  };
}

const HISTORY_LIMIT = 10;

/** Status with a finished operation: a success enters the history. */
export function withOperation(app: Application, state: OperationState): ApplicationStatus {
  const status = { ...app.status, operationState: state };
  if (state.phase !== 'Succeeded' || !state.syncResult) return status;
  const history = app.status?.history ?? [];
  const entry: History = {
    id: (history.at(-1)?.id ?? -1) + 1,
    revision: state.syncResult.revision,
    deployedAt: state.finishedAt ?? state.startedAt,
    deployStartedAt: state.startedAt,
    source: state.syncResult.source,
    ...(state.operation.initiatedBy ? { initiatedBy: state.operation.initiatedBy } : {}),
  };
  return { ...status, history: [...history, entry].slice(-(app.spec.revisionHistoryLimit ?? HISTORY_LIMIT)) };
}
