import type { AuditGit } from './git.ts';
import type { Commit } from './history.ts';
import type { Finding } from './report.ts';

/** What git's verdict about a signature means (`%G?`, the check of `git verify-commit`); a good one is not here. */
const VERDICTS: Readonly<Record<string, string>> = {
  N: 'is not signed',
  B: 'has a bad signature',
  U: 'is signed by a key that is not trusted here',
  X: 'has a signature that has expired',
  Y: 'is signed by a key that has expired',
  R: 'is signed by a key that was revoked',
  E: 'has a signature that cannot be checked here (is the key known to git?)',
};

/** The commits that carry changes and whose signature git does not accept, by one run of git. */
export async function signatureFindings(git: AuditGit, changes: ReadonlyMap<string, Commit>): Promise<Finding[]> {
  if (changes.size === 0) return [];
  const ids = [...changes.values()].map(({ id }) => id).join('\n');
  const out = await git(['log', '--no-walk=unsorted', '--stdin', '--format=%H %G?', '--no-notes'], `${ids}\n`);
  const verdicts = new Map(
    out
      .toString('utf8')
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  return [...changes].flatMap(([change, { id, author, date }]) => {
    const wrong = VERDICTS[verdicts.get(id) ?? 'N'];
    if (wrong === undefined) return [];
    const message = `Commit ${id}, which carries change ${change}, ${wrong}.`;
    return [{ kind: 'signature' as const, commit: id, author, date, paths: [], message, change }];
  });
}
