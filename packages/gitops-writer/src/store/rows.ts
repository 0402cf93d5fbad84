import type { Change, ChangeKind, Phase, PullRequest } from '@fairway/core';
import type { ChangeEvidence, ChangeFacts, StoredChange } from '../change.ts';

export type ListRow = {
  readonly id: string;
  readonly kind: ChangeKind;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly digest: string | null;
  readonly phase: Phase;
  readonly reason: string | null;
  readonly branch: string;
  readonly image: string | null;
  readonly pull_request: PullRequest | null;
  readonly actor: string;
  readonly facts: ChangeFacts;
  readonly history: Change['history'];
  readonly attempts: number;
  readonly created_at: Date;
  readonly updated_at: Date;
};
export type ChangeRow = ListRow & { readonly evidence: ChangeEvidence };

/** A row as everybody sees it. */
export function toChange(row: ListRow): Change {
  const { id, kind, model, version, environment, phase, branch, actor, history } = row;
  return {
    id,
    kind,
    model,
    version,
    environment,
    phase,
    branch,
    actor,
    history,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    ...(row.digest === null ? {} : { digest: row.digest }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.image === null ? {} : { image: row.image }),
    ...(row.pull_request === null ? {} : { pullRequest: row.pull_request }),
    ...livenessOf(row),
  };
}

function livenessOf({ facts }: ListRow): Pick<Change, 'liveness'> {
  if (facts.liveness === undefined) return {};
  const { state, reason, at } = facts.liveness;
  return { liveness: { state, reason, at } };
}

export const toStored = (row: ChangeRow): StoredChange => ({
  change: toChange(row),
  evidence: row.evidence,
  facts: row.facts,
  attempts: row.attempts,
});
