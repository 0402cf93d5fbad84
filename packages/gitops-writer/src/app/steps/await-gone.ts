import { succeeded, waiting } from '@fairway/core';
import { environmentName } from '../../render/paths.ts';
import { retiredNotice } from '../notices.ts';
import { tellDone } from '../proposal/done.ts';
import { pollDelay } from '../retry.ts';
import { phaseAge, type Step, type StepContext } from '../step.ts';

/** A merged retirement is done when Argo CD has deleted Application and Deployment; then nothing is live there any more. */
export const awaitGone: Step = {
  name: 'await-gone',
  async run(stored, context) {
    const { change } = stored;
    const left = await whatIsLeft(change.model, change.environment, context);
    if (left !== undefined) return waiting(pollDelay(phaseAge(stored, context.clock)), left);
    const reason = 'retired: Application and Deployment are gone';
    const before = await context.changes.wereLive(change.model, change.environment);
    const ends = before
      .filter((other) => other.change.phase === 'live')
      .map((other) => ({
        id: other.change.id,
        phase: 'superseded' as const,
        reason: `Retired by change ${change.id}.`,
      }));
    const facts = (await tellDone(stored, context, { kind: 'done', reason })) ?? {};
    return succeeded({ phase: 'live', reason, facts, ends, notice: retiredNotice(stored) });
  },
};

async function whatIsLeft(model: string, environment: string, { cluster }: StepContext): Promise<string | undefined> {
  const name = environmentName(model, environment);
  if ((await cluster.application(name, 'now')) !== undefined)
    return `Argo CD still has Application ${name}; an ApplicationSet deletes it some minutes after the merge, unless its policy forbids that.`;
  if ((await cluster.deployment(name, model)) !== undefined)
    return `Deployment ${model} is still in namespace ${name}; if it stays, the Application had no finalizer and somebody has to delete it.`;
  return undefined;
}
