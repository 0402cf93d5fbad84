import type { Forge, Repository } from './forge.ts';
import { branchesNamed, type Commit, type Heads } from './objects.ts';
import type { CommentState, HookState, LabelState, PullState, StatusState } from './state.ts';
import { emailOf } from './users.ts';

/** The JSON shapes of Gitea's API (`modules/structs`, `services/convert`), reduced to fields that mean something here. */

/** Gitea's times have whole seconds. */
export const timeOf = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19)}Z`;

export const webBase = (forge: Forge, { owner, name }: Repository): string => `${forge.url}/${owner}/${name}`;
const apiBase = (forge: Forge, { owner, name }: Repository): string => `${forge.url}/api/v1/repos/${owner}/${name}`;

/** A user by name; one who is no longer in the users file is Gitea's ghost. */
export function userPayload(forge: Forge, name: string) {
  const user = forge.users.find(name);
  return {
    id: user?.id ?? -1,
    login: name,
    login_name: '',
    full_name: '',
    email: emailOf(name),
    avatar_url: '',
    html_url: `${forge.url}/${name}`,
    is_admin: user?.admin ?? false,
    active: user !== undefined,
    visibility: 'public',
    username: name,
  };
}

export function repositoryPayload(forge: Forge, repository: Repository) {
  const { owner, name, description, defaultBranch, heads, pulls } = repository;
  return {
    id: repository.id,
    owner: userPayload(forge, owner),
    name,
    full_name: `${owner}/${name}`,
    description,
    empty: Object.keys(heads).length === 0,
    private: false,
    fork: false,
    template: false,
    mirror: false,
    archived: false,
    parent: null,
    html_url: webBase(forge, repository),
    url: apiBase(forge, repository),
    clone_url: `${webBase(forge, repository)}.git`,
    ssh_url: '',
    default_branch: defaultBranch,
    permissions: { admin: true, push: true, pull: true },
    has_issues: true,
    has_pull_requests: true,
    allow_merge_commits: true,
    allow_rebase: true,
    allow_rebase_explicit: false,
    allow_squash_merge: true,
    allow_fast_forward_only_merge: true,
    default_merge_style: 'merge',
    default_delete_branch_after_merge: false,
    autodetect_manual_merge: false,
    open_pr_counter: pulls.filter(({ state }) => state === 'open').length,
    created_at: timeOf(repository.createdAt),
    updated_at: timeOf(repository.updatedAt),
  };
}

/** What a reader learns about a pull request beyond its record: live heads and mergeability. */
export type PullFacts = {
  readonly baseSha: string;
  readonly headSha: string;
  readonly mergeBase: string;
  readonly mergeable: boolean;
};

export const isWorkInProgress = ({ title }: Pick<PullState, 'title'>): boolean => /^(wip:|\[wip\])/i.test(title);

/** The branches that pull requests are about, as they are now. */
export const headsOf = (forge: Forge, repository: Repository, pulls: readonly PullState[]): Promise<Heads> =>
  branchesNamed(forge.git(repository), [...new Set(pulls.flatMap(({ head, base }) => [head, base]))]);

/** Facts of an open pull request come from the branches as they are now, of an ended one from its record. */
export async function pullFacts(
  forge: Forge,
  repository: Repository,
  pull: PullState,
  heads: Readonly<Heads>,
): Promise<PullFacts> {
  const baseSha = heads[pull.base] ?? '';
  const headSha = (pull.state === 'open' ? heads[pull.head] : undefined) ?? pull.headSha;
  if (pull.state === 'closed' || baseSha === '')
    return { baseSha, headSha, mergeBase: pull.mergeBase, mergeable: false };
  const { mergeBase, tree } = await forge.compare(forge.git(repository), baseSha, headSha);
  return { baseSha, headSha, mergeBase, mergeable: tree !== undefined && !isWorkInProgress(pull) };
}

export async function pullPayload(forge: Forge, repository: Repository, pull: PullState, heads: Readonly<Heads>) {
  const facts = await pullFacts(forge, repository, pull, heads);
  const repo = repositoryPayload(forge, repository);
  const html = `${webBase(forge, repository)}/pulls/${pull.number}`;
  const headRef = heads[pull.head] === undefined ? `refs/pull/${pull.number}/head` : pull.head;
  return {
    id: pull.number,
    url: html,
    ...issueFields(forge, repository, pull),
    draft: isWorkInProgress(pull),
    requested_reviewers: pull.reviewers.map((name) => userPayload(forge, name)),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    mergeable: facts.mergeable,
    merged: pull.merged !== undefined,
    merged_at: pull.merged ? timeOf(pull.merged.at) : null,
    merge_commit_sha: pull.merged?.commit ?? null,
    merged_by: pull.merged ? userPayload(forge, pull.merged.by) : null,
    allow_maintainer_edit: false,
    base: { label: pull.base, ref: pull.base, sha: facts.baseSha, repo_id: repository.id, repo },
    head: { label: pull.head, ref: headRef, sha: facts.headSha, repo_id: repository.id, repo },
    merge_base: facts.mergeBase,
    due_date: null,
  };
}

/** The issue behind a pull request, as comment events carry it. */
export function issuePayload(forge: Forge, repository: Repository, pull: PullState) {
  const html = `${webBase(forge, repository)}/pulls/${pull.number}`;
  return {
    id: pull.number,
    url: `${apiBase(forge, repository)}/issues/${pull.number}`,
    html_url: html,
    ...issueFields(forge, repository, pull),
    pull_request: {
      merged: pull.merged !== undefined,
      merged_at: pull.merged ? timeOf(pull.merged.at) : null,
      html_url: html,
    },
    repository: {
      id: repository.id,
      name: repository.name,
      owner: repository.owner,
      full_name: `${repository.owner}/${repository.name}`,
    },
  };
}

function issueFields(forge: Forge, repository: Repository, pull: PullState) {
  const labels = repository.labels.filter(({ id }) => pull.labels.includes(id));
  return {
    number: pull.number,
    user: userPayload(forge, pull.author),
    title: pull.title,
    body: pull.body,
    labels: labels.map((label) => labelPayload(forge, repository, label)),
    milestone: null,
    assignee: null,
    assignees: null,
    state: pull.state,
    is_locked: false,
    comments: repository.comments.filter(({ number }) => number === pull.number).length,
    created_at: timeOf(pull.createdAt),
    updated_at: timeOf(pull.updatedAt),
    closed_at: pull.closedAt === undefined ? null : timeOf(pull.closedAt),
  };
}

export function commentPayload(forge: Forge, repository: Repository, comment: CommentState) {
  const html = `${webBase(forge, repository)}/pulls/${comment.number}`;
  return {
    id: comment.id,
    html_url: `${html}#issuecomment-${comment.id}`,
    pull_request_url: html,
    issue_url: '',
    user: userPayload(forge, comment.author),
    original_author: '',
    original_author_id: 0,
    body: comment.body,
    assets: [],
    created_at: timeOf(comment.createdAt),
    updated_at: timeOf(comment.updatedAt),
  };
}

/** An entry of an issue's timeline that is no comment; of those only the closing is kept here. */
export const closingPayload = (forge: Forge, repository: Repository, pull: PullState) => ({
  id: pull.number,
  type: 'close',
  html_url: '',
  pull_request_url: `${webBase(forge, repository)}/pulls/${pull.number}`,
  issue_url: '',
  user: userPayload(forge, pull.closedBy ?? ''),
  body: '',
  created_at: timeOf(pull.closedAt ?? pull.updatedAt),
  updated_at: timeOf(pull.closedAt ?? pull.updatedAt),
});

export const labelPayload = (forge: Forge, repository: Repository, label: LabelState) => ({
  id: label.id,
  name: label.name,
  exclusive: false,
  is_archived: false,
  color: label.color,
  description: label.description,
  url: `${apiBase(forge, repository)}/labels/${label.id}`,
});

export const statusPayload = (forge: Forge, repository: Repository, status: StatusState) => ({
  id: status.id,
  status: status.state,
  target_url: status.targetUrl,
  description: status.description,
  url: `${apiBase(forge, repository)}/statuses/${status.sha}`,
  context: status.context,
  creator: userPayload(forge, status.creator),
  created_at: timeOf(status.createdAt),
  updated_at: timeOf(status.createdAt),
});

/** A review request; reviews themselves are not kept here. */
export const reviewPayload = (forge: Forge, repository: Repository, pull: PullState, reviewer: string) => ({
  id: pull.reviewers.indexOf(reviewer) + 1,
  user: userPayload(forge, reviewer),
  team: null,
  state: 'REQUEST_REVIEW',
  body: '',
  commit_id: pull.headSha,
  stale: false,
  official: false,
  dismissed: false,
  comments_count: 0,
  submitted_at: timeOf(pull.updatedAt),
  updated_at: timeOf(pull.updatedAt),
  html_url: '',
  pull_request_url: `${webBase(forge, repository)}/pulls/${pull.number}`,
});

export const hookPayload = (hook: HookState) => ({
  id: hook.id,
  type: hook.type,
  branch_filter: '',
  config: { content_type: hook.contentType, url: hook.url },
  events: hook.events,
  authorization_header: '',
  active: hook.active,
  created_at: timeOf(hook.createdAt),
  updated_at: timeOf(hook.createdAt),
});

export function commitPayload(forge: Forge, repository: Repository, commit: Commit) {
  const url = (kind: string, sha: string) => `${apiBase(forge, repository)}/git/${kind}/${sha}`;
  const created = timeOf(commit.committer.date);
  const who = ({ name, email, date }: Commit['author']) => ({ name, email, date: timeOf(date) });
  const user = ({ email }: Commit['author']) => {
    const found = forge.users.all.find(({ name }) => emailOf(name) === email);
    return found ? userPayload(forge, found.name) : null;
  };
  return {
    url: url('commits', commit.sha),
    sha: commit.sha,
    created,
    html_url: `${webBase(forge, repository)}/commit/${commit.sha}`,
    commit: {
      url: url('commits', commit.sha),
      author: who(commit.author),
      committer: who(commit.committer),
      message: commit.message,
      tree: { url: url('trees', commit.tree), sha: commit.tree, created },
    },
    author: user(commit.author),
    committer: user(commit.committer),
    parents: commit.parents.map((sha) => ({ url: url('commits', sha), sha, created })),
  };
}
