import { FairwayError } from '@fairway/core';
import type { ChangeReader, Repository } from '../ports.ts';
import { quarantinePath } from '../render/paths.ts';
import { howToLift, parseQuarantine, type QuarantineEntry } from '../render/quarantine.ts';
import { FRESH_MS, readModelFile } from './catalogue.ts';

type World = { readonly repository: Repository; readonly changes: ChangeReader };
type Subject = { readonly model: string; readonly version: string; readonly digest: string };

/** Entries of a model's quarantine.yaml at a commit. Throws `model.invalid` when nobody can tell what it says. */
export async function quarantineAt(
  repository: Repository,
  commit: string,
  model: string,
): Promise<readonly QuarantineEntry[]> {
  return parseQuarantine(model, (await repository.read(commit, quarantinePath(model)))?.text);
}

/**
 * Why a digest is held back, in a sentence that says how to let it go: its entry in Git, or a rollback of it that is
 * under way in any environment of the model. undefined when nothing holds it.
 */
export async function heldBack(
  subject: Subject,
  { repository, changes }: World,
  commit: string,
): Promise<string | undefined> {
  const { model, version, digest } = subject;
  const entries = await quarantineAt(repository, commit, model);
  const entry = entries.find((candidate) => candidate.digest === digest);
  const name = `${model} ${version} (${digest.slice(0, 19)}…)`;
  if (entry !== undefined)
    return `${name} is quarantined since ${entry.since} (${trimmed(entry.reason)}); ${howToLift(model)}.`;
  const rollback = await changes.rollbackOf(model, digest);
  if (rollback === undefined) return undefined;
  const { change, evidence } = rollback;
  const where = change.pullRequest === undefined ? `change ${change.id}` : `pull request ${change.pullRequest.url}`;
  const reason = evidence.kind === 'rollback' ? ` (${trimmed(evidence.request.reason)})` : '';
  return `${name} is being rolled back in ${change.environment}${reason}; close ${where} if that is wrong, then approve it again under a new event id.`;
}

/** Throws `change.refused` where {@link heldBack} has a reason, also by the newest state: it may just have been lifted. */
export async function refuseHeldBack(subject: Subject, world: World): Promise<void> {
  const { repository } = world;
  if ((await heldBack(subject, world, await repository.head(FRESH_MS))) === undefined) return;
  const reason = await heldBack(subject, world, await repository.head(0));
  if (reason !== undefined) throw new FairwayError('change.refused', reason);
}

const trimmed = (reason: string): string => reason.trim().replace(/\.$/, '');

/** The entries of a model on the default branch, and how one is lifted. Throws `model.unknown`, or `model.invalid`. */
export async function readQuarantine(
  model: string,
  { repository }: Pick<World, 'repository'>,
): Promise<{ readonly entries: readonly QuarantineEntry[]; readonly howToLift: string }> {
  const head = await repository.head(FRESH_MS);
  await readModelFile(repository, head, model);
  return { entries: await quarantineAt(repository, head, model), howToLift: howToLift(model) };
}
