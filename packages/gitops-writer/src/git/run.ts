import { FairwayError, redact } from '@fairway/core';
import { simpleGit } from 'simple-git';

export type GitAccess = {
  readonly url: string;
  readonly user: string;
  readonly token: string;
};

export type GitCall = {
  readonly folder: string;
  /** Written to standard input. */
  readonly input?: string;
  /** Further GIT_* variables. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Exit code, output, and what git had to say; a non-zero code is an answer, not an error. */
export type GitResult = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type Git = (args: readonly string[], call: GitCall) => Promise<GitResult>;

/** A silent git is killed: a remote that hangs must not hold a turn for ever. */
const SILENCE_MS = 60_000;

class GitFailure extends Error {
  readonly result: GitResult;
  constructor(result: GitResult) {
    super(result.stderr);
    this.result = result;
  }
}

/**
 * Runs git with a minimal environment (locale C, since messages are parsed; no system or user configuration; no
 * prompts). The token travels in GIT_CONFIG_* of the child, never in a URL, an argument or a file.
 */
export function gitRunner(access: GitAccess, path: string | undefined): Git {
  const base = {
    ...(path === undefined ? {} : { PATH: path }),
    LC_ALL: 'C.UTF-8',
    ...minimalEnv(),
    ...credentials(access),
  };
  return async (args, { folder, input, env }) => {
    const all = { ...base, ...env };
    const git = simpleGit({
      baseDir: folder,
      timeout: { block: SILENCE_MS },
      allowEnvironment: Object.keys(all),
      unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeConfigPaths: true, allowUnsafeCredentialHelper: true },
      ...(input === undefined ? {} : { input: () => input }),
      // Without this handler a non-zero exit with an empty stderr would count as success.
      errors: (error, { exitCode, stdOut, stdErr }) =>
        exitCode === 0 ? error : new GitFailure({ code: exitCode, stdout: text(stdOut), stderr: text(stdErr) }),
    }).env(all);
    try {
      return { code: 0, stdout: await git.raw([...args]), stderr: '' };
    } catch (error) {
      const { result } = error as Partial<GitFailure>;
      if (result !== undefined) return result;
      const reason = redact((error as Error).message, [access.token]);
      throw new FairwayError('git.unavailable', `git ${args[0] ?? ''} could not be run: ${reason}`, { cause: error });
    }
  };
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat([...chunks]).toString('utf8');

const minimalEnv = (): Record<string, string> => ({
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
});

/** `http.<origin>.extraHeader`, so that a redirect to another host does not carry the token along. */
function credentials({ url, user, token }: GitAccess): Record<string, string> {
  if (!/^https?:/.test(url)) return {};
  const { origin } = new URL(url);
  const basic = Buffer.from(`${user}:${token}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}
