import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError, redact, urlOrigin } from '@fairway/core';
import type { GitResult } from './environment.ts';
import type { Plumbing, PlumbingCall } from './plumbing.ts';
import type { Remote } from './remote.ts';

export type Mirror = {
  readonly folder: string;
  /** undefined once the mirror is there; until then why not. */
  problem(): string | undefined;
  /** Looks at the remote; calls at the same time share one look. */
  refresh(): Promise<void>;
  /** Runs git on the object database; a non-zero exit is thrown as `git.unavailable` with git's own words. */
  git(args: readonly string[], call?: PlumbingCall): Promise<string>;
  /** The same, but a non-zero exit is an answer. */
  ask(args: readonly string[], call?: PlumbingCall): Promise<GitResult>;
  push(args: readonly string[]): Promise<GitResult>;
};

export type MirrorSettings = {
  readonly plumbing: Plumbing;
  readonly remote: Remote;
  readonly url: string;
  readonly dataDir: string;
};

/**
 * A warm bare mirror of the remote below `dataDir`, made at the first look and kept over restarts. One process owns it:
 * locks that an earlier one left when it was killed are removed before the first use.
 */
export function openMirror({ plumbing, remote, url, dataDir }: MirrorSettings): Mirror {
  const folder = join(dataDir, 'mirror.git');
  let ready = false;
  let problem = 'the GitOps repository has not been mirrored yet';
  let looking: Promise<void> | undefined;

  const ask: Mirror['ask'] = (args, call) => plumbing(folder, args, call);
  const git: Mirror['git'] = async (args, call) => expectOk(url, args, await ask(args, call));
  const look = async () => {
    try {
      if (!ready) await prepare(plumbing, url, dataDir, folder);
      // The probe costs a third of a fetch, and mostly there is nothing new.
      const heads = ['ls-remote', '--heads', 'origin'];
      const theirs = parseRefs(expectOk(url, heads, await remote(folder, heads)));
      const ours = parseRefs(await git(['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/']));
      const fetch = ['fetch', '--prune', '--no-tags', '--no-write-fetch-head', 'origin'];
      if (theirs !== ours) expectOk(url, fetch, await remote(folder, fetch));
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
    push: (args) => remote(folder, ['push', '--porcelain', '--atomic', '--no-verify', ...args]),
  };
}

async function prepare(plumbing: Plumbing, url: string, dataDir: string, folder: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  if (existsSync(folder)) {
    const known = await plumbing(folder, ['config', '--get', 'remote.origin.url']);
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
  for (const args of settings) expectOk(url, args, await plumbing(half, args));
  await rename(half, folder);
}

async function removeLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.lock') || name.startsWith('fairway-index-')) await rm(join(folder, name), { force: true });
  }
}

/** `<id> <ref>` lines in one order, so that two listings can be compared. */
const parseRefs = (listing: string): string =>
  listing
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace('\t', ' '))
    .sort()
    .join('\n');

function expectOk(url: string, [command = '']: readonly string[], { code, stdout, stderr }: GitResult): string {
  if (code === 0) return stdout;
  if (/No space left on device/i.test(stderr)) {
    throw new FairwayError('disk.full', `git ${command} found no space left on the disk of DATA_DIR; free some.`);
  }
  const words = redact(stderr.trim().split('\n').at(-1) ?? '') || 'git gave no reason';
  throw new FairwayError('git.unavailable', `git ${command} failed for ${urlOrigin(url)}: ${words}`);
}
