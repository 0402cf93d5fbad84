import { z } from 'zod';
import type { ForgePullRequest, Standing } from '../../ports.ts';

const userSchema = z.object({ login: z.string() });
const branchSchema = z.object({ label: z.string(), ref: z.string(), sha: z.string(), repo_id: z.int() });

export const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().optional(),
  mergeable: z.boolean().optional(),
  merged: z.boolean(),
  merged_at: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  head: branchSchema,
  base: branchSchema,
  merged_by: userSchema.nullish(),
});
export type Pull = z.infer<typeof pullSchema>;

/** What happened to a pull request, in order. */
export const eventSchema = z.object({ type: z.string(), user: userSchema.nullish() });

/** Whether a pull request goes from this repository's own branch into `base`; a fork may have a branch of the same name. */
export const isOwn = ({ head, base }: Pull, into: string): boolean =>
  base.ref === into && head.repo_id === base.repo_id;

/** Whether it comes from another repository, one that is gone too. */
export const isForeign = (pull: Pull, into: string): boolean => pull.base.ref === into && !isOwn(pull, into);

/** `label` keeps the branch's name when the branch is gone; `ref` then is `refs/pull/<number>/head`. */
export const branchOf = ({ head }: Pull): string => head.label;

export function toPullRequest(pull: Pull): ForgePullRequest {
  return {
    number: pull.number,
    url: pull.html_url,
    state: pull.merged ? 'merged' : pull.state,
    branch: branchOf(pull),
    headSha: pull.head.sha,
    standing: standingOf(pull),
    title: pull.title,
    body: pull.body ?? '',
    ...(pull.merged && pull.merge_commit_sha ? { mergeCommit: pull.merge_commit_sha } : {}),
    ...(pull.merged_by ? { endedBy: pull.merged_by.login } : {}),
    ...(pull.merged_at ? { mergedAt: pull.merged_at } : {}),
  };
}

/** `mergeable` can stick at false (gitea #25849), so only a yes says something. */
function standingOf({ state, draft, mergeable }: Pull): Standing {
  if (state === 'closed') return { kind: 'unknown' };
  if (draft === true) return { kind: 'draft', reason: 'It is marked as work in progress.' };
  return { kind: mergeable === true ? 'ready' : 'unknown' };
}
