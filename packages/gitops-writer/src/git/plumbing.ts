import { spawn } from 'node:child_process';
import { FairwayError } from '@fairway/core';
import type { GitResult } from './environment.ts';

export type PlumbingCall = {
  /** Written to standard input. */
  readonly input?: string;
  /** Further GIT_* variables. */
  readonly env?: Readonly<Record<string, string>>;
};
export type Plumbing = (folder: string, args: readonly string[], call?: PlumbingCall) => Promise<GitResult>;

/**
 * Runs git on the object database: no network, no token. Not by simple-git, which waits 50 ms after each command that
 * prints nothing (13 against 5 ms for one that prints); a change takes some twenty of them.
 */
export function gitPlumbing(environment: Readonly<Record<string, string>>): Plumbing {
  return (folder, args, { input, env } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn('git', [...args], { cwd: folder, env: { ...environment, ...env } });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.once('error', (error: NodeJS.ErrnoException) => reject(notRunning(error)));
      child.once('close', (code) =>
        resolve({
          code: code ?? 128,
          stdout: Buffer.concat(out).toString('utf8'),
          stderr: Buffer.concat(err).toString('utf8'),
        }),
      );
      // A git that ends before it has read its input says why on stderr; the broken pipe adds nothing.
      child.stdin.on('error', () => {});
      child.stdin.end(input ?? '');
    });
}

function notRunning(error: NodeJS.ErrnoException): FairwayError {
  const mend = error.code === 'ENOENT' ? 'install git and put it on the PATH of the writer' : error.message;
  return new FairwayError('git.unavailable', `git cannot be run: ${mend}.`, { cause: error });
}
