import { failed, FairwayError, iso, type StepResult, succeeded, waiting } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import type { Application, Relation } from '../../ports.ts';
import { environmentFolder, environmentName, retrainApplication, retrainFolder } from '../../render/paths.ts';
import { type SyncVerdict, syncVerdict } from '../live.ts';
import { pollDelay } from '../retry.ts';
import { phaseAge, type Step, type StepContext } from '../step.ts';

const REFRESH_EVERY_MS = 1_000;

export type SyncLook = { readonly application: Application | undefined; readonly verdict: SyncVerdict };

/** Waits until Argo CD has applied a revision that contains the merged commit. */
export const awaitSync: Step = {
  name: 'await-sync',
  async run(stored, context) {
    const { verdict } = await lookAtSync(stored, context);
    if (verdict.state === 'synced') return succeeded({ phase: 'verifying' });
    if (verdict.state === 'syncing' && stored.change.phase === 'merged')
      return succeeded({ phase: 'syncing', reason: verdict.reason });
    return unsynced(stored, context, verdict);
  },
};

/** Reads the Application, asks for a refresh where its word is old, and judges. */
export async function lookAtSync(stored: StoredChange, context: StepContext): Promise<SyncLook> {
  const { change, facts } = stored;
  const deploy = change.kind !== 'retrain';
  const name = deploy ? environmentName(change.model, change.environment) : retrainApplication(change.model, change.id);
  const folder = deploy ? environmentFolder(change.model, change.environment) : retrainFolder(change.model, change.id);
  const application = await context.cluster.application(name);
  const verdict = syncVerdict(
    application,
    await relate(application, facts.mergeCommit, folder, context),
    facts.mergedAt,
  );
  if (verdict.stale === true && application !== undefined && mayRefresh(application, context)) {
    await context.cluster.refresh(name, iso(context.clock.now()));
  }
  return { application, verdict };
}

function relate(
  application: Application | undefined,
  mergeCommit: string | undefined,
  folder: string,
  { history }: StepContext,
): Promise<Relation> {
  const revision = application?.revision ?? '';
  // `sync.revision` may be empty or a name while generation fails.
  if (mergeCommit === undefined || !/^[0-9a-f]{40,64}$/.test(revision)) return Promise.resolve({ kind: 'unknown' });
  return history.relation(mergeCommit, revision, folder);
}

/** Not while a refresh is under way, and not more often than each second. */
function mayRefresh({ refreshRequested, reconciledAt }: Application, { clock }: StepContext): boolean {
  if (refreshRequested) return false;
  return reconciledAt === undefined || clock.now() - Date.parse(reconciledAt) > REFRESH_EVERY_MS;
}

/** What every verdict but `synced` means for a change: an end, or a wait with the reason. */
export function unsynced(
  stored: StoredChange,
  { clock }: StepContext,
  { state, reason }: SyncVerdict,
): StepResult<Transition> {
  if (state === 'superseded') return succeeded({ phase: 'superseded', reason });
  if (state === 'sync-failed') return failed(new FairwayError('sync.failed', reason));
  return waiting(pollDelay(phaseAge(stored, clock)), reason);
}
