import { iso, type StepResult, succeeded } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import { placeOf } from '../catalogue.ts';
import { alreadyThere } from '../draft.ts';
import { proposedNotice } from '../notices.ts';
import { newerReason, superseded } from '../proposal/ended.ts';
import { dropOwnBranch, findOwn, FRESH_MS, publish, publishBranch } from '../publish.ts';
import type { Step, StepContext } from '../step.ts';

/** First the branch, then, when others have theirs too, the pull request; unless a newer version has been proposed or the default branch says the same already. */
export const propose: Step = {
  name: 'propose',
  yields: ({ facts }) => facts.headSha !== undefined,
  async run(stored, context) {
    const { change, evidence, facts: known } = stored;
    const skipped =
      evidence.kind === 'deploy'
        ? ((await overtaken(stored, context)) ?? (await onBranch(stored, context)))
        : undefined;
    if (skipped !== undefined) return skipped;
    if (known.headSha === undefined) {
      const { facts } = await publishBranch(stored, context);
      return succeeded({ phase: change.phase, facts });
    }
    const { pullRequest, facts } = await publish(stored, context);
    const proposed: Transition = { phase: 'proposed', pullRequest, facts };
    // The alert card of the monitor already announces a retraining.
    if (evidence.kind === 'retrain') return succeeded(proposed);
    const auto = await mergesByItself(stored, context);
    return succeeded({ ...proposed, notice: proposedNotice({ evidence, change: { ...change, pullRequest } }, auto) });
  },
};

type Skipped = Promise<StepResult<Transition> | undefined>;

/** A writer may have died right after it had opened the pull request: that one is closed with a link, and a merge of it is a merge. */
async function overtaken(stored: StoredChange, context: StepContext): Skipped {
  const newer = await context.changes.newer(stored.change);
  if (newer === undefined) return undefined;
  const pullRequest = await findOwn(stored, context);
  if (pullRequest?.state === 'merged') return undefined;
  if (pullRequest !== undefined)
    return superseded({ ...stored, change: { ...stored.change, pullRequest } }, context, pullRequest, newer);
  await dropOwnBranch(stored, context);
  return succeeded({ phase: 'superseded', reason: newerReason(newer) });
}

/** No empty pull request; that the model is live is still proven, for the change that had put it there. */
async function onBranch(stored: StoredChange, context: StepContext): Skipped {
  const { change } = stored;
  const head = await context.repository.head(FRESH_MS);
  if ((await context.repository.branch(change.branch)) !== undefined) return undefined;
  const carrier = await alreadyThere(stored, context, head);
  if (carrier === undefined || carrier === change.id) return undefined;
  return succeeded({
    phase: 'merged',
    reason: `The default branch already says so by change ${carrier}; nothing to merge.`,
    facts: { mergeCommit: head, mergedAt: iso(context.clock.now()), stamp: carrier },
  });
}

/**
 * Whether the environment's merge rule is `auto`; retrainings and retirements are always reviewed. `maxAgeMs`: 0 before a merge,
 * for a person may have asked for review a moment ago.
 */
export async function mergesByItself(
  { change }: StoredChange,
  { repository }: StepContext,
  maxAgeMs = 10_000,
): Promise<boolean> {
  if (change.kind === 'retrain' || change.kind === 'retire') return false;
  const { environment } = await placeOf(repository, await repository.head(maxAgeMs), change);
  return environment.merge === 'auto';
}
