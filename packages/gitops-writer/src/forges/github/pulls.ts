import { z } from 'zod';
import type { ForgePullRequest, Standing } from '../../ports.ts';

const userSchema = z.object({ login: z.string() });
const repoSchema = z.object({ full_name: z.string() });

/** A pull request as a list shows it, and the further fields of a single one. */
export const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  merged_at: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  merged_by: userSchema.nullish(),
  mergeable_state: z.string().nullish(),
  labels: z.array(z.object({ name: z.string() })),
  head: z.object({ ref: z.string(), sha: z.string(), repo: repoSchema.nullish() }),
  base: z.object({ ref: z.string(), repo: repoSchema }),
});
export type Pull = z.infer<typeof pullSchema>;
export const issueSchema = z.object({ closed_by: userSchema.nullish() });

/** Whether a pull request goes from this repository's own branch into `base`; a fork may have a branch of the same name. */
export const isOwn = ({ head, base }: Pull, into: string): boolean =>
  base.ref === into && head.repo?.full_name === base.repo.full_name;

/** Whether it comes from another repository, one that is gone too. */
export const isForeign = (pull: Pull, into: string): boolean => pull.base.ref === into && !isOwn(pull, into);

export function toPullRequest(pull: Pull): ForgePullRequest {
  const isMerged = typeof pull.merged_at === 'string';
  return {
    number: pull.number,
    url: pull.html_url,
    state: isMerged ? 'merged' : pull.state,
    branch: pull.head.ref,
    headSha: pull.head.sha,
    standing: standingOf(pull),
    title: pull.title,
    body: pull.body ?? '',
    // Before the merge it names a test merge that is on no branch.
    ...(isMerged && pull.merge_commit_sha ? { mergeCommit: pull.merge_commit_sha } : {}),
    ...(isMerged ? { mergedAt: pull.merged_at as string } : {}),
    ...(pull.merged_by ? { endedBy: pull.merged_by.login } : {}),
  };
}

/** `mergeable_state` is not documented in full; a word that is not known says nothing. */
const STANDINGS: Readonly<Record<string, Standing>> = {
  clean: { kind: 'ready' },
  unstable: { kind: 'ready' },
  has_hooks: { kind: 'ready' },
  draft: { kind: 'draft', reason: 'It is a draft.' },
  blocked: { kind: 'blocked', reason: 'A rule of the branch is not met yet: a review, a check or a right.' },
  behind: { kind: 'blocked', reason: 'The branch must first be brought up to date with its base.' },
  dirty: { kind: 'blocked', reason: 'GitHub sees a conflict with the base branch.' },
};

export function standingOf({
  state,
  draft,
  mergeable_state,
}: Pick<Pull, 'state' | 'draft' | 'mergeable_state'>): Standing {
  if (state === 'closed') return { kind: 'unknown' };
  if (draft === true) return { kind: 'draft', reason: 'It is a draft.' };
  return STANDINGS[mergeable_state ?? ''] ?? { kind: 'unknown' };
}
