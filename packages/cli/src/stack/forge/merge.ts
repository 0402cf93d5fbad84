import { refuse } from '../web/http.ts';
import { type Forge, now, pullOf, type Repository, signature } from './forge.ts';
import type { Git } from './git.ts';
import { noticeHeads, type Notice, tell } from './notices.ts';
import { commits, isAncestor, mergeTree, moveRef, writeCommit } from './objects.ts';
import { isWorkInProgress, webBase } from './payloads.ts';
import type { Comparison } from './compare.ts';
import type { PullState, RepositoryState } from './state.ts';
import type { Save } from './store.ts';
import type { User } from './users.ts';

export const MERGE_STYLES = ['merge', 'squash', 'rebase', 'fast-forward-only'] as const;
type MergeStyle = (typeof MERGE_STYLES)[number];

export type MergeOptions = {
  readonly style: MergeStyle;
  /** Refused with 409 unless the head is this commit. */
  readonly headCommit?: string;
  readonly title?: string;
  readonly message?: string;
  readonly deleteBranch: boolean;
};

/** One merge under way: everything the styles need. */
type Work = {
  readonly git: Git;
  readonly pull: PullState;
  readonly base: string;
  readonly head: string;
  readonly comparison: Comparison & { readonly tree: string };
  readonly by: ReturnType<typeof signature>;
  readonly poster: ReturnType<typeof signature>;
  readonly message: string;
};

/**
 * Merges in the object database and moves the base branch from the commit it was computed for, or not at all.
 * 404 closed, 405 merged, conflicting or work in progress, 409 the head is another or somebody moved the base.
 */
export async function mergePull(
  forge: Forge,
  repository: Repository,
  user: User,
  number: number,
  options: MergeOptions,
): Promise<void> {
  const notices = await forge.store.change(repository, async (draft, save) => {
    const earlier = await noticeHeads(forge, draft);
    const pull = pullOf(draft, number);
    const work = await prepare(forge, draft, user, pull, options);
    const commit = await STYLES[options.style](work);
    Object.assign(pull, { merging: { commit, by: user.name, at: now(forge) }, mergeBase: work.comparison.mergeBase });
    await save();
    if (!(await moveRef(work.git, `refs/heads/${pull.base}`, commit, work.base))) {
      delete pull.merging;
      await save();
      refuse(409, 'merge push out of date');
    }
    return [...earlier, ...(await settle(forge, draft, pull, options.deleteBranch ? save : undefined))];
  });
  await tell(forge, repository, user, notices);
}

async function prepare(
  forge: Forge,
  repository: Repository,
  user: User,
  pull: PullState,
  options: MergeOptions,
): Promise<Work> {
  if (pull.merged) refuse(405, 'The pull request is already merged.');
  if (pull.state === 'closed') refuse(404, "The target couldn't be found.");
  if (isWorkInProgress(pull)) refuse(405, 'Work in progress PRs cannot be merged');
  const [base, head] = [repository.heads[pull.base], repository.heads[pull.head]];
  if (base === undefined || head === undefined) return refuse(405, 'Please try again later');
  const git = forge.git(repository);
  const comparison = await forge.compare(git, base, head);
  const { tree } = comparison;
  if (tree === undefined) return refuse(405, 'Please try again later');
  if (options.headCommit !== undefined && options.headCommit !== head) refuse(409, 'head out of date');
  return {
    git,
    pull,
    base,
    head,
    comparison: { ...comparison, tree },
    by: signature(forge, user),
    poster: signature(forge, { name: pull.author }),
    message: messageOf(pull, options, `${webBase(forge, repository)}/pulls/${pull.number}`),
  };
}

/** Gitea's default message with its `Reviewed-on` trailer; what the caller sends stands alone, so that its own trailers stay the last paragraph. */
function messageOf(pull: PullState, { style, title, message }: MergeOptions, url: string): string {
  const squash = `${pull.title} (#${pull.number})`;
  const standard = `Merge pull request '${pull.title}' (#${pull.number}) from ${pull.head} into ${pull.base}`;
  const subject = title?.trim() || (style === 'squash' ? squash : standard);
  const rest = message?.trim() || (title === undefined ? `Reviewed-on: ${url}` : '');
  return `${[subject, rest].filter((part) => part !== '').join('\n\n')}\n`;
}

/** Style → the commit the base branch moves to. A new style is one line here. */
const STYLES: Readonly<Record<MergeStyle, (work: Work) => Promise<string>>> = {
  merge: ({ git, comparison, base, head, by, message }) =>
    writeCommit(git, { tree: comparison.tree, parents: [base, head], author: by, committer: by, message }),
  squash: ({ git, comparison, base, by, poster, message }) =>
    writeCommit(git, { tree: comparison.tree, parents: [base], author: poster, committer: by, message }),
  rebase: (work) => (work.comparison.behind === 0 ? Promise.resolve(work.head) : replay(work)),
  'fast-forward-only': ({ comparison, head }) =>
    comparison.behind === 0
      ? Promise.resolve(head)
      : refuse(409, 'The base branch has moved: not possible to fast-forward.'),
};

/**
 * Rebase without a work tree: each commit becomes the merge of itself into the new tip with its own parent as merge base. Git 2.39's
 * merge-tree takes no merge base, so the tip's tree is put on that parent as a stand-in commit, which makes it the only common ancestor.
 */
async function replay({ git, base, head, by }: Work): Promise<string> {
  let tip = base;
  for (const commit of (await commits(git, `${base}..${head}`, 1_000)).reverse()) {
    const [parent, ...others] = commit.parents;
    if (parent === undefined || others.length > 0) continue;
    const [tipTree] = (await commits(git, tip, 1)).map(({ tree }) => tree);
    const standIn = await writeCommit(git, { ...commit, tree: tipTree ?? '', parents: [parent], message: 'stand-in' });
    const tree = await mergeTree(git, standIn, commit.sha);
    if (tree === undefined) return refuse(409, `rebase failed because of conflict in ${commit.sha}`);
    if (tree === tipTree) continue;
    tip = await writeCommit(git, { ...commit, tree, parents: [tip], committer: by });
  }
  return tip;
}

/** Marks a pull request merged whose base has moved to `merging.commit`, and tells of all moved heads. */
async function settle(
  forge: Forge,
  draft: RepositoryState,
  pull: PullState,
  saveBeforeDelete: Save | undefined,
): Promise<Notice[]> {
  const { merging } = pull;
  if (!merging) return [];
  delete pull.merging;
  Object.assign(pull, { state: 'closed', merged: merging, closedAt: merging.at, updatedAt: merging.at });
  const others = draft.pulls.some((other) => other.state === 'open' && other.head === pull.head);
  if (saveBeforeDelete && !others && pull.head !== draft.defaultBranch) {
    await saveBeforeDelete();
    await forge.git(draft).run(['update-ref', '-d', `refs/heads/${pull.head}`, pull.headSha], { ok: [0, 1, 128] });
  }
  return [{ kind: 'pull', action: 'closed', number: pull.number }, ...(await noticeHeads(forge, draft))];
}

/** After a start: finishes or forgets merges that a crash cut short, then tells of heads that moved unseen. */
export async function recover(forge: Forge, repository: Repository): Promise<void> {
  const owner = forge.users.find(repository.owner) ?? { id: -1, name: repository.owner, admin: false, person: false };
  const notices = await forge.store.change(repository, async (draft) => {
    const git = forge.git(draft);
    const told: Notice[] = [];
    for (const pull of draft.pulls.filter(({ merging }) => merging)) {
      const landed = await isAncestor(git, pull.merging?.commit ?? '', `refs/heads/${pull.base}`);
      if (landed) told.push(...(await settle(forge, draft, pull, undefined)));
      else delete pull.merging;
    }
    return [...told, ...(await noticeHeads(forge, draft))];
  });
  await tell(forge, repository, owner, notices);
}
