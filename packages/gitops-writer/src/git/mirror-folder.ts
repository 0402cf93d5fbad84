import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import { expectOk } from './failure.ts';
import type { ObjectFormat } from './objects.ts';
import type { RunProgram } from './process.ts';

/** What belongs to one mirror: another remote, or another kind of it, is another mirror. */
export type MirrorKind = { readonly url: string; readonly branch: string; readonly format: ObjectFormat };

/**
 * A mirror can be made again from the remote, so it is not worth an fsync. Packs stay packs, so that a fetch that is killed
 * leaves all of itself or nothing. Housekeeping in the background would outlive us and lock refs. A push of up to 8 MiB goes
 * out as one plain request, because some proxies refuse chunked ones.
 */
const SETTINGS = `[gc]
	auto = 0
[maintenance]
	auto = false
[core]
	fsync = none
	logAllRefUpdates = false
[fetch]
	unpackLimit = 1
[http]
	postBuffer = 8388608
`;

/** `cat-file --batch-command` is of 2.36, `merge-tree --write-tree` of 2.38. */
const OLDEST = [2, 38] as const;

export async function checkGit(run: RunProgram, folder: string): Promise<void> {
  const { stdout } = await run(folder, ['--version']);
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  const [first, second] = OLDEST;
  if (Number(major) > first || (Number(major) === first && Number(minor) >= second)) return;
  const found = stdout.trim() || 'no version';
  throw new FairwayError(
    'machine.unfit',
    `Fairway needs git ${OLDEST.join('.')} or newer, and found ${found}; update git.`,
  );
}

/** Takes an earlier mirror over, or makes an empty one: whole or not at all. */
export async function prepareFolder(run: RunProgram, folder: string, kind: MirrorKind, anew: boolean): Promise<void> {
  if (existsSync(folder)) {
    await removeRemains(folder);
    if (!anew && (await isUsable(run, folder, kind))) return;
    // Another repository, or a mirror that is broken: it holds nothing that the remote does not.
    await rm(folder, { recursive: true, force: true });
  }
  const half = `${folder}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true });
  const init = ['init', '--quiet', '--bare', `--object-format=${kind.format}`, '--template=', '.'];
  expectOk(kind.url, init, await run(half, init));
  await appendFile(join(half, 'config'), SETTINGS);
  const name = ['config', 'fairway.url', kind.url];
  expectOk(kind.url, name, await run(half, name));
  await rename(half, folder);
}

async function isUsable(run: RunProgram, folder: string, { url, branch, format }: MirrorKind): Promise<boolean> {
  const known = await run(folder, ['config', '--get', 'fairway.url']);
  if (known.stdout.trim() !== url) return false;
  const kind = await run(folder, ['rev-parse', '--show-object-format']);
  if (kind.stdout.trim() !== format) return false;
  const ref = await run(folder, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]);
  if (ref.code !== 0) return true;
  return (await run(folder, ['cat-file', '-e', `${ref.stdout.trim()}^{tree}`])).code === 0;
}

/** What a killed git leaves: locks, half-written objects and packs, packs that nobody may put together. */
async function removeRemains(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    const isRemain = /\.(lock|keep)$|(^|\/)tmp_|(^|\/)incoming-/.test(name);
    if (isRemain) await rm(join(folder, name), { recursive: true, force: true });
  }
}

export async function countPacks(folder: string): Promise<number> {
  const names = await readdir(join(folder, 'objects', 'pack'));
  return names.filter((name) => name.endsWith('.pack')).length;
}

/**
 * Puts small packs together; what is in them stays, for a commit may be written long before its branch. Large objects are taken over as they
 * are: comparing ten of them on each processor would want a gigabyte, and a fork may have sent them.
 */
const TAKEN_OVER = ['-c', 'core.bigFileThreshold=4m', '-c', 'pack.windowMemory=32m'];
export const REPACK: readonly string[] = [...TAKEN_OVER, 'repack', '-d', '--geometric=2', '--quiet'];
