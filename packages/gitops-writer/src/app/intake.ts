import {
  type Approval,
  branchName,
  type Change,
  changeId,
  type Clock,
  END_PHASES,
  FairwayError,
  iso,
  type ModelVersion,
  type RetrainRequest,
} from '@fairway/core';
import type { ChangeEvidence, StoredChange } from '../change.ts';
import type {
  Accepted,
  ChangeIntake,
  ChangeReader,
  LoadedVersion,
  ModelSource,
  NewChange,
  RejectedChange,
  Repository,
} from '../ports.ts';
import { retrainOf } from '../render/model-file.ts';
import { placeNow } from './catalogue.ts';
import { goldenEvidence } from './golden.ts';
import { unusableNotice } from './notices.ts';
import { refuseHeldBack } from './quarantine.ts';

export type IntakeContext = {
  readonly intake: ChangeIntake;
  readonly changes: ChangeReader;
  readonly repository: Repository;
  readonly source: ModelSource;
  readonly clock: Clock;
  /** Why an approval cannot be answered there; undefined when it can. */
  readonly answerProblem: (answerTo: string) => string | undefined;
};

/** An approval as it comes in: `time` is ours when the sender has none. */
/** `via`: name of the credential that brought it. */
export type ApprovalInput = Omit<Approval, 'time'> & { readonly time?: string; readonly via?: string };

/** Event ids of promotions begin with this. */
export const PROMOTION = 'promotion:';
/** Event ids of champions that count as approvals begin with this. */
export const CHAMPION = 'champion:';

/**
 * Accepts an approval: the change it leads to is durable when this answers. The same event again answers with the same
 * change. The digest is taken from the registry now; whatever is there later must be the same bytes. Throws
 * `change.refused` for bytes that are quarantined: no change is made of it, so the same event may come again once they
 * are not.
 */
export async function acceptApproval(input: ApprovalInput, context: IntakeContext): Promise<Accepted> {
  const { intake, repository, source, clock } = context;
  const { digest: approved, via, ...decision } = input;
  const known = await intake.byEvent('deploy', input.eventId);
  if (known !== undefined) return sameDecision(input, known);
  refuseOwnEvents(input.eventId);
  const { file } = await placeNow(repository, input);
  const loaded = await source.load({ model: input.model, source: file.source }, input.version);
  const { modelVersion } = loaded;
  if (approved !== undefined && approved !== modelVersion.digest) throw otherBytes(approved, modelVersion);
  await refuseHeldBack(modelVersion, context);
  const at = iso(clock.now());
  const approval: Approval = { ...decision, time: input.time ?? at, ...answerTo([input.answerTo, loaded], context) };
  return intake.acceptApproval(deployOf(approval, loaded, at, via), loaded);
}

/** Where who decided is told: what the approval says, else what the registry does, unless this writer may not call it. */
export function answerTo(
  [asked, loaded]: readonly [string | undefined, LoadedVersion | undefined],
  { answerProblem }: Pick<IntakeContext, 'answerProblem'>,
): Pick<Approval, 'answerTo'> {
  const to = [asked, loaded?.answerTo].find((one) => one !== undefined && answerProblem(one) === undefined);
  return to === undefined ? {} : { answerTo: to };
}

/** The change that the approval of a version is, as its registry has it. */
export function deployOf(
  approval: Approval,
  { modelVersion, golden }: LoadedVersion,
  at: string,
  via?: string,
): NewChange {
  const { change, evidence, event } = decided(approval, modelVersion.digest, at, via);
  return {
    change: { ...change, digest: modelVersion.digest },
    evidence: { ...evidence, ...goldenEvidence(golden) },
    event,
  };
}

type Deployment = Extract<ChangeEvidence, { kind: 'deploy' }>;

function decided(approval: Approval, digest: string, at: string, via: string | undefined) {
  const { eventId: event } = approval;
  const change = newChange({ ...approval, kind: 'deploy', digest, event }, at);
  const evidence: Deployment = { kind: 'deploy', approval, digest, ...(via === undefined ? {} : { via }) };
  return { change, evidence, event };
}

/**
 * The change that a decision is which nobody can follow: over before it begins, for this reason. Without a digest nobody knows
 * which bytes were meant, so its id does not depend on any.
 */
export function rejectedOf(
  approval: Approval,
  { digest = '', reason }: { readonly digest?: string | undefined; readonly reason: string },
  at: string,
  via?: string,
): RejectedChange {
  const { change, evidence, event } = decided(approval, digest, at, via);
  const ended: Change = {
    ...change,
    ...(digest === '' ? {} : { digest }),
    phase: 'rejected',
    reason,
    history: [...change.history, { phase: 'rejected', at, reason }],
  };
  return { change: ended, evidence, event, notice: unusableNotice({ change: ended, evidence }, reason) };
}

function refuseOwnEvents(eventId: string): void {
  const own = [PROMOTION, CHAMPION].find((prefix) => eventId.startsWith(prefix));
  if (own === undefined) return;
  throw new FairwayError('input.invalid', `Event ids that begin with ${own} are Fairway's own; use another one.`);
}

/** Accepts the monitor's request; while a retraining of the model is open, the request is its newest evidence. */
export async function acceptRequest(request: RetrainRequest, context: IntakeContext): Promise<Accepted> {
  const { intake, repository, clock } = context;
  const known = await intake.byEvent('retrain', request.dedupeKey);
  if (known !== undefined) return { created: false, change: known.change };
  retrainOf((await placeNow(repository, request)).file);
  const at = iso(clock.now());
  // A retraining carries no model bytes, so its id must not depend on any.
  const change = newChange({ ...request, digest: '', event: request.dedupeKey }, at);
  const evidence: ChangeEvidence = { kind: 'retrain', request, revision: 1 };
  return intake.acceptRequest({ change, evidence, event: request.dedupeKey });
}

/**
 * Takes a retraining back that is not merged yet: its pull request is closed with the reason. One that has ended stays as it is.
 * Throws `change.unknown`, and `change.refused` when it is no retraining or its merge cannot be taken back.
 */
export async function withdrawRequest(
  id: string,
  asked: { readonly actor: string; readonly reason: string },
  { intake, changes, clock }: IntakeContext,
): Promise<Change> {
  const stored = await changes.find(id);
  if (stored === undefined) throw new FairwayError('change.unknown', `There is no change ${JSON.stringify(id)}.`);
  const { change, evidence } = stored;
  if (evidence.kind === 'retrain') {
    if (END_PHASES.includes(change.phase)) return change;
    const { revision } = evidence;
    const withdrawn = await intake.withdraw(id, { ...asked, revision, at: iso(clock.now()) });
    if (withdrawn !== undefined) return withdrawn;
  }
  const why = change.kind === 'retrain' ? `it is ${change.phase} already` : `it is a ${change.kind}`;
  throw new FairwayError(
    'change.refused',
    `Change ${id} cannot be withdrawn: ${why}. Only a retraining can be, and only before its merge.`,
  );
}

type ChangeSource = Parameters<typeof changeId>[0] & { readonly actor: string };

export function newChange(source: ChangeSource, at: string): Change {
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

function otherBytes(approved: string, { model, version, digest }: ModelVersion): FairwayError {
  return new FairwayError(
    'model.changed',
    `The approval is for ${approved}, and the registry has ${digest} as ${model} ${version}; approve the version that has the approved bytes.`,
  );
}

function sameDecision(input: ApprovalInput, { change }: StoredChange): Accepted {
  const same =
    change.model === input.model &&
    change.version === input.version &&
    change.environment === input.environment &&
    (input.digest === undefined || change.digest === input.digest);
  if (same) return { created: false, change };
  throw new FairwayError(
    'input.invalid',
    `Event ${JSON.stringify(input.eventId)} already stands for the approval of ${change.model} ${change.version} for ${change.environment}; give each decision an event id of its own.`,
  );
}
