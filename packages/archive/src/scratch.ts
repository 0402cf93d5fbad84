import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Clock, processStart } from '@fairway/core';

/** `unpack-<host>-<pid>-<start of the process>-<random>`: whose it is can be told from the name alone, whenever it was killed. */
const NAME = /^unpack-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-/;

/** Of another host we cannot tell whether its process lives; no unpacking takes a day. */
const FOREIGN_MS = 24 * 3_600_000;

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);
const host = (): string => short(hostname());
const startOf = (pid: number): string | undefined => {
  const started = processStart(pid);
  return started === undefined ? undefined : short(started);
};

/** A new folder below `scratch` that only we may enter. `remove` any number of times. */
export async function privateFolder(scratch: string): Promise<{ folder: string; remove: () => Promise<void> }> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const owner = `${host()}-${process.pid}-${startOf(process.pid) ?? short('')}`;
  const folder = await mkdtemp(join(scratch, `unpack-${owner}-`));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Removes what killed processes left below `scratch`, and answers how many folders; what lives, and other files, stay. */
export async function sweepScratch(scratch: string, clock: Clock): Promise<number> {
  const names = await readdir(scratch).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  let removed = 0;
  for (const name of names) {
    if (!(await isLeft(join(scratch, name), name, clock))) continue;
    await rm(join(scratch, name), { recursive: true, force: true });
    removed++;
  }
  return removed;
}

async function isLeft(folder: string, name: string, clock: Clock): Promise<boolean> {
  const [, on, pid, start] = NAME.exec(name) ?? [];
  if (on === undefined || pid === undefined || start === undefined) return false;
  if (on === host()) return startOf(Number(pid)) !== start;
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && clock.now() - found.mtimeMs > FOREIGN_MS;
}
