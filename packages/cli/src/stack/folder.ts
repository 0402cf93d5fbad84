import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FairwayError, processStart } from '@fairway/core';
import { awaitLeftovers } from './leftovers.ts';
import { dataPlace } from './postgres/binaries.ts';

/** What a running stack writes for the other commands; holds tokens, so mode 0600. */
export type StackState = {
  readonly pid: number;
  /** Start time of that pid in its kernel's own words: a pid alone may have been given to another program. */
  readonly started: string;
  readonly processes: Readonly<Record<string, { url: string | null; pid: number | null }>>;
  /** Queue of capture packs, with its password. */
  readonly queue?: { readonly url: string; readonly prefix: string };
  readonly tokens: {
    readonly writer: string;
    readonly monitor: string;
    readonly person: string;
    readonly kube: string;
  };
};

const NEEDED_BYTES = 300 * 1024 * 1024;
/** Below this PostgreSQL can no longer write its log. */
const FULL_BYTES = 20 * 1024 * 1024;
const stateFile = (dir: string) => join(dir, 'state.json');
const lockFile = (dir: string) => join(dir, 'lock.json');

/** The folder of a stack that runs, or undefined: nothing there, or left behind by a killed one. */
export function readState(dir: string): StackState | undefined {
  try {
    const state = JSON.parse(readFileSync(stateFile(dir), 'utf8')) as StackState;
    return processStart(state.pid) === state.started ? state : undefined;
  } catch {
    return undefined;
  }
}

export function writeState(dir: string, state: StackState): void {
  const partial = `${stateFile(dir)}.new`;
  writeFileSync(partial, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(partial, stateFile(dir));
}

export type Claim = { readonly dir: string; release(): void };

/**
 * Takes a folder for one stack at a time. A lock whose process is gone (killed) is taken over once that stack's own
 * processes have ended too.
 */
export async function claimFolder(path: string): Promise<Claim> {
  const dir = resolve(path);
  makeFolder(dir);
  const mine = JSON.stringify({ pid: process.pid, started: processStart(process.pid) });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(lockFile(dir), mine, { flag: 'wx', mode: 0o600 });
      checkSpace(dir);
      return { dir, release: () => rmSync(lockFile(dir), { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (ownerRuns(dir)) throw busy(dir);
      rmSync(lockFile(dir), { force: true });
      await awaitLeftovers(dir);
    }
  }
  throw busy(dir);
}

/** The first of `<path>`, `<path>-2`, `<path>-3` … that no other stack uses. */
export async function claimFreeFolder(path: string): Promise<Claim> {
  for (let n = 1; n < 50; n++) {
    try {
      return await claimFolder(n === 1 ? path : `${path}-${n}`);
    } catch (error) {
      if (!(error instanceof FairwayError && error.detail.busy === true)) throw error;
    }
  }
  throw busy(path);
}

/** Empties a claimed folder except for its lock. */
export function emptyFolder({ dir }: Claim): void {
  rmSync(dataPlace(join(dir, 'postgres')), { recursive: true, force: true });
  for (const name of readdirSync(dir)) {
    if (join(dir, name) !== lockFile(dir)) rmSync(join(dir, name), { recursive: true, force: true });
  }
}

/** Removes a claimed folder with all it holds. */
export function removeFolder(claim: Claim): void {
  rmSync(dataPlace(join(claim.dir, 'postgres')), { recursive: true, force: true });
  rmSync(claim.dir, { recursive: true, force: true });
}

function busy(dir: string): FairwayError {
  return new FairwayError(
    'stack.failed',
    `Another Fairway stack runs in ${dir}: stop it, or choose another folder with --dir.`,
    {
      detail: { busy: true },
    },
  );
}

function ownerRuns(dir: string): boolean {
  try {
    const owner = JSON.parse(readFileSync(lockFile(dir), 'utf8')) as { pid: number; started: string };
    return processStart(owner.pid) === owner.started;
  } catch {
    // Torn or gone: nobody who runs holds it.
    return false;
  }
}

function makeFolder(dir: string): void {
  try {
    makeFolders(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FairwayError('machine.unfit', `The folder ${dir} cannot be made (${code}): choose another with --dir.`);
  }
}

/** Folder by folder: node's `recursive` never ends where a file system says ENOENT to every new folder, as /proc does. */
function makeFolders(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o755 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(dir))) throw error;
    makeFolders(dirname(dir));
    makeFolders(dir);
  }
}

const freeBytes = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
};

/** What failed on a full disk failed because of it: then that is the error; otherwise the given one is. */
export function explainBySpace(dir: string, error: unknown): unknown {
  if (freeBytes(dir) > FULL_BYTES) return error;
  return new FairwayError('disk.full', `There is no space left on the disk at ${dir}: free some and start again.`, {
    cause: error,
  });
}

function checkSpace(dir: string): void {
  const free = freeBytes(dir);
  if (free >= NEEDED_BYTES || existsSync(join(dir, 'postgres'))) return;
  rmSync(lockFile(dir), { force: true });
  if (readdirSync(dir).length === 0) rmSync(dir, { recursive: true });
  throw new FairwayError(
    'disk.full',
    `Only ${Math.floor(free / 1024 / 1024)} MB are free at ${dir}, and a stack needs ${NEEDED_BYTES / 1024 / 1024} MB: free some, or choose another folder with --dir.`,
  );
}
