import { environmentFolder, modelPath, quarantinePath, retrainFolder } from '../render/paths.ts';
import { kindOf } from '../render/sealed.ts';
import { readTrailers, type Trailers } from '../render/trailers.ts';
import type { Commit, Landing } from './history.ts';

/** A change that a commit says it carries. */
export type Claim = {
  readonly kind: 'deploy' | 'retrain' | 'rollback' | 'retire';
  readonly change: string;
  readonly trailers: Trailers;
  readonly commit: Commit;
  /** The folder that it is about, and the one file beside it that it may touch. */
  readonly folder: string;
  readonly beside: string | undefined;
};

export type Claims = { readonly claims: readonly Claim[]; readonly conflicts: readonly Commit[] };

/** The changes that came onto the branch with a commit, each once; and commits whose trailers contradict themselves. */
export function claimsOf({ brought }: Landing): Claims {
  const claims: Claim[] = [];
  const conflicts: Commit[] = [];
  for (const commit of brought) {
    const trailers = readTrailers(commit.message);
    if (trailers === 'conflict') conflicts.push(commit);
    else {
      const claim = claimOf(trailers, commit);
      const known = claims.some((other) => other.change === claim?.change && other.folder === claim.folder);
      if (claim !== undefined && !known) claims.push(claim);
    }
  }
  return { claims, conflicts };
}

function claimOf(trailers: Trailers, commit: Commit): Claim | undefined {
  const kind = kindOf(trailers);
  const change = trailers.get('Change');
  if (kind === undefined || change === undefined) return undefined;
  const model = trailers.get('Model') ?? '';
  const folder =
    kind === 'retrain' ? retrainFolder(model, change) : environmentFolder(model, trailers.get('Environment') ?? '');
  const beside = { deploy: undefined, retrain: undefined, rollback: quarantinePath(model), retire: modelPath(model) }[
    kind
  ];
  return { kind, change, trailers, commit, folder, beside };
}
