import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { type Branches, branchTable } from './branches.ts';
import type { GitResult } from './environment.ts';
import { expectOk } from './failure.ts';
import { REPACK } from './mirror-folder.ts';
import { type Looked, looker, mirrorState } from './mirror-look.ts';
import { type ProgramCall, printedFields } from './process.ts';
import { type ObjectReader, objectReader } from './reader.ts';
import type { Remote } from './remote.ts';

export type Mirror = {
  readonly folder: string;
  readonly remote: Remote;
  /** Branches of the remote; all objects of what it names are here. */
  readonly branches: Pick<Branches, 'tip' | 'all' | 'moved'>;
  readonly reader: ObjectReader;
  /** undefined once the mirror is there; until then why not. */
  problem(): string | undefined;
  /** Looks at the remote unless a look began within the last `maxAgeMs`, in a burst a few seconds; who asks at the same time shares a look. */
  refresh(maxAgeMs?: number): Promise<void>;
  /** What the remote's HEAD pointed to. */
  defaultBranch(): string | undefined;
  /** The remote is not as it was seen: the next `refresh` looks in any case. */
  outdated(): void;
  /** Runs git on the object database; a non-zero exit is thrown with git's own words. */
  git(args: readonly string[], call?: ProgramCall): Promise<string>;
  /** The same, but a non-zero exit is an answer. */
  ask(args: readonly string[], call?: ProgramCall): Promise<GitResult>;
  /** Starts git on the object database, to read what it prints as it comes. */
  stream(args: readonly string[]): AsyncIterable<string>;
  /** Adopts a pack; many small ones are put together now and then. */
  addPack(pack: Buffer): Promise<void>;
  /** One at a time: what reads packs for long, and what takes packs away. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

export type MirrorSettings = Pick<Looked, 'git' | 'remote' | 'branch' | 'dataDir' | 'clock'>;

/** A reader looks through all packs for what it does not find in the first. */
const MAX_PACKS = 50;

/**
 * A warm bare mirror of the remote below `dataDir`, made at the first look and kept over restarts. It holds objects; which
 * branch is where is remembered from the last look, so that 5,000 branches cost no 5,000 files. One process owns it: locks
 * and half-written packs that an earlier one left when it was killed are removed before the first use.
 */
export function openMirror(settings: MirrorSettings): Mirror {
  const { git, remote } = settings;
  const folder = join(settings.dataDir, 'mirror.git');
  const state = mirrorState();
  const branches = branchTable();
  const alone = oneAtATime();
  const objects = objectReader(git, folder, (words) => state.damaged(words));
  const look = looker({ ...settings, folder, objects, branches, state, alone });
  const usable = async () => {
    if (state.format !== undefined) return folder;
    // The look itself would wait for itself.
    if (state.looking) throw new FairwayError('git.unavailable', `The Git mirror is not ready: ${state.problem}.`);
    await look(0);
    return folder;
  };
  const commands = commandsOn(settings, folder, usable, state.damaged);
  return {
    folder,
    remote,
    branches,
    reader: {
      ...objects,
      info: async (name) => (await usable(), objects.info(name)),
      contents: async (name, max, title) => (await usable(), objects.contents(name, max, title)),
    },
    ...commands,
    problem: () => (state.lookedAt === undefined ? state.problem : undefined),
    refresh: (maxAgeMs = 0) => look(maxAgeMs),
    defaultBranch: () => state.head,
    outdated: () => {
      state.stale = true;
    },
    addPack: async (pack) => {
      await commands.git(['index-pack', '--stdin', '--fix-thin'], { input: pack });
      state.packs += 1;
      if (state.packs <= MAX_PACKS) return;
      state.packs = 1;
      void alone(() => commands.ask(REPACK)).catch(() => {});
    },
    alone,
    close: async () => {
      await objects.close();
      git.stop();
    },
  };
}

function commandsOn(
  { git, remote }: MirrorSettings,
  folder: string,
  usable: () => Promise<string>,
  damaged: (words: string) => void,
): Pick<Mirror, 'git' | 'ask' | 'stream'> {
  const ask: Mirror['ask'] = async (args, call) => {
    try {
      const result = await git.run(await usable(), args, call);
      if (result.code !== 0) damaged(result.stderr);
      return result;
    } catch (error) {
      if (!existsSync(folder)) damaged('not a git repository any more');
      throw error;
    }
  };
  return {
    ask,
    git: async (args, call) => expectOk(remote.url, args, await ask(args, call)),
    stream: async function* (args) {
      yield* printedFields(git.start(await usable(), args));
    },
  };
}

function oneAtATime(): Mirror['alone'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
}
