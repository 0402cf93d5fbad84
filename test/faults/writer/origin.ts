import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '../../integration/writer/world.ts';

/** The GitOps repository as the forge has it on disk, and every push to it from now on. */
export type Origin = {
  head(): Promise<string>;
  /** A file of the default branch; undefined: there is none. */
  read(path: string): Promise<string | undefined>;
  /** Paths below a folder of the default branch. */
  list(folder: string): Promise<readonly string[]>;
  /** Commits of the default branch itself after one of them, newest first: their subjects. */
  since(commit: string): Promise<readonly string[]>;
  branches(): Promise<readonly string[]>;
  /** What was pushed to a branch, in order. */
  pushes(branch: string): ReadonlyArray<'create' | 'update' | 'delete'>;
};

const NOTHING = /^0+$/;

export function originOf(world: World): Origin {
  const bare = join(world.dir, 'data', 'repositories', `${world.repository.full}.git`);
  const told = join(world.dir, 'pushes');
  mkdirSync(join(bare, 'hooks'), { recursive: true });
  writeFileSync(join(bare, 'hooks', 'post-receive'), `#!/bin/sh\ncat >>'${told}'\n`, { mode: 0o755 });
  const git = (...args: string[]) => world.git.run(bare, ['-c', 'safe.directory=*', ...args]);
  const linesOf = async (...args: string[]) => {
    const { code, out, err } = await git(...args);
    if (code !== 0) throw new Error(`git ${args.join(' ')}: ${err}`);
    return out.split('\n').filter((line) => line !== '');
  };
  return {
    head: async () => (await linesOf('rev-parse', 'main'))[0] ?? '',
    read: async (path) => {
      const { code, out } = await git('show', `main:${path}`);
      return code === 0 ? out : undefined;
    },
    list: (folder) => linesOf('ls-tree', '-r', '--name-only', 'main', '--', folder),
    since: (commit) => linesOf('log', '--first-parent', '--format=%s', `${commit}..main`),
    branches: () => linesOf('for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads'),
    pushes: (branch) =>
      (existsSync(told) ? readFileSync(told, 'utf8') : '')
        .split('\n')
        .map((line) => line.split(' '))
        .filter(([, , ref]) => ref === `refs/heads/${branch}`)
        .map(([before = '', after = '']) =>
          NOTHING.test(before) ? 'create' : NOTHING.test(after) ? 'delete' : 'update',
        ),
  };
}
