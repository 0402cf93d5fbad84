import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { FairwayError } from '@fairway/core';
import type { GitResult } from './environment.ts';

export type ProgramCall = {
  /** Written to standard input. */
  readonly input?: string | Buffer;
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What prints nothing for so long is killed. */
  readonly silenceMs?: number;
};
export type RunProgram = (folder: string, args: readonly string[], call?: ProgramCall) => Promise<GitResult>;

export type Program = {
  readonly run: RunProgram;
  /** Starts one that is talked to for longer. */
  start(folder: string, args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Ends all that still run, and their helpers. */
  stop(): void;
};

/** Far above any listing of ours; what is longer is read as a stream. */
const MAX_OUTPUT = 64 * 1024 * 1024;
/** Progress of a long fetch goes to stderr; only its end can be a reason. */
const MAX_WORDS = 64 * 1024;

/**
 * Runs git. Spawned directly and in a process group of its own: a library that knows only the child it started leaves
 * `git-remote-http` behind when a remote hangs (tried), has no standard input, and adds 50 ms to a command without output.
 */
export const gitProcess = (environment: Readonly<Record<string, string>>): Program =>
  programOf('git', environment, 'install git and put it on the PATH of the writer');

/** `mend` says what to do when there is no such program. */
export function programOf(program: string, environment: Readonly<Record<string, string>>, mend: string): Program {
  const running = new Set<ChildProcess>();
  const start = (folder: string, args: readonly string[], env?: ProgramCall['env']) => {
    const options = { cwd: folder, env: { ...environment, ...env }, detached: true };
    const child = spawn(program, [...args], { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(child);
    child.once('close', () => running.delete(child));
    child.once('error', () => running.delete(child));
    // A program that ends before it has read its input says why on stderr; the broken pipe adds nothing.
    child.stdin.on('error', () => {});
    return child;
  };
  return {
    run: async (folder, args, call = {}) => {
      try {
        return await runToEnd(start(folder, args, call.env), call);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const reason = code === 'ENOENT' ? `${mend}, and see that ${folder} exists` : message;
        throw new FairwayError('git.unavailable', `${program} cannot be run: ${reason}.`, { cause: error });
      }
    },
    start,
    stop: () => {
      for (const child of running) endGroup(child);
    },
  };
}

function runToEnd(child: ChildProcessWithoutNullStreams, { input, silenceMs }: ProgramCall): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const [out, err] = [collector(MAX_OUTPUT, () => endGroup(child)), tail(MAX_WORDS)];
    const watch = watchdog(silenceMs, () => endGroup(child));
    child.stdout.on('data', (chunk: Buffer) => (watch.heard(), out.add(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (watch.heard(), err.add(chunk)));
    child.once('error', (error) => {
      watch.stop();
      reject(error);
    });
    child.once('close', (code) => {
      watch.stop();
      const stderr = watch.bit() ? `${err.text()}\nfatal: it was silent for ${silenceMs} ms` : err.text();
      resolve({ code: code ?? 128, stdout: out.text(), stderr });
    });
    child.stdin.end(input ?? '');
  });
}

/** What a git prints, cut at each NUL, as it comes; a reader that breaks off ends the git. */
export async function* printedFields(child: ChildProcessWithoutNullStreams): AsyncGenerator<string> {
  const words = tail(MAX_WORDS);
  child.stderr.on('data', words.add);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  // Heard below; a reader that breaks off does not come there.
  ended.catch(() => {});
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0, start)) {
        yield rest.toString('utf8', start, end);
        start = end + 1;
      }
      rest = rest.subarray(start);
    }
    if ((await ended) !== 0) throw new FairwayError('git.unavailable', `git failed: ${words.text().trim()}`);
  } finally {
    endGroup(child);
  }
}

/** Ends a git and the helpers that it started. */
export function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

function collector(max: number, overflow: () => void) {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    add: (chunk: Buffer) => {
      length += chunk.length;
      if (length > max) overflow();
      else chunks.push(chunk);
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

function tail(max: number) {
  let kept = Buffer.alloc(0);
  return {
    add: (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]).subarray(-max);
    },
    text: () => kept.toString('utf8'),
  };
}

function watchdog(ms: number | undefined, bite: () => void) {
  let bit = false;
  const timer =
    ms === undefined
      ? undefined
      : setTimeout(() => {
          bit = true;
          bite();
        }, ms);
  return { heard: () => void timer?.refresh(), stop: () => clearTimeout(timer), bit: () => bit };
}
