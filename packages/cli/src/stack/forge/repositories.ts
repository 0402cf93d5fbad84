import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '../web/http.ts';
import { type Forge, now, type Repository, signature } from './forge.ts';
import type { Git } from './git.ts';
import { branches, writeCommit } from './objects.ts';
import { newRepository } from './state.ts';
import type { User } from './users.ts';

export type NewRepository = {
  readonly name: string;
  readonly description: string;
  readonly autoInit: boolean;
  readonly defaultBranch: string;
};

/** Settings of every bare repository: partial clones as Gitea allows them, pushes over HTTP, no background work that outlives us, `refs/pull` ours alone. */
const CONFIG = [
  ['http.receivepack', 'true'],
  ['uploadpack.allowFilter', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['receive.autogc', 'false'],
  ['gc.auto', '0'],
  ['receive.hideRefs', 'refs/pull'],
  ['core.logAllRefUpdates', 'true'],
] as const;

/** Makes a bare repository aside and puts it in place whole; 409 when the name is taken, 422 when it is no name. */
export async function createRepository(forge: Forge, owner: User, wanted: NewRepository): Promise<Repository> {
  if (!/^[A-Za-z0-9_][\w.-]{0,99}$/.test(wanted.name) || /\.(git|json|wiki)$/.test(wanted.name)) {
    refuse(
      422,
      `[Name]: ${JSON.stringify(wanted.name.slice(0, 100))} is not usable: letters, digits, "-", "_" and "." only.`,
    );
  }
  if (!/^[A-Za-z0-9][\w./-]{0,200}$/.test(wanted.defaultBranch)) refuse(422, '[DefaultBranch]: is not a branch name.');
  const taken = () => refuse(409, 'The repository with the same name already exists.');
  if (forge.store.get(owner.name, wanted.name)) taken();

  const aside = await mkdtemp(join(forge.store.root, '.new-'));
  try {
    const bare = join(aside, 'bare.git');
    const branch = `--initial-branch=${wanted.defaultBranch}`;
    await forge.gitAt(aside).run(['init', '--quiet', '--bare', branch, '--template=', bare]);
    const inside = forge.gitAt(bare);
    for (const [key, value] of CONFIG) await inside.run(['config', key, value]);
    if (wanted.autoInit) await firstCommit(forge, inside, owner, wanted);
    const state = newRepository({ id: forge.store.nextRepositoryId(), owner: owner.name, ...pick(wanted) }, now(forge));
    state.heads = await branches(inside);
    if (!(await forge.store.add(state, bare))) taken();
    return state;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

const pick = ({ name, description, defaultBranch }: NewRepository) => ({ name, description, defaultBranch });

async function firstCommit(forge: Forge, git: Git, owner: User, { name, description, defaultBranch }: NewRepository) {
  const readme = [`# ${name}`, description].filter((line) => line !== '').join('\n\n');
  const file = await git.text(['hash-object', '-w', '--stdin'], { input: `${readme}\n` });
  const tree = await git.text(['mktree'], { input: `100644 blob ${file}\tREADME.md\n` });
  const by = signature(forge, owner);
  const commit = await writeCommit(git, { tree, parents: [], author: by, committer: by, message: 'Initial commit\n' });
  await git.run(['update-ref', `refs/heads/${defaultBranch}`, commit]);
}
