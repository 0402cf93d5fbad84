import { succeeded } from '@fairway/core';
import { edited } from '../proposal/edited.ts';
import { rejected, superseded } from '../proposal/ended.ts';
import { merged } from '../proposal/merged.ts';
import { open } from '../proposal/open.ts';
import type { Step } from '../step.ts';

/** The pull request decides: merged, closed (a person's no), superseded, edited (the approval is void), or still open. */
export const awaitMerge: Step = {
  name: 'await-merge',
  async run(stored, context) {
    const { change } = stored;
    if (change.pullRequest === undefined)
      return succeeded({ phase: 'built', reason: 'Its pull request is not known.' });
    const pullRequest = await context.forge.read(change.pullRequest.number);
    if (pullRequest.state === 'merged') return merged(stored, context, pullRequest);
    const newer = change.kind === 'deploy' ? await context.changes.newer(change) : undefined;
    if (newer !== undefined) return superseded(stored, context, pullRequest, newer);
    if (pullRequest.state === 'closed') return rejected(stored, context, pullRequest);
    if (pullRequest.headSha !== stored.facts.headSha) return edited(stored, context, pullRequest);
    return open(stored, context, pullRequest);
  },
};
