import type { PullRequest } from '@fairway/core';
import type { Edits } from '../ports.ts';
import { code, counted, head, link, plain, quote } from './markdown.ts';

/** By this the one comment is found again; the forge puts it below the text. */
export const STATUS_MARKER = '<!-- fairway:status -->';

/** Another change, and its pull request where it has one. */
type Other = { readonly id: string; readonly version: string; readonly pullRequest?: PullRequest };

/** How a proposed change stands, with what people want to know of it. Reasons are other programs' words, quoted. */
export type CommentState =
  | { readonly kind: 'waiting'; readonly merge: 'auto' | 'review' }
  | { readonly kind: 'void'; readonly approved: string; readonly head: string; readonly edits: Edits }
  | { readonly kind: 'conflicted' }
  | { readonly kind: 'superseded'; readonly by: Other }
  | { readonly kind: 'blocked' | 'queued' | 'draft' | 'strayed'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly by?: string }
  | { readonly kind: 'merged'; readonly commit: string }
  | { readonly kind: 'live' | 'done'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'rolled-back'; readonly by: Other; readonly reason: string };

const MOST_PATHS = 20;
const MOST_AUTHORS = 10;
const MOST_WORDS = 1_000;

/** The status comment of a pull request: the same state always gives the same text. */
export function statusComment(state: CommentState): string {
  switch (state.kind) {
    case 'waiting':
      return state.merge === 'auto'
        ? '**Ready.** Fairway merges this by itself when the forge allows it.'
        : '**Waiting for review.** Merging deploys, closing rejects, and a commit added here voids the approval.';
    case 'void':
      return voided(state);
    case 'conflicted':
      return '**In conflict with the default branch.** Fairway writes the same change anew on the newest state; there is nothing to do.';
    case 'superseded':
      return `**Superseded** by ${other(state.by)}: version ${plain(state.by.version)} was approved after this one.`;
    case 'blocked':
      return `**Blocked by the rules of the branch.** The forge says:\n\n${words(state.reason)}\n\nFairway tries again; what the rule asks for is up to people.`;
    case 'queued':
      return `**In the merge queue.** The forge says:\n\n${words(state.reason)}\n\nNothing is pushed here meanwhile.`;
    case 'draft':
      return `**Marked as a draft.** The forge says:\n\n${words(state.reason)}\n\nMark it as ready to have it merged.`;
    case 'strayed':
      return `**Pointed to another branch.** ${plain(state.reason)} Set its base back to the default branch, or close it.`;
    case 'rejected':
      return `**Rejected**: closed without a merge${state.by === undefined ? '' : ` by ${code(state.by)}`}. The workflow is told. To try again, approve the version under a new event id.`;
    case 'merged':
      return `**Merged** as ${code(state.commit)}. Waiting for Argo CD, the rollout and TensorFlow Serving.`;
    case 'live':
      return `**Live.** ${plain(state.reason)}`;
    case 'done':
      return `**Done.** ${plain(state.reason)}`;
    case 'failed':
      return `**Failed.** Fairway says:\n\n${words(state.reason)}`;
    case 'rolled-back':
      return `**Rolled back** by ${other(state.by)}, which restores version ${plain(state.by.version)}:\n\n${words(state.reason)}`;
    default:
      return unreachable(state);
  }
}

function voided({ approved, head: now, edits }: Extract<CommentState, { kind: 'void' }>): string {
  const { authors, paths } = edits;
  const who = authors.slice(0, MOST_AUTHORS).map(code).join(', ') || 'somebody';
  const more = authors.length > MOST_AUTHORS ? ` and ${counted(authors.length - MOST_AUTHORS, 'more author')}` : '';
  const listed = paths.slice(0, MOST_PATHS).map((path) => `- ${code(path)}`);
  if (paths.length > MOST_PATHS) listed.push(`- and ${counted(paths.length - MOST_PATHS, 'more file')}`);
  const what = paths.length === 0 ? ['No file differs, but the commit is not the approved one.'] : [listed.join('\n')];
  return [
    `**The approval is void.** It was given for head ${code(approved)}; the branch was edited by ${who}${more} and is now at ${code(now)}.`,
    ...what,
    'Restore the branch to the approved head, or close this pull request and approve again.',
  ].join('\n\n');
}

const other = ({ id, pullRequest }: Other): string =>
  pullRequest === undefined ? `change ${code(id)}` : link(`pull request ${pullRequest.number}`, pullRequest.url);

const words = (reason: string): string => quote(head(reason.trim() || 'no reason given', MOST_WORDS));

function unreachable(state: never): never {
  throw new TypeError(`there is no comment for ${JSON.stringify(state)}`);
}
