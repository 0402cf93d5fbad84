import { FairwayError, redact } from '@fairway/core';
import { simpleGit } from 'simple-git';
import { credentials, type GitAccess, type GitResult } from './environment.ts';

export type Remote = (folder: string, args: readonly string[]) => Promise<GitResult>;

/** A silent git is killed: a remote that hangs must not hold a turn for ever. */
const SILENCE_MS = 60_000;

/** Runs the git commands that talk to the remote; only they get the token. */
export function gitRemote(environment: Readonly<Record<string, string>>, access: GitAccess): Remote {
  const env = { ...environment, ...credentials(access) };
  return async (folder, args) => {
    let refusal: GitResult | undefined;
    const git = simpleGit({
      baseDir: folder,
      timeout: { block: SILENCE_MS },
      allowEnvironment: Object.keys(env),
      unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeConfigPaths: true },
      // Without this handler a non-zero exit with an empty stderr would count as success.
      errors: (error, { exitCode, stdOut, stdErr }) => {
        if (exitCode === 0) return error;
        refusal = { code: exitCode, stdout: text(stdOut), stderr: text(stdErr) };
        return new Error(refusal.stderr);
      },
    }).env(env);
    try {
      return { code: 0, stdout: await git.raw([...args]), stderr: '' };
    } catch (error) {
      if (refusal !== undefined) return refusal;
      const reason = redact((error as Error).message, [access.token]);
      throw new FairwayError('git.unavailable', `git ${args[0] ?? ''} could not be run: ${reason}`, { cause: error });
    }
  };
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat([...chunks]).toString('utf8');
