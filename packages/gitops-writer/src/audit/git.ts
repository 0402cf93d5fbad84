import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { FairwayError, redact } from '@fairway/core';

/** Runs git in the clone that is audited; answers what it printed. Throws `input.invalid` where there is no clone, else `git.unavailable` with git's own words. */
export type AuditGit = (args: readonly string[], input?: string) => Promise<Buffer>;

/**
 * Git for an audit: it reads what is in the clone and nothing else. No network, no replaced objects, no cache of the
 * history that somebody could have written; the configuration of the user stays, because it says whom to trust.
 */
export function auditGit(folder: string, environment: Readonly<Record<string, string | undefined>>): AuditGit {
  const env = auditEnvironment(environment);
  return (args, input = '') =>
    new Promise((resolve, reject) => {
      const child = spawn('git', [...SAFE, ...args], { cwd: folder, env });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.once('error', (error: NodeJS.ErrnoException) => reject(notRunning(error, folder)));
      child.once('close', (code) => {
        if (code === 0) resolve(Buffer.concat(out));
        else reject(refused(folder, args[0] ?? '', Buffer.concat(err).toString('utf8')));
      });
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
}

const SAFE = ['-c', 'core.commitGraph=false', '-c', 'core.fsmonitor=false', '--no-replace-objects'];

export function auditEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(environment).filter(([name, value]) => value !== undefined && !name.startsWith('GIT_'));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    LC_ALL: 'C.UTF-8',
    // A clone that lacks objects must not fetch them behind our back.
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
  };
}

function notRunning(error: NodeJS.ErrnoException, folder: string): FairwayError {
  const why = error.code === 'ENOENT' ? `install git, or check that ${folder} is a folder` : redact(error.message);
  return new FairwayError('git.unavailable', `git cannot be run: ${why}.`, { cause: error });
}

function refused(folder: string, command: string, words: string): FairwayError {
  if (words.includes('not a git repository'))
    return new FairwayError('input.invalid', `${folder} is no Git repository; name a clone of the GitOps repository.`);
  return new FairwayError('git.unavailable', `git ${command} failed: ${redact(words.trim().split('\n').at(-1) ?? '')}`);
}

/** Reads objects one after the other from a single `git cat-file`. */
export type Objects = { read(id: string): Promise<Buffer>; close(): void };

export function openObjects(folder: string, environment: Readonly<Record<string, string | undefined>>): Objects {
  const child = spawn('git', [...SAFE, 'cat-file', '--batch'], { cwd: folder, env: auditEnvironment(environment) });
  return batch(child);
}

type Waiting = {
  readonly id: string;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: FairwayError) => void;
};

function batch(child: ChildProcessWithoutNullStreams): Objects {
  const waiting: Waiting[] = [];
  let pending: Buffer[] = [];
  let length = 0;
  let wanted = 0;
  const fail = (why: string) => {
    for (const { id, reject } of waiting.splice(0)) reject(unreadable(id, why));
  };
  child.stdout.on('data', (chunk: Buffer) => {
    pending.push(chunk);
    length += chunk.length;
    // A large object comes in many pieces; joined once, not at each.
    if (length < wanted) return;
    let bytes = Buffer.concat(pending);
    for (;;) {
      const answer = takeAnswer(bytes);
      if (typeof answer === 'number') {
        wanted = answer;
        break;
      }
      bytes = bytes.subarray(answer.taken);
      const asked = waiting.shift();
      if (answer.bytes === undefined) asked?.reject(unreadable(asked.id, 'it is not there'));
      else asked?.resolve(Buffer.from(answer.bytes));
    }
    pending = [bytes];
    length = bytes.length;
  });
  child.once('error', (error) => fail(error.message));
  child.once('close', () => fail('git ended'));
  child.stdin.on('error', () => {});
  child.stderr.resume();
  return {
    read: (id) =>
      new Promise((resolve, reject) => {
        waiting.push({ id, resolve, reject });
        child.stdin.write(`${id}\n`);
      }),
    close: () => child.stdin.end(),
  };
}

/** One answer off the front of the stream, or how many bytes there must be before another look is worth it. */
function takeAnswer(bytes: Buffer): number | { readonly taken: number; readonly bytes: Buffer | undefined } {
  const end = bytes.indexOf(0x0a);
  if (end < 0) return bytes.length + 1;
  const [, kind, size] = bytes.subarray(0, end).toString('latin1').split(' ');
  if (size === undefined || kind === 'missing') return { taken: end + 1, bytes: undefined };
  const whole = end + 1 + Number(size) + 1;
  return bytes.length < whole ? whole : { taken: whole, bytes: bytes.subarray(end + 1, whole - 1) };
}

const unreadable = (id: string, why: string): FairwayError =>
  new FairwayError(
    'git.unavailable',
    `Object ${id} cannot be read (${why}); run git fsck, or clone the repository again.`,
  );
