import type { ChangeFacts, StoredChange } from '../../change.ts';
import type { CommentState } from '../../render/status-comment.ts';
import type { StepContext } from '../step.ts';
import { commentOn } from './comment.ts';

/** It has come to what it was for: the merge commit turns green, and its pull request says so. Answers the facts to keep. */
export async function tellDone(
  stored: StoredChange,
  context: StepContext,
  state: Extract<CommentState, { kind: 'live' | 'done' }>,
): Promise<ChangeFacts | undefined> {
  const { mergeCommit } = stored.facts;
  const { forge } = context;
  const green = { context: 'fairway/live', state: 'success', description: state.reason } as const;
  if (mergeCommit !== undefined) await forge.setStatus(mergeCommit, green);
  return commentOn(stored, context, state);
}
