import { type Change, type StepResult, succeeded } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import type { ForgePullRequest } from '../../ports.ts';
import type { CommentState } from '../../render/status-comment.ts';
import { rejectedNotice } from '../notices.ts';
import { dropOwnBranch } from '../publish.ts';
import type { StepContext } from '../step.ts';
import { commentOn } from './comment.ts';

/** A newer version was proposed: this one steps aside, with a link. */
export async function superseded(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
  newer: Change,
): Promise<StepResult<Transition>> {
  const reason = newerReason(newer);
  await putAway(stored, context, pullRequest, { kind: 'superseded', by: newer }, reason);
  return succeeded({ phase: 'superseded', reason, pullRequest: { ...pullRequest, state: 'closed' } });
}

export const newerReason = ({ version, id }: Change): string =>
  `Version ${version} was approved after it (change ${id}).`;

/** A person closed it, which is a no. */
export async function rejected(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const { endedBy, number } = pullRequest;
  const by = endedBy === undefined ? '' : ` by ${endedBy}`;
  const reason = `Pull request #${number} was closed without a merge${by}.`;
  const state: CommentState = { kind: 'rejected', ...(endedBy === undefined ? {} : { by: endedBy }) };
  await putAway(stored, context, pullRequest, state, reason);
  return succeeded({ phase: 'rejected', reason, pullRequest, notice: rejectedNotice(stored) });
}

/** Comment, red status, closed, branch gone: each only as far as it is not so already. */
async function putAway(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
  state: CommentState,
  reason: string,
): Promise<void> {
  const { forge } = context;
  await commentOn(stored, context, state);
  await forge.setStatus(pullRequest.headSha, {
    context: 'fairway/approval',
    state: 'failure',
    description: reason,
  });
  if (pullRequest.state === 'open') await forge.edit(pullRequest.number, { state: 'closed' });
  await dropOwnBranch(stored, context);
}
