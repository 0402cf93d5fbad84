import { spawn } from 'node:child_process';
import { FairwayError, redact } from '@fairway/core';

export type Credentials = { readonly username: string; readonly password: string };

/** Runs git; answers stdout. */
export type Git = (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;

const TIMEOUT_MS = 60_000;

/**
 * Git with a minimal environment and without a user's configuration. Credentials go with the requests to `url` and
 * travel in the environment only: never on a command line, never in an error.
 */
export function gitFor(url: string, credentials: Credentials | undefined, home: string, path: string): Git {
  const config: [string, string][] = [['protocol.version', '2']];
  if (credentials && /^https?:/.test(url)) {
    const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    config.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  const base = {
    PATH: path,
    HOME: home,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'http:https:file',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
  };
  return (args, env = {}) => run('git', args, { ...base, ...env }, credentials ? [credentials.password] : []);
}

/** Runs a program to its end; a non-zero exit is an error with the redacted last lines of its stderr. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  secrets: readonly string[] = [],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', (error) =>
      reject(new FairwayError('git.unavailable', `${program} cannot be run: ${error.message}.`)),
    );
    child.once('close', (code) => {
      if (code === 0) return resolve(Buffer.concat(out).toString('utf8'));
      const said = redact(Buffer.concat(err).toString('utf8').trim().slice(-1000), secrets);
      return reject(
        new FairwayError(
          'git.unavailable',
          `${program} ${args.find((arg) => !arg.startsWith('-')) ?? ''} failed: ${said || `exit code ${code}`}`,
        ),
      );
    });
  });
}
