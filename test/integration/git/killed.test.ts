import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import type { Repository } from '../../../packages/gitops-writer/src/ports/git.ts';
import { type BareRemote, bareRemote, DATE } from './support.ts';

let remote: BareRemote;
beforeEach(() => {
  remote = bareRemote();
});
afterEach(() => remote.remove());

/** Starts a writer on the mirror and kills it at the `nth` word that it says. */
async function killAt(nth: number): Promise<void> {
  const argv = await runnable(fileURLToPath(new URL('../../harness/git-writer-main.ts', import.meta.url)));
  const child = fork(argv.at(-1) ?? '', [remote.url, join(remote.dir, 'data')], {
    execArgv: argv.slice(0, -1),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let words = 0;
  child.on('message', () => {
    words += 1;
    if (words === nth) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  expect(words).toBeGreaterThanOrEqual(nth);
}

/**
 * Pushes a new branch. The remote's own half of a push outlives a killed writer for a moment (`git receive-pack` is told nothing
 * of it) and may make the branch first: a race, after which the branch is read again.
 */
async function pushed(repository: Repository, branch: string, commit: string): Promise<void> {
  try {
    await repository.push(branch, commit, undefined);
  } catch (error) {
    expect(error).toMatchObject({ code: 'git.race' });
    expect(await repository.branch(branch)).toBe(commit);
  }
}

it('goes on after kills between asking, writing and pushing, with nothing left of the halves', async () => {
  // 20 are asked, then written, then pushed: kills before, in and after each, and in the second round.
  for (const nth of [1, 20, 30, 41, 59, 60, 85, 110]) {
    await killAt(nth);
    const { repository, mirror } = remote.engine();
    const parent = await repository.head(0);
    // The killed writer's own git may live for a moment longer, and takes its halves away itself.
    await expect
      .poll(() =>
        readdirSync(mirror.folder, { recursive: true }).filter((name) => /\.lock$|(^|\/)tmp_/.test(String(name))),
      )
      .toEqual([]);
    const wanted = Array.from({ length: 40 }, (_, n) => ({
      parent,
      folders: [`models/m${n}`],
      files: [{ path: `models/m${n}/a.yaml`, text: `${n}\n` }],
      message: `${n}\n`,
      date: DATE,
    }));
    await Promise.all(
      wanted.map(async (request, n) => {
        const commit = await repository.commit(request);
        const there = await repository.branch(`b${n}`);
        // A branch is not there, or it is whole: the very commit that the request makes.
        expect([undefined, commit]).toContain(there);
        if (there === undefined) await pushed(repository, `b${n}`, commit);
        expect(await repository.carries(commit, request)).toBe(true);
      }),
    );
    expect(await mirror.git(['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n');
    expect(await mirror.git(['fsck', '--connectivity-only', '--no-dangling'])).toBe('');
    await mirror.close();
    const branches = remote.git(['for-each-ref', '--format=%(refname:short)', 'refs/heads/b*']).split('\n');
    for (const branch of branches) remote.git(['update-ref', '-d', `refs/heads/${branch}`]);
  }
});
