import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { FairwayError } from '@fairway/core';
import { postgresHome } from '../stack/postgres/binaries.ts';

/** One thing a machine must have: ok with what was found, or a problem with its mend. */
export type Check = { readonly name: string; readonly ok: boolean; readonly text: string };

/** `git merge-tree --write-tree` came with 2.38. */
const GIT = [2, 38] as const;

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return { name: 'Node', ok, text: ok ? version : `Node ${version} is too old: install Node 20.19 or newer.` };
}

export function checkGit(): Check {
  const { status, stdout } = spawnSync('git', ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (status !== 0)
    return {
      name: 'git',
      ok: false,
      text: 'git was not found: install git 2.38 or newer and see that it is on the PATH.',
    };
  const ok = Number(major) > GIT[0] || (Number(major) === GIT[0] && Number(minor) >= GIT[1]);
  const found = stdout.trim().replace('git version ', '');
  return { name: 'git', ok, text: ok ? found : `git ${found} is too old: install git 2.38 or newer.` };
}

/** Each embedded pod and Service gets its own address in 127.0.0.0/8; Linux answers on all of them. */
export function checkLoopback(): Promise<Check> {
  const name = 'loopback addresses';
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () =>
      resolve({
        name,
        ok: false,
        text: '127.0.0.2 cannot be used: the embedded cluster needs the whole 127.0.0.0/8 range, as Linux has it.',
      }),
    );
    server.listen(0, '127.0.0.2', () => server.close(() => resolve({ name, ok: true, text: '127.0.0.0/8' })));
  });
}

export function checkPostgres(): Check {
  try {
    const { status, stdout, stderr } = spawnSync(`${postgresHome()}/bin/postgres`, ['--version'], { encoding: 'utf8' });
    const ok = status === 0;
    const problem = `The embedded PostgreSQL does not run here (${(stderr ?? '').trim().split('\n')[0]}): set DATABASE_URL to a PostgreSQL of yours.`;
    return { name: 'PostgreSQL', ok, text: ok ? stdout.trim() : problem };
  } catch (error) {
    return { name: 'PostgreSQL', ok: false, text: (error as Error).message };
  }
}

/** Throws the first unmet requirement of the embedded stack as a sentence. */
export async function requireMachine(databaseGiven: boolean): Promise<void> {
  const checks = [checkNode(), checkGit(), ...(databaseGiven ? [] : [checkPostgres()]), await checkLoopback()];
  const problem = checks.find(({ ok }) => !ok);
  if (problem) throw new FairwayError('machine.unfit', problem.text);
}
