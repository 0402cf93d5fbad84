import { FairwayError, type Change } from '@fairway/core';
import type { LiveState, StoredChange } from '../change.ts';
import type { ChangeReader, Repository } from '../ports.ts';
import { spanInWords } from '../render/duration.ts';
import { chainAt } from './catalogue.ts';
import { heldBack } from './quarantine.ts';

type World = { readonly repository: Repository; readonly changes: ChangeReader };

export type Leaving = {
  readonly model: string;
  readonly environment: string;
  /** What is left. */
  readonly bad: { readonly change: string; readonly version: string; readonly digest: string };
  readonly maxAgeMs: number;
  readonly now: number;
};

/**
 * The newest state of an environment that was live and may be live again: not the bad digest, never rolled back, not
 * held back, and serving until at most `maxAgeMs` ago. Its files are those that Git has at the answered commit. Throws
 * `change.refused` with a sentence when there is none.
 */
export async function restorableState(leaving: Leaving, world: World, head: string): Promise<LiveState> {
  const { model, environment, bad, maxAgeMs, now } = leaving;
  for (const stored of await world.changes.wereLive(model, environment)) {
    const { digest, version, phase } = stored.change;
    if (phase === 'rolled-back' || digest === undefined || digest === bad.digest) continue;
    const state = await stateOf(stored, world.repository);
    if (state === undefined || (await heldBack({ model, version, digest }, world, head)) !== undefined) continue;
    const ageMs = now - Date.parse(servedUntil(stored.change) ?? new Date(now).toISOString());
    // Whatever is older served even longer ago.
    if (ageMs > maxAgeMs) throw refused(tooOld(leaving, state, ageMs));
    return state;
  }
  throw refused(
    `Nothing else was live in ${environment} of ${model} that could be restored; approve another version, or take the model out of it: fairway retire ${model} --environment ${environment}.`,
  );
}

/** Read from Git, so that nothing is restored that the chain does not tell. */
async function stateOf({ change, facts }: StoredChange, repository: Repository): Promise<LiveState | undefined> {
  const commit = facts.mergeCommit ?? change.pullRequest?.mergeCommit;
  if (commit === undefined) return undefined;
  const chain = await chainAt(repository, commit, change);
  if (chain === undefined || chain.digest !== change.digest) return undefined;
  return { change: chain.change, version: chain.version, digest: chain.digest, commit };
}

/** When the state stopped serving, as far as we know; undefined while it is the last that was live. */
function servedUntil({ history }: Change): string | undefined {
  const live = history.findLastIndex(({ phase }) => phase === 'live');
  return history[live + 1]?.at;
}

const tooOld = ({ model, environment, maxAgeMs }: Leaving, { version }: LiveState, ageMs: number): string =>
  `${model} ${version}, which was live in ${environment} before, stopped serving ${spanInWords(ageMs)} ago, and rollback.maxAge allows ${spanInWords(maxAgeMs)}; approve the version that shall serve, or raise rollback.maxAge in model.yaml.`;

export const refused = (sentence: string): FairwayError => new FairwayError('change.refused', sentence);
