import { refuse } from '../web/http.ts';
import { type Forge, now, pullOf, type Repository } from './forge.ts';
import { branchesNamed, moveRef } from './objects.ts';
import { type Notice, tell } from './notices.ts';
import { headsOf, pullFacts } from './payloads.ts';
import type { PullState, RepositoryState } from './state.ts';
import type { User } from './users.ts';

export type NewPull = {
  readonly title: string;
  readonly body: string;
  readonly head: string;
  readonly base: string;
  readonly labels: readonly number[];
};

/** Opens a pull request. 404 unknown branch, 409 there is an open one for the pair, 422 nothing to merge. Answers its number. */
export async function openPull(forge: Forge, repository: Repository, user: User, wanted: NewPull): Promise<number> {
  const own = `${repository.owner}:`;
  const head = wanted.head.startsWith(own) ? wanted.head.slice(own.length) : wanted.head;
  const nothing = () => refuse(422, 'Invalid PullRequest: There are no changes between the head and the base');
  if (head === wanted.base) nothing();
  const number = await forge.store.change(repository, async (draft) => {
    const git = forge.git(repository);
    const heads = await branchesNamed(git, [head, wanted.base]);
    const [headSha, baseSha] = [heads[head], heads[wanted.base]];
    if (headSha === undefined || baseSha === undefined) return refuse(404, "The target couldn't be found.");
    refuseSecond(draft, head, wanted.base);
    const { ahead, mergeBase } = await forge.compare(git, baseSha, headSha);
    if (ahead === 0) nothing();
    const { title, body, base } = wanted;
    const pull = { ...newPull(draft.nextNumber, user, now(forge)), title, body, base, head, headSha, mergeBase };
    pull.labels = draft.labels.filter(({ id }) => wanted.labels.includes(id)).map(({ id }) => id);
    await moveRef(git, `refs/pull/${pull.number}/head`, headSha);
    draft.nextNumber += 1;
    draft.pulls.push(pull);
    return pull.number;
  });
  await tell(forge, repository, user, [{ kind: 'pull', action: 'opened', number }]);
  return number;
}

const newPull = (number: number, user: User, at: string) => ({
  number,
  author: user.name,
  state: 'open' as const,
  labels: [] as number[],
  reviewers: [] as string[],
  createdAt: at,
  updatedAt: at,
});

function refuseSecond(repository: Pick<RepositoryState, 'pulls' | 'id'>, head: string, base: string): void {
  const other = repository.pulls.find((pull) => pull.state === 'open' && pull.head === head && pull.base === base);
  if (!other) return;
  const facts = `id: ${other.number}, issue_id: ${other.number}, head_repo_id: ${repository.id}, base_repo_id: ${repository.id}`;
  refuse(409, `pull request already exists for these targets [${facts}, head_branch: ${head}, base_branch: ${base}]`);
}

export type PullEdit = { readonly title?: string; readonly body?: string; readonly state?: string };

/** Changes title, body or state. 412 for a new state of a merged one. */
export async function editPull(
  forge: Forge,
  repository: Repository,
  user: User,
  number: number,
  edit: PullEdit,
): Promise<void> {
  const notices = await forge.store.change(repository, async (draft) => {
    const pull = pullOf(draft, number);
    const notices = applyText(pull, edit);
    const stateChange = await applyState(forge, draft, user, pull, edit.state);
    if (stateChange) notices.push(stateChange);
    if (notices.length > 0) pull.updatedAt = now(forge);
    return notices;
  });
  await tell(forge, repository, user, notices);
}

function applyText(pull: PullState, { title, body }: PullEdit): Notice[] {
  const notices: Notice[] = [];
  const edited = (changes: { title?: { from: string }; body?: { from: string } }) =>
    notices.push({ kind: 'pull', action: 'edited', number: pull.number, changes });
  if (title !== undefined && title !== '' && title !== pull.title) {
    edited({ title: { from: pull.title } });
    pull.title = title;
  }
  if (body !== undefined && body !== pull.body) {
    edited({ body: { from: pull.body } });
    pull.body = body;
  }
  return notices;
}

async function applyState(
  forge: Forge,
  draft: RepositoryState,
  user: User,
  pull: PullState,
  state: string | undefined,
): Promise<Notice | undefined> {
  if (state === undefined) return undefined;
  if (pull.merged) refuse(412, 'cannot change state of this pull request, it was already merged');
  if (state !== 'open' && state !== 'closed') refuse(412, `unknown state: ${state}`);
  if (state === pull.state) return undefined;
  const git = forge.git(draft);
  const heads = await headsOf(forge, draft, [pull]);
  if (state === 'closed') {
    pull.mergeBase = (await pullFacts(forge, draft, pull, heads)).mergeBase;
    Object.assign(pull, { state, closedAt: now(forge), closedBy: user.name });
    return { kind: 'pull', action: 'closed', number: pull.number };
  }
  refuseSecond(draft, pull.head, pull.base);
  const head = heads[pull.head];
  if (head === undefined) return refuse(412, `The branch ${pull.head} is gone: push it again before reopening.`);
  await moveRef(git, `refs/pull/${pull.number}/head`, head);
  Object.assign(pull, { state, headSha: head });
  delete pull.closedAt;
  delete pull.closedBy;
  return { kind: 'pull', action: 'reopened', number: pull.number };
}
