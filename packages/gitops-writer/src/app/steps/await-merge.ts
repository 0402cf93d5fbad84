import { type Change, failed, FairwayError, type StepResult, succeeded, waiting } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import type { ForgePullRequest } from '../../ports.ts';
import { rejectedNotice, retrainMergedNotice } from '../notices.ts';
import { publish } from '../publish.ts';
import { pollDelay } from '../retry.ts';
import { phaseAge, type Step, type StepContext } from '../step.ts';
import { mergesByItself } from './propose.ts';

const STATUS_COMMENT = '<!-- fairway:status -->';

/** The pull request decides: merged, closed (a person's no), edited (the approval is void), superseded, or still open. */
export const awaitMerge: Step = {
  name: 'await-merge',
  async run(stored, context) {
    const { change } = stored;
    if (change.pullRequest === undefined)
      return succeeded({ phase: 'built', reason: 'Its pull request is not known.' });
    const pullRequest = await context.forge.read(change.pullRequest.number);
    if (pullRequest.state === 'merged') return merged(stored, context, pullRequest);
    const newer = change.kind === 'deploy' ? await context.changes.newer(change) : undefined;
    if (newer !== undefined) return supersede(stored, context, pullRequest, newer);
    if (pullRequest.state === 'closed') return rejected(stored, context, pullRequest);
    if (pullRequest.headSha !== stored.facts.headSha) return edited(stored, context, pullRequest);
    return open(stored, context, pullRequest);
  },
};

async function merged(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const { change, facts } = stored;
  const { mergeCommit, mergedAt, headSha, number } = pullRequest;
  if (mergeCommit === undefined || mergedAt === undefined)
    return waiting(500, 'The forge has not named the merge commit yet.');
  if (headSha !== facts.headSha) {
    const message = `Pull request #${number} was merged with head ${headSha.slice(0, 12)}, which is not what was approved; revert that merge and approve again.`;
    return failed(new FairwayError('git.refused', message));
  }
  await context.repository.head(0);
  await context.repository.deleteBranch(change.branch, headSha);
  await context.forge.setStatus(mergeCommit, {
    context: 'fairway/live',
    state: 'pending',
    description: 'Waiting for Argo CD',
  });
  const transition: Transition = { phase: 'merged', pullRequest, facts: { mergeCommit, mergedAt, stamp: change.id } };
  if (change.kind !== 'retrain') return succeeded(transition);
  return succeeded({ ...transition, notice: retrainMergedNotice({ ...stored, change: { ...change, pullRequest } }) });
}

async function supersede(
  { change, facts }: StoredChange,
  { forge, repository }: StepContext,
  pullRequest: ForgePullRequest,
  newer: Change,
): Promise<StepResult<Transition>> {
  const by =
    newer.pullRequest === undefined ? `change ${newer.id}` : `[#${newer.pullRequest.number}](${newer.pullRequest.url})`;
  if (pullRequest.state === 'open') {
    await forge.comment(
      pullRequest.number,
      STATUS_COMMENT,
      `Superseded by ${by}: version ${newer.version} was approved after this one.`,
    );
    await forge.close(pullRequest.number);
  }
  if (facts.headSha !== undefined) await repository.deleteBranch(change.branch, facts.headSha);
  const reason = `Version ${newer.version} was approved after it (change ${newer.id}).`;
  return succeeded({ phase: 'superseded', reason, pullRequest: { ...pullRequest, state: 'closed' } });
}

async function rejected(
  stored: StoredChange,
  { repository }: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  if (stored.facts.headSha !== undefined) await repository.deleteBranch(stored.change.branch, stored.facts.headSha);
  const reason = `Pull request #${pullRequest.number} was closed without a merge.`;
  return succeeded({ phase: 'rejected', reason, pullRequest, notice: rejectedNotice(stored) });
}

/** Somebody moved the head: these are not the approved bytes, so the status is red until the head is ours again. */
async function edited(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const { change, facts } = stored;
  const { headSha, number } = pullRequest;
  const reason = `Pull request #${number} was edited after the approval (head ${headSha.slice(0, 12)}); restore the branch or close it and approve again.`;
  const wait = waiting(pollDelay(phaseAge(stored, context.clock)), reason);
  if (facts.voidedHead === headSha) return wait;
  await context.repository.head(0);
  // A forge shows the new head of a push of ours a moment later; the branch itself is the truth.
  if ((await context.repository.branch(change.branch)) === facts.headSha)
    return waiting(500, 'The forge has not noticed the push yet.');
  const description = 'The branch was edited after the approval';
  await context.forge.setStatus(headSha, { context: 'fairway/approval', state: 'failure', description });
  const ours = facts.headSha ?? 'unknown';
  await context.forge.comment(
    number,
    STATUS_COMMENT,
    `**The approval is void.** It was given for head \`${ours}\`, and the branch is now at \`${headSha}\`. Restore the branch to the approved head, or close this pull request and approve again.`,
  );
  return succeeded({ phase: 'proposed', reason, facts: { voidedHead: headSha } });
}

async function open(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  if (await isOutdated(stored, context)) {
    const published = await publish(stored, context);
    return succeeded({ phase: 'proposed', reason: 'The pull request was brought up to date.', ...published });
  }
  const delay = pollDelay(phaseAge(stored, context.clock));
  if (!(await mergesByItself(stored, context)))
    return waiting(delay, `Pull request #${pullRequest.number} waits for its merge.`);
  const answer = await context.forge.merge(pullRequest.number, pullRequest.headSha, pullRequest.title);
  return answer.kind === 'merged'
    ? waiting(0, 'Merged; the forge is asked for the commit.')
    : waiting(delay, answer.reason);
}

/** A newer request of the monitor, or a default branch on which our commit would no longer apply. */
async function isOutdated({ evidence, facts }: StoredChange, { repository, history }: StepContext): Promise<boolean> {
  if (evidence.kind === 'retrain' && evidence.revision !== facts.published) return true;
  return facts.headSha !== undefined && history.conflicts(await repository.head(10_000), facts.headSha);
}
