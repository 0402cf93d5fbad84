import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryState } from './state.ts';

/** Saves the draft as it is so far; used where a step must be on disk before the next may happen. */
export type Save = () => Promise<void>;

/** The repositories on disk: `<owner>/<name>.git` (bare) beside `<owner>/<name>.json`. */
export type Store = {
  readonly root: string;
  all(): readonly RepositoryState[];
  get(owner: string, name: string): RepositoryState | undefined;
  directory(repository: Pick<RepositoryState, 'owner' | 'name'>): string;
  nextRepositoryId(): number;
  /** Adds a repository whose bare folder was prepared elsewhere; false when there is one of that name already. */
  add(state: RepositoryState, bare: string): Promise<boolean>;
  /**
   * Runs `step` on a private draft, one step per repository at a time; on return the draft is written (rename, so a kill leaves the old
   * or the new file) and becomes visible. When `step` throws, nothing since its last `save` happened.
   */
  change<T>(
    repository: Pick<RepositoryState, 'owner' | 'name'>,
    step: (draft: RepositoryState, save: Save) => Promise<T> | T,
  ): Promise<T>;
};

export async function openStore(root: string): Promise<Store> {
  await mkdir(root, { recursive: true });
  await sweep(root);
  const states = new Map<string, RepositoryState>();
  const inTurn = turns();
  for (const state of await load(root)) states.set(keyOf(state), state);

  const write = async (state: RepositoryState) => {
    await writeFile(`${fileOf(root, state)}.new`, JSON.stringify(state));
    await rename(`${fileOf(root, state)}.new`, fileOf(root, state));
    states.set(keyOf(state), state);
  };
  const current = (key: string) => {
    const state = states.get(key);
    if (!state) throw new Error(`no repository ${key}`);
    return state;
  };
  return {
    root,
    all: () => [...states.values()],
    get: (owner, name) => states.get(`${owner}/${name}`),
    directory: ({ owner, name }) => join(root, owner, `${name}.git`),
    nextRepositoryId: () => Math.max(0, ...[...states.values()].map(({ id }) => id)) + 1,
    add: (state, bare) =>
      inTurn(keyOf(state), async () => {
        if (states.has(keyOf(state))) return false;
        const target = join(root, state.owner, `${state.name}.git`);
        await mkdir(join(root, state.owner), { recursive: true });
        // A folder without its JSON file is what a kill during an earlier creation left.
        await rm(target, { recursive: true, force: true });
        await rename(bare, target);
        await write(state);
        return true;
      }),
    change: (repository, step) =>
      inTurn(keyOf(repository), async () => {
        const draft = structuredClone(current(keyOf(repository)));
        // The draft goes on being changed: what is seen meanwhile is a copy.
        const result = await step(draft, () => write(structuredClone(draft)));
        await write(draft);
        return result;
      }),
  };
}

/** Runs the steps of one key one after the other, whether they succeed or not. */
function turns(): <T>(key: string, step: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, Promise<unknown>>();
  return (key, step) => {
    const turn = (queues.get(key) ?? Promise.resolve()).then(step);
    queues.set(
      key,
      turn.catch(() => {}),
    );
    return turn;
  };
}

const keyOf = ({ owner, name }: Pick<RepositoryState, 'owner' | 'name'>) => `${owner}/${name}`;
const fileOf = (root: string, { owner, name }: Pick<RepositoryState, 'owner' | 'name'>) =>
  join(root, owner, `${name}.json`);

/**
 * Removes what a kill left behind: half-made repositories, and Git's lock files, which would refuse every later push. Nobody else writes
 * here; a push that outlived a killed forge loses its lock and fails, which nobody waits for any more.
 */
async function sweep(root: string): Promise<void> {
  for (const path of await readdir(root, { recursive: true })) {
    if (/^\.new-[^/\\]+$/.test(path) || /\.git[/\\](?!objects).*\.lock$/.test(path)) {
      await rm(join(root, path), { recursive: true, force: true });
    }
  }
}

async function load(root: string): Promise<RepositoryState[]> {
  const found: RepositoryState[] = [];
  for (const owner of await readdir(root, { withFileTypes: true })) {
    if (!owner.isDirectory() || owner.name.startsWith('.')) continue;
    for (const file of await readdir(join(root, owner.name))) {
      if (!file.endsWith('.json')) continue;
      found.push(JSON.parse(await readFile(join(root, owner.name, file), 'utf8')) as RepositoryState);
    }
  }
  return found.sort((a, b) => a.id - b.id);
}
