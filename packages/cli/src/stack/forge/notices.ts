import { EMPTY_TREE, type Forge, now, type Repository } from './forge.ts';
import { branches, changedFiles, type Commit, commits, moveRef } from './objects.ts';
import {
  commentPayload,
  headsOf,
  issuePayload,
  pullPayload,
  repositoryPayload,
  timeOf,
  userPayload,
} from './payloads.ts';
import type { RepositoryState } from './state.ts';
import type { User } from './users.ts';
import { isWanted } from './webhooks.ts';

/** Something that happened to a repository and that webhooks tell. */
export type Notice =
  | { readonly kind: 'push'; readonly branch: string; readonly before: string; readonly after: string }
  | {
      readonly kind: 'pull';
      readonly action: 'opened' | 'edited' | 'synchronized' | 'closed' | 'reopened';
      readonly number: number;
      readonly changes?: { readonly title?: { from: string }; readonly body?: { from: string } };
    }
  | { readonly kind: 'comment'; readonly action: 'created' | 'edited'; readonly id: number };

const NO_COMMIT = '0'.repeat(40);
/** Gitea's `FEED_MAX_COMMIT_NUM`. */
const MAX_COMMITS = 5;

/**
 * Brings a draft up to date with Git's branches: notes every moved head, lets open pull requests follow their branch, closes those
 * whose branch is gone. Answers what is to be told once the draft is saved. Safe to run at any time and twice.
 */
export async function noticeHeads(forge: Forge, draft: RepositoryState): Promise<Notice[]> {
  const git = forge.git(draft);
  const heads = await branches(git);
  const before = draft.heads;
  const moved = Object.entries(heads).filter(([branch, sha]) => before[branch] !== sha);
  const notices: Notice[] = moved.map(([branch, after]) => ({
    kind: 'push',
    branch,
    before: before[branch] ?? NO_COMMIT,
    after,
  }));
  for (const pull of draft.pulls.filter(({ state }) => state === 'open')) {
    const head = heads[pull.head];
    if (head === undefined) {
      Object.assign(pull, { state: 'closed', closedAt: now(forge), updatedAt: now(forge) });
      notices.push({ kind: 'pull', action: 'closed', number: pull.number });
    } else if (head !== pull.headSha) {
      await moveRef(git, `refs/pull/${pull.number}/head`, head);
      Object.assign(pull, { headSha: head, updatedAt: now(forge) });
      notices.push({ kind: 'pull', action: 'synchronized', number: pull.number });
    }
  }
  if (moved.length > 0) draft.updatedAt = now(forge);
  draft.heads = heads;
  return notices;
}

/** Looks for moved heads (after a push) and tells of them in the name of `by`. */
export async function tellMovedHeads(forge: Forge, repository: Repository, by: User): Promise<void> {
  const notices = await forge.store.change(repository, (draft) => noticeHeads(forge, draft));
  await tell(forge, repository, by, notices);
}

/** Hands the notices to the webhooks that want them. Deliveries happen later; a failure here is logged and never fails the caller. */
export async function tell(
  forge: Forge,
  { owner, name }: Repository,
  by: User,
  notices: readonly Notice[],
): Promise<void> {
  const repository = forge.store.get(owner, name);
  if (!repository) return;
  for (const notice of notices) {
    const event = eventOf(notice);
    const hooks = repository.hooks.filter((hook) => isWanted(hook, event));
    if (hooks.length === 0) continue;
    try {
      const payload = await payloadOf(forge, repository, by, notice);
      for (const hook of hooks) forge.hooks.send(`${owner}/${name}`, hook, event, payload);
    } catch (error) {
      forge.log.warn({ event, reason: (error as Error).message }, 'webhook payload could not be made');
    }
  }
}

function eventOf(notice: Notice) {
  if (notice.kind === 'push') return 'push';
  if (notice.kind === 'comment') return 'pull_request_comment';
  return notice.action === 'synchronized' ? 'pull_request_sync' : 'pull_request';
}

async function payloadOf(forge: Forge, repository: Repository, by: User, notice: Notice): Promise<object> {
  const common = { repository: repositoryPayload(forge, repository), sender: userPayload(forge, by.name) };
  if (notice.kind === 'push')
    return { ...(await pushPayload(forge, repository, notice)), pusher: common.sender, ...common };
  if (notice.kind === 'comment') {
    const comment = repository.comments.find(({ id }) => id === notice.id);
    const pull = repository.pulls.find(({ number }) => number === comment?.number);
    if (!comment || !pull) throw new Error('the comment is gone');
    const issue = issuePayload(forge, repository, pull);
    return {
      action: notice.action,
      issue,
      comment: commentPayload(forge, repository, comment),
      ...common,
      is_pull: true,
    };
  }
  const pull = repository.pulls.find(({ number }) => number === notice.number);
  if (!pull) throw new Error('the pull request is gone');
  return {
    action: notice.action,
    number: pull.number,
    ...(notice.changes ? { changes: notice.changes } : {}),
    pull_request: await pullPayload(forge, repository, pull, await headsOf(forge, repository, [pull])),
    requested_reviewer: null,
    ...common,
    commit_id: pull.merged && notice.action === 'closed' ? pull.merged.commit : '',
    review: null,
  };
}

async function pushPayload(forge: Forge, repository: Repository, push: Extract<Notice, { kind: 'push' }>) {
  const git = forge.git(repository);
  const base = `${forge.url}/${repository.owner}/${repository.name}`;
  const range = push.before === NO_COMMIT ? push.after : `${push.before}..${push.after}`;
  const told = await commits(git, range, MAX_COMMITS);
  const list = await Promise.all(
    told.map(async (commit) => ({ ...shownCommit(base, commit), ...(await touched(commit)) })),
  );
  return {
    ref: `refs/heads/${push.branch}`,
    before: push.before,
    after: push.after,
    compare_url: push.before === NO_COMMIT ? '' : `${base}/compare/${push.before}...${push.after}`,
    commits: list,
    total_commits: list.length,
    head_commit: list[0] ?? null,
  };

  async function touched(commit: Commit) {
    const parent = commit.parents[0] ?? EMPTY_TREE;
    const files = await changedFiles(git, parent, commit.sha);
    const of = (...statuses: string[]) =>
      files.filter(({ status }) => statuses.includes(status)).map(({ path }) => path);
    return { added: of('added', 'renamed'), removed: of('deleted'), modified: of('changed') };
  }
}

const shownCommit = (base: string, { sha, message, author, committer }: Commit) => ({
  id: sha,
  message,
  url: `${base}/commit/${sha}`,
  author: { name: author.name, email: author.email, username: '' },
  committer: { name: committer.name, email: committer.email, username: '' },
  verification: null,
  timestamp: timeOf(committer.date),
});
