import { z } from 'zod';
import type { ForgePullRequest, Standing } from '../../ports.ts';
import { fromText } from './commands.ts';

const userSchema = z.object({ username: z.string() });

/** A merge request, in a list or alone. */
export const requestSchema = z.object({
  iid: z.int(),
  web_url: z.string(),
  state: z.enum(['opened', 'closed', 'merged', 'locked']),
  title: z.string(),
  description: z.string().nullish(),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.int().nullish(),
  target_project_id: z.int(),
  sha: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  squash_commit_sha: z.string().nullish(),
  merged_at: z.string().nullish(),
  merge_user: userSchema.nullish(),
  merged_by: userSchema.nullish(),
  closed_by: userSchema.nullish(),
  labels: z.array(z.string()),
  draft: z.boolean().nullish(),
  detailed_merge_status: z.string().nullish(),
  merge_status: z.string().nullish(),
  merge_when_pipeline_succeeds: z.boolean().nullish(),
  merge_error: z.string().nullish(),
  /** Only of a single one: what the token's user may do. */
  user: z.object({ can_merge: z.boolean() }).nullish(),
});
export type Request = z.infer<typeof requestSchema>;

/** Whether a merge request goes from this project's own branch into `base`; a fork may have a branch of the same name. */
export const isOwn = (request: Request, base: string): boolean =>
  request.target_branch === base && request.source_project_id === request.target_project_id;

/** Whether it comes from another project, one that is gone too. */
export const isForeign = (request: Request, base: string): boolean =>
  request.target_branch === base && !isOwn(request, base);

export function toPullRequest(request: Request): ForgePullRequest {
  const { iid, state, merged_at, merge_user, merged_by, closed_by } = request;
  const isMerged = state === 'merged';
  const commit = isMerged ? mergeCommitOf(request) : undefined;
  const ender = isMerged ? (merge_user ?? merged_by) : state === 'closed' ? closed_by : undefined;
  return {
    number: iid,
    url: request.web_url,
    // Locked: it is being merged right now.
    state: state === 'opened' || state === 'locked' ? 'open' : state,
    branch: request.source_branch,
    headSha: request.sha ?? '',
    standing: standingOf(request),
    title: request.title,
    body: fromText(request.description ?? ''),
    ...(commit === undefined ? {} : { mergeCommit: commit }),
    ...(isMerged && merged_at ? { mergedAt: merged_at } : {}),
    ...(ender ? { endedBy: ender.username } : {}),
  };
}

/** A project that fast-forwards makes no merge commit: then the squashed commit, or the head itself, is what landed. */
const mergeCommitOf = ({ merge_commit_sha, squash_commit_sha, sha }: Request): string | undefined =>
  merge_commit_sha || squash_commit_sha || sha || undefined;

/** What stands against a merge, by `detailed_merge_status`, in words for people. */
const BLOCKS: Readonly<Record<string, string>> = {
  conflict: 'GitLab sees a conflict with the target branch.',
  need_rebase: 'The project wants it rebased onto the target branch first.',
  ci_must_pass: 'Its pipeline must succeed first.',
  ci_still_running: 'Its pipeline is still running.',
  not_approved: 'It lacks approvals.',
  requested_changes: 'A reviewer requests changes.',
  discussions_not_resolved: 'A discussion is not resolved.',
  merge_request_blocked: 'Another merge request must be merged first.',
  status_checks_must_pass: 'An external status check must pass first.',
  external_status_checks: 'An external status check must pass first.',
  security_policy_violations: 'A security policy is not met.',
  policies_denied: 'A policy is not met.',
  locked_paths: 'Files that it changes are locked.',
  locked_lfs_files: 'Files that it changes are locked.',
};
/** Not known yet, or nothing that a rule stands behind. */
const UNKNOWN = new Set(['checking', 'unchecked', 'preparing', 'approvals_syncing', 'broken_status', 'not_open']);
/** Words of releases before 15.6. */
const OLD: Readonly<Record<string, string>> = { can_be_merged: 'mergeable', cannot_be_merged: 'conflict' };

const statusOf = ({ detailed_merge_status: detailed, merge_status: old }: Request): string =>
  detailed ?? OLD[old ?? ''] ?? 'unchecked';

export function standingOf(request: Request): Standing {
  const status = statusOf(request);
  if (request.state !== 'opened') return { kind: 'unknown' };
  if (request.draft === true || status === 'draft_status') return { kind: 'draft', reason: 'It is a draft.' };
  if (request.merge_when_pipeline_succeeds === true)
    return { kind: 'queued', reason: 'It is merged by itself as soon as its checks succeed.' };
  if (status === 'mergeable') return { kind: 'ready' };
  return UNKNOWN.has(status) ? { kind: 'unknown' } : { kind: 'blocked', reason: blockOf(status) };
}

const blockOf = (status: string): string => BLOCKS[status] ?? `GitLab says "${status}".`;

/** Whether a merge that was refused waits for a rule (then which), or for time or the next look. */
export function ruleAgainst(request: Request): string | undefined {
  const status = statusOf(request);
  if (request.state !== 'opened') return undefined;
  if (request.user?.can_merge === false) return "the token's user may not merge into the target branch";
  if (status === 'draft_status' || request.draft === true) return 'It is a draft.';
  if (request.detailed_merge_status == null && status === 'mergeable') return 'a rule that this release does not name';
  // A conflict is found out by ourselves; a pipeline that runs comes to an end.
  if (UNKNOWN.has(status) || ['mergeable', 'conflict', 'ci_still_running'].includes(status)) return undefined;
  return blockOf(status);
}
