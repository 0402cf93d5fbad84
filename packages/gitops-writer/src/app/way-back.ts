import { type Clock, FairwayError, iso, redact, type RollbackRequest } from '@fairway/core';
import type { ChangeEvidence, StoredChange } from '../change.ts';
import type { Accepted, ChangeReader, NewChange, Repository } from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { chainAt, placeNow, placeOf } from './catalogue.ts';
import { type IntakeContext, newChange } from './intake.ts';
import { refused, restorableState } from './restorable.ts';

type World = { readonly repository: Repository; readonly changes: ChangeReader; readonly clock: Clock };
type RollbackEvidence = Extract<ChangeEvidence, { kind: 'rollback' }>;

/**
 * Accepts a request for the way back, of a person or a monitor; the change is durable when this answers. The same dedupe
 * key again, or a request while a rollback of the environment is open, answers with that one. Throws `model.unknown`,
 * `environment.unknown`, or `change.refused` with the reason when there is no way back.
 */
export async function acceptRollback(request: RollbackRequest, context: IntakeContext): Promise<Accepted> {
  const { intake, repository, changes, clock } = context;
  const known = await intake.byEvent('rollback', request.dedupeKey);
  if (known !== undefined) return { created: false, change: known.change };
  const { head, file } = await placeNow(repository, request);
  const open = await openEvidence(request, changes);
  const evidence = open ?? (await rollbackEvidence(request, file, context, head));
  return intake.acceptRequest(rollbackChange({ ...evidence, request }, iso(clock.now())));
}

/** What an open rollback, which this request may join, leaves and restores. */
async function openEvidence(
  { model, environment, version }: RollbackRequest,
  changes: ChangeReader,
): Promise<RollbackEvidence | undefined> {
  const [open] = await changes.open(model, environment, 'rollback');
  const evidence = open === undefined ? undefined : (await changes.find(open.id))?.evidence;
  if (evidence?.kind !== 'rollback') return undefined;
  return version === undefined || version === evidence.bad.version ? evidence : undefined;
}

async function rollbackEvidence(
  request: RollbackRequest,
  { rollback }: ModelFile,
  world: World,
  head: string,
): Promise<RollbackEvidence> {
  const { model, environment, version } = request;
  const chain = await chainAt(world.repository, head, request);
  if (chain === undefined)
    throw refused(`Nothing of ${model} is deployed in ${environment}, so there is nothing to go back from.`);
  if (version !== undefined && version !== chain.version)
    throw refused(
      `${environment} of ${model} has version ${chain.version} and not ${version}, so there is nothing to go back from; leave out the version to go back from the one that is there.`,
    );
  const earlier = await rollbackThatRestored(chain.change, request, world.changes);
  if (earlier !== undefined)
    throw refused(
      `Version ${chain.version} of ${model} in ${environment} was itself restored by rollback ${earlier}, and a rollback is not rolled back; approve the version that shall serve.`,
    );
  const bad = { change: chain.change, version: chain.version, digest: chain.digest };
  const leaving = { model, environment, bad, maxAgeMs: rollback.maxAgeMs, now: world.clock.now() };
  return { kind: 'rollback', request, bad, restores: await restorableState(leaving, world, head) };
}

/** Id of the merged rollback that put back what a change had put there. */
async function rollbackThatRestored(
  change: string,
  { model, environment }: RollbackRequest,
  changes: ChangeReader,
): Promise<string | undefined> {
  const { changes: newest } = await changes.list({ model, environment, kind: 'rollback' }, { limit: 50 });
  for (const { id } of newest) {
    const stored = await changes.find(id);
    if (stored?.evidence.kind !== 'rollback' || stored.facts.mergeCommit === undefined) continue;
    if (stored.evidence.restores.change === change) return id;
  }
  return undefined;
}

function rollbackChange(evidence: RollbackEvidence, at: string): NewChange {
  const { request, restores } = evidence;
  const { version, digest } = restores;
  const change = newChange({ ...request, version, digest, event: request.dedupeKey }, at);
  return { change: { ...change, digest }, evidence, event: request.dedupeKey };
}

/** The way back that follows from a failed verification, if there is one, and a sentence about it. */
export type WayBack = { readonly follow?: NewChange; readonly told: string };

/** Phases in which a deploy change is on the default branch and not proven live. */
const UNPROVEN = ['merged', 'syncing', 'verifying'];

/**
 * What follows when a change ends with `error`; undefined for anything but the failed verification of a deployment. How
 * long ago the merge was does not count: what counts is that the failed state still is the one on the default branch.
 */
export async function wayBackFrom(
  { change, evidence }: StoredChange,
  error: FairwayError,
  world: World,
): Promise<WayBack | undefined> {
  if (evidence.kind !== 'deploy' || error.code !== 'sync.failed' || !UNPROVEN.includes(change.phase)) return undefined;
  const { model, environment, version } = change;
  const head = await world.repository.head(0);
  const chain = await chainAt(world.repository, head, change);
  if (chain?.digest !== evidence.digest) return notBack('another version has taken its place since.');
  const [open] = await world.changes.open(model, environment, 'rollback');
  if (open !== undefined) return { told: `Change ${open.id} goes back to version ${open.version}.` };
  const { file } = await placeOf(world.repository, head, change);
  const command = `fairway rollback ${model} --environment ${environment}`;
  if (!file.rollback.auto) return notBack(`model.yaml says that a person goes back: ${command}.`);
  try {
    const request = automatic({ model, environment, version }, change.id, error);
    const follow = rollbackChange(await rollbackEvidence(request, file, world, head), iso(world.clock.now()));
    return { follow, told: `Change ${follow.change.id} goes back to version ${follow.change.version}.` };
  } catch (thrown) {
    if (thrown instanceof FairwayError && thrown.code === 'change.refused') return notBack(thrown.message);
    throw thrown;
  }
}

const notBack = (why: string): WayBack => ({ told: `It is not rolled back: ${why}` });

function automatic(
  left: { readonly model: string; readonly environment: string; readonly version: string },
  change: string,
  { message }: FairwayError,
): RollbackRequest {
  const reason = redact(message).replaceAll(/\s+/g, ' ').slice(0, 500);
  return { kind: 'rollback', ...left, dedupeKey: `rollback:${change}`, actor: 'fairway-writer', reason };
}
