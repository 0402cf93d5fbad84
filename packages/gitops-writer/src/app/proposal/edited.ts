import { type StepResult, succeeded, waiting } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import type { ForgePullRequest } from '../../ports.ts';
import { BROUGHT_UP, ownHead, publish } from '../publish.ts';
import { reviewDelay } from '../retry.ts';
import { phaseAge, type StepContext } from '../step.ts';
import { commentOn } from './comment.ts';

/** Somebody moved the head: these are not the approved bytes, so the status is red until the head is ours again. */
export async function edited(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<StepResult<Transition>> {
  const { change, facts } = stored;
  const { headSha, number } = pullRequest;
  const delay = reviewDelay(phaseAge(stored, context.clock));
  if (facts.voidedHead === headSha) return waiting(delay, change.reason ?? 'The branch was edited after the approval.');
  await context.repository.head(0);
  // A forge shows the new head of a push of ours a moment later; the branch itself is the truth.
  if ((await context.repository.branch(change.branch)) === facts.headSha)
    return waiting(500, 'The forge has not noticed the push yet.');
  // So is a commit of ours that a writer has pushed and died before it could write it down.
  if ((await ownHead(stored, context, headSha)) !== undefined)
    return succeeded({ phase: 'proposed', reason: BROUGHT_UP, ...(await publish(stored, context)) });
  const edits = await context.history.edits(facts.headSha ?? '', headSha);
  const description = 'The branch was edited after the approval';
  await context.forge.setStatus(headSha, { context: 'fairway/approval', state: 'failure', description });
  const approved = facts.headSha ?? 'unknown';
  const said = await commentOn(stored, context, { kind: 'void', approved, head: headSha, edits });
  const by = edits.authors.length === 0 ? '' : ` by ${edits.authors.slice(0, 3).join(', ')}`;
  const reason = `Pull request #${number} was edited after the approval${by} (head ${headSha.slice(0, 12)}); restore the branch or close it and approve again.`;
  return succeeded({ phase: 'proposed', reason, facts: { ...said, voidedHead: headSha } });
}
