import { asFairwayError, iso, type Phase, type StepResult, succeeded } from '@fairway/core';
import type { StoredChange, Transition } from '../../change.ts';
import { plain } from '../../render/markdown.ts';
import { STATUS_MARKER } from '../../render/status-comment.ts';
import { chainAt, placeOf } from '../catalogue.ts';
import { heldBackNotice, supersededNotice } from '../notices.ts';
import { dropOwnBranch, findOwn } from '../publish.ts';
import { heldBack, quarantineAt } from '../quarantine.ts';
import type { Step, StepContext } from '../step.ts';

/** How a change is over, or further, without its step being run; undefined when the step is due. */
type Guard = (stored: StoredChange, context: StepContext, head: string) => Promise<Transition | undefined>;

/** How old the default branch may be that a guard looks at; a push to it is hinted by a webhook. */
const FRESH_MS = 1_000;

/** A guard's word counts only while the pull request can be withdrawn: a merge cannot be taken back. */
const guarded = (step: Step, guard: Guard): Step => ({
  ...step,
  async run(stored, context): Promise<StepResult<Transition>> {
    const instead = await guard(stored, context, await context.repository.head(FRESH_MS));
    const withdrawn = instead === undefined ? undefined : await withdraw(stored, context, instead);
    return withdrawn === undefined ? step.run(stored, context) : succeeded(withdrawn);
  },
});

/** A step that a deploy change does not reach any more when its digest is quarantined. */
export const unlessHeldBack = (step: Step): Step =>
  guarded(step, async ({ change, evidence, facts }, context, head) => {
    // Between branch and pull request is no time to look again: the next step does.
    const between = change.phase === 'built' && facts.headSha !== undefined;
    if (evidence.kind !== 'deploy' || between) return undefined;
    const subject = { model: change.model, version: change.version, digest: evidence.digest };
    const reason = await heldBack(subject, context, head);
    return reason === undefined
      ? undefined
      : { phase: 'rejected', reason, notice: heldBackNotice({ change, evidence }, reason) };
  });

/**
 * A step that a deploy change does not reach any more where its environment was retired. Looked at first: a writer may have died after
 * it had closed the pull request, and the step would take that for a person's no.
 */
export const unlessRetired = (step: Step): Step =>
  guarded(step, async (stored, context, head) => {
    if (!(await isGone(stored, context, head).catch(leftToStep))) return undefined;
    const { environment, model } = stored.change;
    const retirement = await retirementOf(stored, context);
    if (retirement === undefined) return undefined;
    return superseded(stored, `${environment} of ${model} was retired (change ${retirement}).`);
  });

/** Who cannot read model.yaml does not know that an environment is gone. */
function leftToStep(error: unknown): false {
  if (['model.unknown', 'model.invalid'].includes(asFairwayError(error).code)) return false;
  throw error;
}

/** A step that a rollback does not reach any more when the state that it leaves is not the one that is there. */
export const whileNeeded = (step: Step): Step =>
  guarded(step, async (stored, context, head) => {
    const { change, evidence } = stored;
    if (evidence.kind !== 'rollback') return undefined;
    const { bad, restores } = evidence;
    const chain = await chainAt(context.repository, head, change);
    if (chain?.digest === bad.digest) return undefined;
    if (chain === undefined)
      return superseded(stored, `Nothing of ${change.model} is in ${change.environment} any more.`);
    if (chain.change !== restores.change) {
      const reason = `Version ${chain.version} has taken the place of version ${bad.version} meanwhile (change ${chain.change}).`;
      return superseded(stored, reason);
    }
    // Somebody has restored it by hand; the entry in quarantine.yaml may still be to do.
    const entries = await quarantineAt(context.repository, head, change.model);
    return entries.some(({ digest }) => digest === bad.digest)
      ? alreadyMerged(context, head, restores.change)
      : undefined;
  });

/** A step that a retirement does not reach any more when somebody has done by hand what it is about. */
export const unlessGone = (step: Step): Step =>
  guarded(step, async (stored, context, head) => {
    const gone =
      (await isGone(stored, context, head)) && (await chainAt(context.repository, head, stored.change)) === undefined;
    return gone ? alreadyMerged(context, head, stored.change.id) : undefined;
  });

/**
 * A step that a retraining does not reach any more when it was withdrawn, or when another version than the one that it is about
 * has come to serve: the evidence is about something that is not there.
 */
export const whileAsked = (step: Step): Step =>
  guarded(step, async (stored, { changes }) => {
    const { evidence, facts } = stored;
    if (evidence.kind !== 'retrain') return undefined;
    if (facts.withdrawn?.revision === evidence.revision) return superseded(stored, facts.withdrawn.reason);
    const { model, version, environment } = evidence.request;
    const live = (await changes.live()).find((one) => one.model === model && one.environment === environment);
    if (live === undefined || live.version === version) return undefined;
    const reason = `Version ${live.version} is live in ${environment} (change ${live.id}); the evidence is about version ${version}.`;
    return superseded(stored, reason);
  });

async function isGone({ change }: StoredChange, { repository }: StepContext, head: string): Promise<boolean> {
  try {
    await placeOf(repository, head, change);
    return false;
  } catch (error) {
    if (asFairwayError(error).code === 'environment.unknown') return true;
    throw error;
  }
}

const RETIRING = ['proposed', 'merged', 'syncing', 'verifying', 'live'];

async function retirementOf({ change }: StoredChange, { changes }: StepContext): Promise<string | undefined> {
  const { model, environment } = change;
  const page = await changes.list({ model, environment, kind: 'retire' }, { limit: 10 });
  return page.changes.find(({ phase }) => RETIRING.includes(phase))?.id;
}

function superseded(stored: StoredChange, reason: string): Transition {
  const notice = supersededNotice({ ...stored, change: { ...stored.change, reason } });
  return { phase: 'superseded', reason, notice };
}

function alreadyMerged({ clock }: StepContext, head: string, stamp: string): Transition {
  return {
    phase: 'merged',
    reason: 'The default branch already says so; nothing to merge.',
    facts: { mergeCommit: head, mergedAt: iso(clock.now()), stamp },
  };
}

/** Closes the pull request of a change, with a comment, and answers the transition with it; undefined when it has been merged. */
async function withdraw(
  stored: StoredChange,
  context: StepContext,
  transition: Transition,
): Promise<Transition | undefined> {
  const { change } = stored;
  const { forge } = context;
  const number = change.pullRequest?.number;
  const found = number === undefined ? await findOwn(stored, context) : await forge.read(number);
  if (found?.state === 'merged') return undefined;
  const { phase, reason = '' } = transition;
  const said = change.kind === 'retrain' ? 'Withdrawn' : (SAID[phase] ?? 'Done');
  if (found?.state === 'open') {
    await forge.setStatus(found.headSha, { context: 'fairway/approval', state: 'failure', description: reason });
    await forge.comment(found.number, STATUS_MARKER, `**${said}.** ${plain(reason)}`);
    await forge.edit(found.number, { state: 'closed' });
  }
  await dropOwnBranch(stored, context);
  return found === undefined ? transition : { ...transition, pullRequest: { ...found, state: 'closed' } };
}

const SAID: Partial<Record<Phase, string>> = { rejected: 'Held back', superseded: 'Superseded' };
