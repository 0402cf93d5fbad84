import { mkdir } from 'node:fs/promises';
import { batched, type Clock, FairwayError } from '@fairway/core';
import type { Branches } from './branches.ts';
import { isBroken, placeOf } from './failure.ts';
import { checkGit, countPacks, prepareFolder } from './mirror-folder.ts';
import { formatOf, type ObjectFormat } from './objects.ts';
import type { Program } from './process.ts';
import type { ObjectReader } from './reader.ts';
import type { Heads, Remote } from './remote.ts';

/** What a look works on. */
export type Looked = {
  readonly git: Program;
  readonly remote: Remote;
  /** The branch that everything is based on. */
  readonly branch: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly folder: string;
  readonly objects: ObjectReader;
  readonly branches: Branches;
  readonly state: MirrorState;
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
};

export type MirrorState = ReturnType<typeof mirrorState>;

export function mirrorState() {
  const state = {
    /** Of the folder, once it is there and sound. */
    format: undefined as ObjectFormat | undefined,
    /** The folder is to be made anew. */
    broken: false,
    looking: false,
    stale: false,
    problem: 'the GitOps repository has not been mirrored yet',
    lookedAt: undefined as number | undefined,
    /** How many waited for the last look. */
    shared: 0,
    head: undefined as string | undefined,
    packs: 0,
    damaged: (words: string) => {
      if (!isBroken(words)) return;
      state.format = undefined;
      state.broken = true;
      state.lookedAt = undefined;
      state.problem = 'the Git mirror was damaged and is made again';
    },
  };
  return state;
}

/** So many who wait for one look are a burst, and its looks may be older: another look each second took a tenth of all git. */
const BURST = 16;
const BURST_AGE_MS = 5_000;

/**
 * Looks at the remote unless a look began within the last `maxAgeMs`, in a burst a few seconds; 0 looks in any case. Who asks while a
 * look runs shares the next one.
 */
export function looker(looked: Looked): (maxAgeMs: number) => Promise<void> {
  const { state, branches, clock } = looked;
  const look = async () => {
    const began = clock.now();
    state.looking = true;
    branches.lookBegins();
    try {
      const heads = await lookAt(looked);
      branches.lookEnds(heads.branches);
      state.head = heads.head;
      state.lookedAt = began;
      state.stale = false;
    } catch (error) {
      state.problem = (error as Error).message;
      throw error;
    } finally {
      state.looking = false;
    }
  };
  const looking = batched<undefined, undefined>({ max: Number.MAX_SAFE_INTEGER }, async (items) => {
    await look();
    state.shared = items.length;
    return items.map(() => ({ value: undefined }));
  });
  return async (maxAgeMs) => {
    const { lookedAt, stale, shared } = state;
    const mostMs = maxAgeMs > 0 && shared >= BURST ? Math.max(maxAgeMs, BURST_AGE_MS) : maxAgeMs;
    if (lookedAt === undefined || stale || clock.now() - lookedAt >= mostMs) await looking(undefined);
  };
}

/** Makes the mirror fit the remote: prepared, and with every commit that a branch names. */
async function lookAt(looked: Looked): Promise<Heads> {
  const { git, remote, branch, dataDir, folder, state, alone } = looked;
  await mkdir(dataDir, { recursive: true });
  if (state.format === undefined) await checkGit(git.run, dataDir);
  let heads = await remote.heads(dataDir);
  const [one] = heads.branches.values();
  if (one === undefined) throw emptyRepository(remote.url, branch);
  if (state.format !== formatOf(one)) await prepare(looked, formatOf(one));
  // A branch that is moved by force between look and fetch is not there under the id that was seen.
  for (let i = 0; i < 3; i++) {
    const missing = await missingOf(heads, looked);
    if (missing.length === 0) return heads;
    if (i > 0) heads = await remote.heads(folder);
    const wanted = missing.filter((name) => heads.branches.has(name));
    if (wanted.length > 0) await alone(() => remote.fetch(folder, wanted, branch));
    state.packs += 1;
  }
  const message = `The branches of ${placeOf(remote.url)} move faster than they can be read.`;
  throw new FairwayError('git.unavailable', message);
}

async function prepare({ git, remote, branch, folder, objects, branches, state }: Looked, format: ObjectFormat) {
  await prepareFolder(git.run, folder, { url: remote.url, branch, format }, state.broken);
  // What was known of the folder before is not to be believed.
  branches.lookEnds(new Map());
  objects.renew();
  state.packs = await countPacks(folder);
  state.broken = false;
  state.format = format;
}

/** Branches whose commit is not here; those that are where they were need no question. */
async function missingOf({ branches: seen }: Heads, { objects, branches }: Looked): Promise<string[]> {
  const moved = [...seen].filter(([name, id]) => branches.tip(name) !== id);
  const found = await Promise.all(moved.map(async ([name, id]) => ({ name, info: await objects.info(id) })));
  return found.filter(({ info }) => info === undefined).map(({ name }) => name);
}

function emptyRepository(url: string, branch: string): FairwayError {
  return new FairwayError(
    'git.unavailable',
    `The GitOps repository at ${placeOf(url)} is empty; make its first commit, with models/<model>/model.yaml, and push it to branch ${branch}.`,
  );
}
