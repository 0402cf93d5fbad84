import type { Relation, SourceRevision } from '../../ports.ts';
import { type Objection, short } from './objection.ts';

/**
 * Condition 4: the compared commit contains the merge and has our folder as the merge left it. Equality would fail with the
 * next commit on the branch, ancestry alone would call a change live that somebody has overwritten since.
 */
export function contained(relation: Relation, revision: string | undefined): Objection | undefined {
  if (relation.kind === 'contains') return undefined;
  if (relation.kind === 'superseded') {
    const reason = `Commit ${short(relation.by)} has put another state of the same files in its place.`;
    return { state: 'superseded', reason };
  }
  if (relation.kind === 'before') return waiting('Argo CD has not compared the merged commit yet.');
  if (revision === undefined) return waiting('Argo CD names no commit that it has compared.');
  return waiting(`Argo CD has compared ${short(revision)}, which is not in the GitOps repository as it is known here.`);
}

const waiting = (reason: string): Objection => ({ state: 'waiting-for-sync', reason, stale: true });

/** The clone URL of the GitOps repository and the folder in it that we wrote. */
export type Place = { readonly repositoryUrl: string; readonly folder: string };

const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The commit that stands for our folder among an Application's sources: the only one, or with several the one of our
 * repository whose path is the folder or lies above it. undefined when there is none, or its revision is no commit id.
 */
export function commitOf(sources: readonly SourceRevision[], place: Place): string | undefined {
  const { revision = '' } = sources.length === 1 ? (sources[0] ?? {}) : (ourSource(sources, place) ?? {});
  return COMMIT.test(revision) ? revision : undefined;
}

function ourSource(sources: readonly SourceRevision[], { repositoryUrl, folder }: Place): SourceRevision | undefined {
  const covering = sources.filter(({ path }) => path !== undefined && covers(path, folder));
  const ours = covering.filter(({ repoURL }) => repositoryName(repoURL) === repositoryName(repositoryUrl));
  // The repository may have another address inside the cluster than for us; then the path must be enough.
  const candidates = ours.length > 0 ? ours : covering;
  return candidates.length === 1 ? candidates[0] : candidates.find(({ path = '' }) => trimmed(path) === folder);
}

function covers(path: string, folder: string): boolean {
  const above = trimmed(path);
  return above === '' || above === '.' || folder === above || folder.startsWith(`${above}/`);
}

const trimmed = (path: string): string => path.replace(/^\.?\/+/, '').replace(/\/+$/, '');

/** `host/owner/name` of a clone URL, whether HTTPS, ssh:// or `git@host:owner/name.git`. */
function repositoryName(url: string): string {
  const [, host = '', path = ''] =
    /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([^/:]+)(?::\d+(?=\/))?[/:]+(.*)$/i.exec(url.trim()) ?? [];
  return `${host.toLowerCase()}/${path.replace(/\/+$/, '').replace(/\.git$/, '')}`;
}
