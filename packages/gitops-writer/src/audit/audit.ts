import { FairwayError } from '@fairway/core';
import { type AuditGit, auditGit, openObjects } from './git.ts';
import { landings } from './history.ts';
import type { AuditReport } from './report.ts';
import { signatureFindings } from './signatures.ts';
import { walk } from './walk.ts';

export type AuditRequest = {
  /** A clone, with or without a work tree. */
  readonly folder: string;
  readonly branch: string;
  /** Whether every commit that carries a change must be signed by somebody whom git trusts here. */
  readonly signatures: boolean;
  /** Where git finds itself and the keys that it trusts. */
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/**
 * Proves the chain of every change on the default branch from the clone alone: no network, no database, no forge. Throws
 * `git.unavailable` or `config.invalid` in a sentence when it cannot be audited.
 */
export async function audit({ folder, branch, signatures, environment }: AuditRequest): Promise<AuditReport> {
  const git = auditGit(folder, environment);
  await refuseIncomplete(git, folder);
  const { ref, commit } = await resolve(git, branch);
  await refuseForeign(git, folder, commit);
  const all = await landings(git, commit);
  const objects = openObjects(folder, environment);
  try {
    const { findings, served, changes } = await walk(all, objects);
    const unsigned = signatures ? await signatureFindings(git, changes) : [];
    return { ref, commit, commits: all.length, changes: changes.size, served, findings: [...findings, ...unsigned] };
  } finally {
    objects.close();
  }
}

async function refuseIncomplete(git: AuditGit, folder: string): Promise<void> {
  const shallow = (await git(['rev-parse', '--is-shallow-repository'])).toString('utf8').trim() === 'true';
  if (shallow) {
    throw new FairwayError(
      'config.invalid',
      `${folder} is a shallow clone, and the chain needs the whole history; run git fetch --unshallow and audit again.`,
    );
  }
  const settings = (await git(['config', '--list', '-z'])).toString('utf8').split('\0');
  if (settings.some((line) => /^(remote\..*\.promisor\ntrue|extensions\.partialclone\n)/i.test(line))) {
    throw new FairwayError(
      'config.invalid',
      `${folder} is a partial clone, which lacks files of the past; clone the repository without --filter and audit that.`,
    );
  }
}

/** That nothing is wrong with a repository of something else would be true, and no proof. */
async function refuseForeign(git: AuditGit, folder: string, commit: string): Promise<void> {
  const touched = (await git(['rev-list', '--max-count=1', commit, '--', 'models/'])).toString('utf8').trim();
  if (touched !== '') return;
  throw new FairwayError(
    'config.invalid',
    `${folder} never had a folder models/, so it is no GitOps repository of Fairway; name the folder of its clone.`,
  );
}

/** The branch as this clone knows it: its own, or that of origin. */
async function resolve(git: AuditGit, branch: string): Promise<{ readonly ref: string; readonly commit: string }> {
  const format = '--format=%(objectname) %(refname)';
  const refs = (await git(['for-each-ref', format, 'refs/heads/', 'refs/remotes/'])).toString('utf8').split('\n');
  for (const ref of [`refs/heads/${branch}`, `refs/remotes/origin/${branch}`]) {
    const commit = refs.find((line) => line.endsWith(` ${ref}`))?.split(' ')[0];
    if (commit !== undefined) return { ref, commit };
  }
  const known = refs.map((line) => line.split('/').slice(2).join('/')).filter((name) => name !== '');
  const which = known.length === 0 ? 'it has none at all' : `it has: ${known.slice(0, 10).join(', ')}`;
  throw new FairwayError('config.invalid', `There is no branch ${branch} to audit; ${which}. Name one with --branch.`);
}
