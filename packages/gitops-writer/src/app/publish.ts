import { asFairwayError, FairwayError } from '@fairway/core';
import type { ChangeFacts, StoredChange } from '../change.ts';
import type { ForgePullRequest, Repository } from '../ports.ts';
import { marker } from '../render/body.ts';
import type { Rendered } from '../render/deploy.ts';
import { type Draft, draftAt } from './draft.ts';
import { targetOf } from './live/look.ts';
import type { StepContext } from './step.ts';

/** A base this young is young enough: a branch that moved meanwhile makes the push a race, which is retried. */
export const FRESH_MS = 1_000;

export const BROUGHT_UP = 'The pull request was brought up to date.';

export type Published = { readonly pullRequest: ForgePullRequest; readonly facts: ChangeFacts };

/**
 * Makes branch and pull request say what the change says: find → adopt → skip → create. Callable any number of times;
 * a commit is a pure function of its parent and the change, so our own commit is known again.
 * Throws `git.refused` when the branch holds commits that are not ours.
 */
export async function publish(stored: StoredChange, context: StepContext): Promise<Published> {
  const known = await findPullRequest(stored, context);
  const ended = known === undefined || known.state === 'open' ? undefined : await endedOf(stored, context, known);
  if (ended !== undefined) return ended;
  const found = known?.state === 'open' ? known : undefined;
  const { draft, facts } = await publishBranch(stored, context);
  const opened = await ensurePullRequest(stored, context, draft, found);
  // The forge may not have noticed our push yet.
  const pullRequest = { ...opened, headSha: facts.headSha };
  await context.forge.setStatus(facts.headSha, {
    context: 'fairway/approval',
    state: 'success',
    description: `These are the ${stored.evidence.kind === 'deploy' ? 'approved' : 'requested'} bytes`,
  });
  return {
    pullRequest,
    facts: stored.evidence.kind === 'retrain' ? { ...facts, published: stored.evidence.revision } : facts,
  };
}

/** A pull request that has ended says how the change stands; not one that somebody else had opened under our name and closed again. */
async function endedOf(
  stored: StoredChange,
  context: StepContext,
  pullRequest: ForgePullRequest,
): Promise<Published | undefined> {
  await context.repository.head(FRESH_MS);
  if (await isOurs(stored, context, pullRequest.headSha)) {
    return { pullRequest, facts: { headSha: pullRequest.headSha } };
  }
  const isStrangers = pullRequest.state === 'closed' && stored.change.pullRequest === undefined;
  return isStrangers ? undefined : { pullRequest, facts: {} };
}

export type PublishedBranch = { readonly draft: Draft; readonly facts: ChangeFacts & { readonly headSha: string } };

/** The branch alone; it needs no forge. */
export async function publishBranch(stored: StoredChange, context: StepContext): Promise<PublishedBranch> {
  const base = await context.repository.head(FRESH_MS);
  const { headSha, draft } = await ensureBranch(stored, context, base);
  return { draft, facts: { headSha, intent: draft.rendered.intent } };
}

/**
 * Whether our commit, merged into `base`, would come out other than approved: it conflicts, or somebody changed our folder
 * since. Edits of other files in it do not conflict, but nobody has approved the two together.
 */
export async function isBehind(
  { change }: StoredChange,
  { history }: StepContext,
  base: string,
  head: string,
): Promise<boolean> {
  const parent = await history.parent(head);
  if (parent === undefined || parent === base) return false;
  if (await history.conflicts(base, head)) return true;
  return (await history.relation(parent, base, targetOf(change).folder)).kind === 'superseded';
}

/**
 * Deletes a branch of ours that still is where we left it; gone or moved, somebody else has decided. Where the rules of the forge
 * let nobody delete it, it stays: what was merged or ended is that all the same.
 */
export async function dropBranch(repository: Repository, branch: string, expected: string): Promise<void> {
  if ((await repository.branch(branch)) !== expected) return;
  try {
    await repository.push(branch, undefined, expected);
  } catch (error) {
    const { code, disposition } = asFairwayError(error);
    const stays = code === 'git.race' || (code === 'git.refused' && disposition === 'terminal');
    if (!stays) throw error;
  }
}

/** Deletes the branch of a change that came to nothing while it holds our commit alone, also one that a killed writer had no time to write down. */
export async function dropOwnBranch(stored: StoredChange, context: StepContext): Promise<void> {
  const { repository } = context;
  const { branch } = stored.change;
  await repository.head(FRESH_MS);
  const head = await repository.branch(branch);
  if (head !== undefined && (await isOurs(stored, context, head))) await dropBranch(repository, branch, head);
}

/**
 * The pull request of a change that does not know its number: a writer may have opened it and died before it could say so. It is ours
 * when it carries our marker, or its head is our commit; one of somebody else under our name is theirs to close. That other bytes
 * were merged under it is for the next step to tell.
 */
export async function findOwn(stored: StoredChange, context: StepContext): Promise<ForgePullRequest | undefined> {
  const found = await context.forge.find(stored.change.branch);
  if (found === undefined || found.state === 'merged') return found;
  const isMarked = found.body.includes(marker(stored.change.id));
  return isMarked || (await isOurs(stored, context, found.headSha)) ? found : undefined;
}

function findPullRequest({ change }: StoredChange, { forge }: StepContext): Promise<ForgePullRequest | undefined> {
  return change.pullRequest === undefined ? forge.find(change.branch) : forge.read(change.pullRequest.number);
}

async function ensureBranch(
  stored: StoredChange,
  context: StepContext,
  base: string,
): Promise<{ headSha: string; draft: Draft }> {
  const { repository } = context;
  const { branch } = stored.change;
  const existing = await repository.branch(branch);
  if (existing !== undefined) {
    const adopted = await asOurs(stored, context, existing);
    if (adopted !== undefined && !(await isBehind(stored, context, base, existing)))
      return { headSha: existing, draft: adopted };
    if (adopted === undefined && existing !== stored.facts.headSha)
      throw await foreignBranch(branch, existing, repository);
  }
  const draft = await draftAt(stored, context, base);
  const headSha = await repository.commit(commitOf(stored, draft.rendered, base));
  await repository.push(branch, headSha, existing);
  return { headSha, draft };
}

async function ensurePullRequest(
  { change }: StoredChange,
  { forge }: StepContext,
  { text, reviewers }: Draft,
  found: ForgePullRequest | undefined,
): Promise<ForgePullRequest> {
  const { title, body, labels } = await text();
  // Also where there is one that the change does not know yet: a writer that died while it opened it may have left it without labels.
  const known = change.pullRequest !== undefined && found !== undefined;
  const pullRequest = known ? found : await forge.open({ branch: change.branch, reviewers, title, body, labels });
  if (found === undefined) return pullRequest;
  const same = found.title === title && lines(found.body) === lines(body);
  if (!same) await forge.edit(found.number, { title, body });
  return found;
}

/** Forges may store bodies with other line ends and without the last one. */
const lines = (text: string): string => text.replaceAll('\r\n', '\n').trim();

/**
 * What is to be kept of a head that is ours, nothing where that is written down already: a writer may have died right after its push.
 * undefined: the head is not ours.
 */
export async function ownHead(
  stored: StoredChange,
  context: StepContext,
  head: string,
): Promise<ChangeFacts | undefined> {
  if (head === stored.facts.headSha) return {};
  const draft = await asOurs(stored, context, head);
  return draft === undefined ? undefined : { headSha: head, intent: draft.rendered.intent };
}

const isOurs = async (stored: StoredChange, context: StepContext, head: string): Promise<boolean> =>
  (await ownHead(stored, context, head)) !== undefined;

/** The draft that `head` carries if it is exactly the commit we would have made on its parent, which the default branch must have: we made none on anything else. */
async function asOurs(stored: StoredChange, context: StepContext, head: string): Promise<Draft | undefined> {
  const { history, repository } = context;
  const parent = await history.parent(head);
  if (parent === undefined) return undefined;
  const { kind } = await history.relation(parent, await repository.head(FRESH_MS), targetOf(stored.change).folder);
  if (kind !== 'contains' && kind !== 'superseded') return undefined;
  const draft = await draftAt(stored, context, parent).catch(noPlaceThere);
  if (draft === undefined) return undefined;
  return (await repository.carries(head, commitOf(stored, draft.rendered, parent))) ? draft : undefined;
}

/** What is based on a commit without our model or environment is not ours. */
function noPlaceThere(error: unknown): undefined {
  if (['model.unknown', 'model.invalid', 'environment.unknown'].includes(asFairwayError(error).code)) return;
  throw error;
}

const commitOf = ({ change }: StoredChange, { folders, files, message }: Rendered, parent: string) => ({
  parent,
  folders,
  files,
  message,
  date: change.createdAt,
});

/** An end for the change, so the newest look decides: somebody may have deleted the branch a moment ago. */
async function foreignBranch(branch: string, seen: string, repository: Repository): Promise<FairwayError> {
  await repository.head(0);
  if ((await repository.branch(branch)) !== seen)
    return new FairwayError('git.race', `Branch ${branch} has moved meanwhile; it is read again.`);
  return new FairwayError(
    'git.refused',
    `Branch ${branch} already holds commits that Fairway did not write; delete the branch on the forge and approve again.`,
  );
}
