import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ForeignCommit } from '../ports.ts';
import type { Mirror } from './mirror.ts';
import { OBJECT_ID } from './objects.ts';
import type { RunProgram } from './process.ts';

/** Most of what the mirror lacks that is got of a commit: who proposes from a fork has no right to write, nor to fill a disk. */
export const FOREIGN_MIB = 32;
/** `ulimit -f` counts blocks of so many bytes (POSIX, ulimit). */
const BLOCK = 512;
const BYTES = FOREIGN_MIB * 2 ** 20;
/** Git writes what it receives in pieces of 4 KiB, and does not say that it was stopped at the bound. */
const FULL = BYTES - 4_096;
/** 16 KB of deltas can stand for a gigabyte (tried), and the whole container would be killed for it. */
const MEMORY_KIB = 128 * 1_024;
/** Pushes wait meanwhile; to check 32 MiB of what is no bomb takes a second or two. */
const CPU_S = 20;
/** One thread, and blobs of any size held in memory, so that the bound on it is one on each object as well. */
const GIT = 'git -c pack.threads=1 -c core.bigFileThreshold=64g';
const BOUNDED = `ulimit -f ${BYTES / BLOCK} && ulimit -d ${MEMORY_KIB} && ulimit -t ${CPU_S} && exec ${GIT} "$@"`;
/** Bounds in the words of our own git, not of the remote's: on memory, and on processor time (SIGKILL, for there is no second, harder one). */
const STOPPED = /^(fatal: Out of memory|error: [\w-]+ died of signal (9|24)\b)/m;

/**
 * Gets a commit that somebody without a right to push may have made. The kernel stops git at the bound: no option of `git fetch` has one, and
 * its progress is told too late. What came lies aside until all of it is there, so that nothing stays of what was too large, as it came or
 * unpacked.
 */
export async function getForeign(mirror: Mirror, shell: RunProgram, commit: string): Promise<ForeignCommit> {
  if (!OBJECT_ID.test(commit)) return 'absent';
  const isHere = async () => (await mirror.reader.info(commit)) !== undefined;
  if (await isHere()) return 'here';
  const isTooLarge = await mirror.alone(async () => {
    const objects = join(mirror.folder, 'objects');
    const aside = await mkdtemp(join(objects, 'incoming-'));
    try {
      const env = { GIT_OBJECT_DIRECTORY: aside, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(objects) };
      const bounded: RunProgram = (folder, args, call) => shell(folder, ['-c', BOUNDED, 'sh', ...args], call);
      const fetched = await mirror.remote.fetchCommit(mirror.folder, commit, { run: bounded, env });
      if (fetched.code === 0) await adopt(join(aside, 'pack'), join(objects, 'pack'));
      return fetched.code !== 0 && (STOPPED.test(fetched.stderr) || (await largest(join(aside, 'pack'))) >= FULL);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  });
  if (isTooLarge) return { largerThanMib: FOREIGN_MIB };
  return (await isHere()) ? 'here' : 'absent';
}

/** As git reads a path that may hold a colon. */
const quoted = (path: string): string => `"${path.replaceAll(/["\\]/g, '\\$&')}"`;

async function largest(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return Math.max(0, ...sizes);
}

/** A pack counts from the moment its index is there. */
async function adopt(from: string, to: string): Promise<void> {
  const names = await readdir(from).catch(() => []);
  const last = (name: string) => Number(name.endsWith('.idx'));
  for (const name of names.sort((a, b) => last(a) - last(b))) await rename(join(from, name), join(to, name));
}
