import { failed, FairwayError, type StepResult, succeeded, waiting } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import type { ForgePullRequest, RepositoryFile } from '../../ports.ts';
import { targetOf } from '../live/look.ts';
import { retrainMergedNotice } from '../notices.ts';
import { dropBranch, ownHead } from '../publish.ts';
import type { StepContext } from '../step.ts';
import { commentOn } from './comment.ts';

/** The forge says merged: believed when the head was ours and the default branch now has our bytes. */
export async function merged(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const { change, facts } = stored;
  const { mergeCommit, mergedAt, headSha, into } = pullRequest;
  if (into !== undefined) return failed(new FairwayError('git.refused', mergedElsewhere(pullRequest, into)));
  if (mergeCommit === undefined || mergedAt === undefined)
    return waiting(500, 'The forge has not named the merge commit yet.');
  await context.repository.head(0);
  const own = await ownHead(stored, context, headSha);
  const objection =
    own === undefined ? otherHead(pullRequest) : await otherBytes(stored, context, headSha, mergeCommit);
  if (objection !== undefined) return failed(new FairwayError('git.refused', objection));
  await dropBranch(context.repository, change.branch, headSha);
  const said = await commentOn(stored, context, { kind: 'merged', commit: mergeCommit });
  await context.forge.setStatus(mergeCommit, {
    context: 'fairway/live',
    state: 'pending',
    description: 'Waiting for Argo CD',
  });
  const stamp = facts.stamp ?? change.id;
  const transition: Transition = {
    phase: 'merged',
    pullRequest,
    facts: { ...own, ...said, mergeCommit, mergedAt, stamp },
  };
  if (change.kind !== 'retrain') return succeeded(transition);
  return succeeded({ ...transition, notice: retrainMergedNotice({ ...stored, change: { ...change, pullRequest } }) });
}

const mergedElsewhere = ({ number }: ForgePullRequest, into: string): string =>
  `Pull request #${number} was pointed to branch ${into} and merged there, which deploys nothing; approve again, under a new event id, for a pull request into the default branch.`;

const otherHead = ({ number, headSha }: ForgePullRequest): string =>
  `Pull request #${number} was merged with head ${headSha.slice(0, 12)}, which is not what was approved; revert that merge and approve again.`;

/** A merge can bring together our files and somebody else's in one folder; nobody approved that. */
async function otherBytes(
  { change }: StoredChange,
  { repository }: StepContext,
  headSha: string,
  mergeCommit: string,
): Promise<string | undefined> {
  const { folder } = targetOf(change);
  const [ours, theirs] = await Promise.all([repository.files(headSha, folder), repository.files(mergeCommit, folder)]);
  const differing = differences(ours, theirs);
  if (differing.length === 0) return undefined;
  return `Merge ${mergeCommit.slice(0, 12)} left other bytes in ${folder} than were approved (${differing.slice(0, 5).join(', ')}); revert that merge and approve again.`;
}

function differences(one: readonly RepositoryFile[], other: readonly RepositoryFile[]): string[] {
  const texts = new Map(one.map(({ path, text }) => [path, text]));
  const changed = other.filter(({ path, text }) => texts.get(path) !== text).map(({ path }) => path);
  const present = new Set(other.map(({ path }) => path));
  return [...changed, ...one.map(({ path }) => path).filter((path) => !present.has(path))];
}
