import { spawnSync } from 'node:child_process';
import { FairwayError } from '@fairway/core';

/** Where the sources are from. `revision` ends in `-dirty` when files differ from the commit. */
export type Source = {
  readonly revision: string;
  readonly dirty: boolean;
  /** ISO 8601, whole seconds. */
  readonly created: string;
  readonly url: string | undefined;
};
export type Asked = { readonly revision?: string | undefined; readonly source?: string | undefined };

/**
 * Revision and time of the checkout `root`: what was asked for and SOURCE_DATE_EPOCH (reproducible-builds.org) win over Git.
 * Throws `config.invalid` on what is no revision, time or address.
 */
export function sourceOf(root: string, asked: Asked, env: NodeJS.ProcessEnv): Source {
  const { revision: given, source: url } = asked;
  if (given !== undefined && !/^[0-9a-f]{7,64}$/.test(given)) {
    throw invalid(`--revision ${JSON.stringify(given)} is no commit id: give 7 to 64 hex digits in lower case.`);
  }
  const isAddress = url === undefined || /^https?:\/\/[^\s@]+$/.test(url);
  if (!isAddress) throw invalid('--source must be an http or https address of the repository, without a user in it.');
  const commit = given ?? git(root, 'rev-parse', 'HEAD');
  if (commit === undefined) throw invalid('This is no Git checkout: say the commit, as --revision SHA.');
  const dirty = given === undefined && git(root, 'status', '--porcelain') !== '';
  const seconds = env['SOURCE_DATE_EPOCH'] ?? git(root, 'log', '-1', '--format=%ct', commit) ?? '0';
  if (!/^\d{1,10}$/.test(seconds)) {
    throw invalid(`SOURCE_DATE_EPOCH ${JSON.stringify(seconds)} is no time: give seconds since 1970.`);
  }
  const created = new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z');
  return { revision: dirty ? `${commit}-dirty` : commit, dirty, created, url };
}

/** What git says, or undefined where it has nothing to say. */
function git(root: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const invalid = (sentence: string) => new FairwayError('config.invalid', sentence);
