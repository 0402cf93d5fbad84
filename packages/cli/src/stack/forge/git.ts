import { FairwayError } from '@fairway/core';
import { spawn } from 'node:child_process';

type GitResult = { readonly code: number; readonly stdout: Buffer; readonly stderr: string };
type Options = {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers rather than failures. */
  readonly ok?: readonly number[];
};

/** Git in one folder. A failure is `git.unavailable` with Git's own words. */
export type Git = {
  run(args: readonly string[], options?: Options): Promise<GitResult>;
  /** stdout as trimmed text. */
  text(args: readonly string[], options?: Options): Promise<string>;
};

/** A small environment of its own: no user's or system's configuration, no prompts, messages in English. */
export function gitEnvironment(path: string, home: string): Record<string, string> {
  return {
    PATH: path,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // The data folder may be mounted with another owner than the process has; it is ours all the same.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
  };
}

export function gitIn(dir: string, environment: Readonly<Record<string, string>>): Git {
  const run = async (args: readonly string[], options: Options = {}): Promise<GitResult> => {
    const result = await spawnGit(args, dir, { ...environment, ...options.env }, options.input);
    if ((options.ok ?? [0]).includes(result.code)) return result;
    const words = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new FairwayError('git.unavailable', `git ${args[0]} failed in the embedded forge: ${words}`);
  };
  return { run, text: async (args, options) => (await run(args, options)).stdout.toString('utf8').trim() };
}

function spawnGit(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  input: string | Buffer = '',
): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code: code ?? 128, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') }),
    );
    // Git may end without reading its input; that is no failure of ours.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Refuses to start without a Git that can merge in the object database (`merge-tree --write-tree`, 2.38). */
export async function requireGit(environment: Readonly<Record<string, string>>): Promise<void> {
  const version = await gitIn('.', environment)
    .text(['--version'])
    .catch(() => {
      throw new FairwayError('machine.unfit', 'git was not found: install git 2.38 or newer and put it on the PATH.');
    });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return;
  throw new FairwayError('machine.unfit', `${version} is too old for the embedded forge: install git 2.38 or newer.`);
}
