import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@fairway/core';
import { gitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import { fillRepository, git, modelName } from './repository.ts';

const ASKED = 21;

/** Milliseconds (p50) for "does this revision still contain that change?" over `commits` later commits, on a warm mirror. */
export async function livenessOver(commits: number, environment: Readonly<Record<string, string>>): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  const remote = join(dir, 'remote.git');
  try {
    git(dir, ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
    fillRepository(remote, { models: 5_000, environments: 1, commits: commits + ASKED });
    const url = `file://${remote}`;
    const { mirror, history } = gitEngine({
      access: { url, credentials: () => Promise.resolve(undefined) },
      branch: 'main',
      dataDir: join(dir, 'data'),
      person: { name: 'bench', email: 'bench@example.com' },
      clock: systemClock,
      path: environment['PATH'],
    });
    await mirror.refresh();
    const head = git(remote, ['rev-parse', 'main']);
    const times: number[] = [];
    for (let i = 0; i < ASKED; i++) {
      const merge = git(remote, ['rev-parse', `main~${commits + i}`]);
      const began = performance.now();
      // No later commit touches this model.
      const { kind } = await history.relation(merge, head, `models/${modelName(4_990)}`);
      times.push(performance.now() - began);
      if (kind !== 'contains') throw new Error(`expected contains, got ${kind}`);
    }
    await mirror.close();
    return Math.round(times.sort((a, b) => a - b)[Math.floor(ASKED / 2)] ?? Number.NaN);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
