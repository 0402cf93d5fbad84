import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError, redact, urlOrigin } from '@fairway/core';
import type { Git, GitResult } from './run.ts';

export type Mirror = {
  readonly folder: string;
  /** undefined once the mirror is there; until then why not. */
  problem(): string | undefined;
  /** Looks at the remote; calls at the same time share one look. */
  refresh(): Promise<void>;
  /** Runs git in the mirror; a non-zero exit is thrown as `git.unavailable` with git's own words. */
  git(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<string>;
  /** The same, but a non-zero exit is an answer. */
  ask(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<GitResult>;
};

/**
 * A warm bare mirror of the remote below `dataDir`, cloned at the first look and kept over restarts. One process owns it:
 * locks that an earlier one left when it was killed are removed before the first use.
 */
export function openMirror(run: Git, url: string, dataDir: string): Mirror {
  const folder = join(dataDir, 'mirror.git');
  let ready = false;
  let problem = 'the GitOps repository has not been mirrored yet';
  let looking: Promise<void> | undefined;

  const ask: Mirror['ask'] = (args, options = {}) => run(args, { folder, ...options });
  const git: Mirror['git'] = async (args, options) => {
    const result = await ask(args, options);
    if (result.code === 0) return result.stdout;
    throw unavailable(url, args[0], result.stderr);
  };
  const look = async () => {
    try {
      if (!ready) await prepare(run, url, dataDir, folder);
      await git(['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', 'origin']);
      ready = true;
    } catch (error) {
      problem = (error as Error).message;
      throw error;
    }
  };
  return {
    folder,
    problem: () => (ready ? undefined : problem),
    refresh: () => (looking ??= look().finally(() => (looking = undefined))),
    git,
    ask,
  };
}

async function prepare(run: Git, url: string, dataDir: string, folder: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  if (existsSync(folder)) {
    const known = await run(['config', '--get', 'remote.origin.url'], { folder });
    if (known.stdout.trim() === url) return removeLocks(folder);
    // Another repository, or a mirror that is broken: it holds nothing that the remote does not.
    await rm(folder, { recursive: true, force: true });
  }
  const half = `${folder}.new`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half);
  const settings = [
    ['init', '--quiet', '--bare', '.'],
    ['config', 'remote.origin.url', url],
    ['config', 'remote.origin.fetch', '+refs/heads/*:refs/heads/*'],
    // Housekeeping in the background would outlive us and lock refs.
    ['config', 'gc.autoDetach', 'false'],
  ];
  for (const args of settings) {
    const { code, stderr } = await run(args, { folder: half });
    if (code !== 0) throw unavailable(url, args[0], stderr);
  }
  await rename(half, folder);
}

async function removeLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.lock')) await rm(join(folder, name), { force: true });
  }
}

/** A sentence for a git that failed on the way to or from the remote. */
export function unavailable(url: string, command: string | undefined, stderr: string): FairwayError {
  const words = redact(stderr.trim().split('\n').at(-1) ?? '') || 'git gave no reason';
  if (/No space left on device/i.test(stderr)) {
    return new FairwayError(
      'disk.full',
      `git ${command ?? ''} found no space left on the disk of DATA_DIR; free some.`,
    );
  }
  return new FairwayError('git.unavailable', `git ${command ?? ''} failed for ${urlOrigin(url)}: ${words}`);
}
