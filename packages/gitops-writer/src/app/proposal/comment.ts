import { hashFields } from '@fairway/core';
import type { ChangeFacts, StoredChange } from '../../change.ts';
import { type CommentState, STATUS_MARKER, statusComment } from '../../render/status-comment.ts';
import type { StepContext } from '../step.ts';

/**
 * Says on the pull request how the change stands, in its one comment; nothing when that is what it says already: the forge
 * rations writing. Answers the facts to keep, or undefined when there was nothing to say.
 */
export async function commentOn(
  { change, facts }: StoredChange,
  { forge }: StepContext,
  state: CommentState,
): Promise<ChangeFacts | undefined> {
  const { pullRequest } = change;
  const text = statusComment(state);
  const said = hashFields([text]).slice(0, 12);
  if (pullRequest === undefined || facts.comment === said) return undefined;
  await forge.comment(pullRequest.number, STATUS_MARKER, text);
  return { comment: said };
}
