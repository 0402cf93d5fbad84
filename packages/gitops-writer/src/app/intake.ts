import {
  type Approval,
  branchName,
  type Change,
  changeId,
  type Clock,
  FairwayError,
  iso,
  type RetrainRequest,
} from '@fairway/core';
import type { ChangeEvidence, StoredChange } from '../change.ts';
import type { Accepted, ChangeIntake, ModelSource, Repository } from '../ports.ts';
import { environmentOf, retrainOf } from '../render/model-file.ts';
import { readModelFile } from './catalogue.ts';

export type IntakeContext = {
  readonly intake: ChangeIntake;
  readonly repository: Repository;
  readonly source: ModelSource;
  readonly clock: Clock;
};

/** An approval as it comes in: `time` is ours when the sender has none. */
export type ApprovalInput = Omit<Approval, 'time'> & { readonly time?: string };

/** A model.yaml this young is young enough to answer an approval. */
const FRESH_MS = 1_000;

/**
 * Accepts an approval: the change it leads to is durable when this answers. The same event again answers with the same
 * change. The digest is taken from the registry now; whatever is there later must be the same bytes.
 */
export async function acceptApproval(input: ApprovalInput, context: IntakeContext): Promise<Accepted> {
  const { intake, repository, source, clock } = context;
  const known = await intake.byEvent('deploy', input.eventId);
  if (known !== undefined) return sameDecision(input, known);
  const file = await readModelFile(repository, await repository.head(FRESH_MS), input.model);
  environmentOf(file, input.environment);
  const { modelVersion, baseline } = await source.load(input.model, input.version);
  const at = iso(clock.now());
  const approval: Approval = { ...input, time: input.time ?? at };
  const { digest } = modelVersion;
  const change = newChange({ ...input, kind: 'deploy', digest, event: input.eventId }, at);
  return intake.acceptApproval(
    { change: { ...change, digest }, evidence: { kind: 'deploy', approval, digest } },
    { modelVersion, baseline },
  );
}

/** Accepts the monitor's request; while a retraining of the model is open, the request is its newest evidence. */
export async function acceptRequest(request: RetrainRequest, context: IntakeContext): Promise<Accepted> {
  const { intake, repository, clock } = context;
  const known = await intake.byEvent('retrain', request.dedupeKey);
  if (known !== undefined) return { created: false, change: known.change };
  const file = await readModelFile(repository, await repository.head(FRESH_MS), request.model);
  environmentOf(file, request.environment);
  retrainOf(file);
  const at = iso(clock.now());
  // A retraining carries no model bytes, so its id must not depend on any.
  const change = newChange({ ...request, digest: '', event: request.dedupeKey }, at);
  const evidence: ChangeEvidence = { kind: 'retrain', request, revision: 1 };
  return intake.acceptRequest({ change, evidence });
}

type ChangeSource = Parameters<typeof changeId>[0] & { readonly actor: string };

function newChange(source: ChangeSource, at: string): Change {
  const { kind, model, version, environment, actor } = source;
  const id = changeId(source);
  const history = [{ phase: 'requested' as const, at }];
  const branch = branchName(source, id);
  return {
    id,
    kind,
    model,
    version,
    environment,
    actor,
    branch,
    phase: 'requested',
    createdAt: at,
    updatedAt: at,
    history,
  };
}

function sameDecision(input: ApprovalInput, { change }: StoredChange): Accepted {
  const same =
    change.model === input.model && change.version === input.version && change.environment === input.environment;
  if (same) return { created: false, change };
  throw new FairwayError(
    'input.invalid',
    `Event ${JSON.stringify(input.eventId)} already stands for the approval of ${change.model} ${change.version} for ${change.environment}; give each decision an event id of its own.`,
  );
}
