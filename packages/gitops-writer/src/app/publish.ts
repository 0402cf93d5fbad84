import { FairwayError } from '@fairway/core';
import type { ChangeFacts, StoredChange } from '../change.ts';
import type { ForgePullRequest } from '../ports.ts';
import type { Rendered } from '../render/deploy.ts';
import { type Draft, draftAt } from './draft.ts';
import type { StepContext } from './step.ts';

/** A base this young is young enough: a branch that moved meanwhile makes the push a race, which is retried. */
const FRESH_MS = 1_000;

export type Published = { readonly pullRequest: ForgePullRequest; readonly facts: ChangeFacts };

/**
 * Makes branch and pull request say what the change says: find → adopt → skip → create. Callable any number of times;
 * a commit is a pure function of its parent and the change, so our own commit is known again by its id alone.
 * Throws `git.refused` when the branch holds commits that are not ours.
 */
export async function publish(stored: StoredChange, context: StepContext): Promise<Published> {
  const found = await findPullRequest(stored, context);
  const base = await context.repository.head(FRESH_MS);
  if (found !== undefined && found.state !== 'open') {
    const ours = await isOurs(stored, context, found.headSha);
    return { pullRequest: found, facts: ours ? { headSha: found.headSha } : {} };
  }
  const { headSha, draft } = await ensureBranch(stored, context, base);
  const pullRequest = await ensurePullRequest(stored, context, draft, found);
  await context.forge.setStatus(headSha, {
    context: 'fairway/approval',
    state: 'success',
    description: `These are the ${stored.evidence.kind === 'deploy' ? 'approved' : 'requested'} bytes`,
  });
  const facts = { headSha, intent: draft.rendered.intent };
  return {
    pullRequest,
    facts: stored.evidence.kind === 'retrain' ? { ...facts, published: stored.evidence.revision } : facts,
  };
}

function findPullRequest({ change }: StoredChange, { forge }: StepContext): Promise<ForgePullRequest | undefined> {
  return change.pullRequest === undefined ? forge.find(change.branch) : forge.read(change.pullRequest.number);
}

async function ensureBranch(
  stored: StoredChange,
  context: StepContext,
  base: string,
): Promise<{ headSha: string; draft: Draft }> {
  const { repository, history } = context;
  const { branch } = stored.change;
  const existing = await repository.branch(branch);
  if (existing !== undefined) {
    const adopted = await asOurs(stored, context, existing);
    if (adopted !== undefined && !(await history.conflicts(base, existing)))
      return { headSha: existing, draft: adopted };
    if (adopted === undefined && existing !== stored.facts.headSha) throw foreignBranch(branch);
  }
  const draft = await draftAt(stored, context, base);
  const headSha = await repository.commit(commitOf(stored, draft.rendered, base));
  await repository.push(branch, headSha, existing);
  return { headSha, draft };
}

async function ensurePullRequest(
  { change }: StoredChange,
  { forge }: StepContext,
  { text }: Draft,
  found: ForgePullRequest | undefined,
): Promise<ForgePullRequest> {
  if (found === undefined) return forge.open({ branch: change.branch, ...text });
  const same = found.title === text.title && lines(found.body) === lines(text.body);
  if (!same) await forge.edit(found.number, text.title, text.body);
  return found;
}

/** Forges may store bodies with other line ends and without the last one. */
const lines = (text: string): string => text.replaceAll('\r\n', '\n').trim();

const isOurs = async (stored: StoredChange, context: StepContext, head: string): Promise<boolean> =>
  head === stored.facts.headSha || (await asOurs(stored, context, head)) !== undefined;

/** The draft that `head` carries if it is exactly the commit we would have made on its parent. */
async function asOurs(stored: StoredChange, context: StepContext, head: string): Promise<Draft | undefined> {
  const parent = await context.history.parent(head);
  if (parent === undefined) return undefined;
  const draft = await draftAt(stored, context, parent);
  return (await context.repository.commit(commitOf(stored, draft.rendered, parent))) === head ? draft : undefined;
}

const commitOf = ({ change }: StoredChange, { folder, files, message }: Rendered, parent: string) => ({
  parent,
  folder,
  files,
  message,
  date: change.createdAt,
});

const foreignBranch = (branch: string): FairwayError =>
  new FairwayError(
    'git.refused',
    `Branch ${branch} already holds commits that Fairway did not write; delete the branch on the forge and approve again.`,
  );
