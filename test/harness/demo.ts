import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../../packages/cli/src/demo/summary.ts';
import { tieToUs } from '../../packages/cli/src/stack/tied.ts';
import { ROOT } from '../guards/source.ts';

export type Told = {
  readonly code: number | null;
  readonly output: string;
  readonly summary: Summary | undefined;
  readonly ms: number;
};

export type DemoRun = {
  readonly child: ChildProcess;
  /** Folder that the stack uses. */
  readonly dir: string;
  /** Resolves once the output matches; rejects when the demo ends before. */
  text(pattern: RegExp): Promise<void>;
  readonly told: Promise<Told>;
};

/** The command as npx runs it. */
export const BIN = join(ROOT, 'packages/cli/bin/fairway.js');

/** Environment of a newcomer's shell: none of this machine's servers. */
export function plainEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, REDIS_URL: __, ...rest } = process.env;
  return { ...rest, ...extra };
}

/** Runs a `fairway` command to its end. */
export function fairway(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args], { cwd: options.cwd ?? ROOT, env: options.env ?? plainEnv() });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Starts `fairway demo --exit` in a folder of its own; the summary is read when it ends. */
export function startDemo(args: readonly string[] = [], env: NodeJS.ProcessEnv = plainEnv()): DemoRun {
  const scratch = mkdtempSync(join(tmpdir(), 'fairway demo '));
  const dir = join(scratch, 'stack');
  const file = join(scratch, 'summary.json');
  const startedAt = Date.now();
  const child = spawn(process.execPath, [BIN, 'demo', '--exit', '--dir', dir, '--summary', file, ...args], {
    cwd: ROOT,
    env,
  });
  tieToUs(child, 'SIGTERM');
  let output = '';
  const waiting = new Set<() => void>();
  const onData = (chunk: Buffer) => {
    output += chunk.toString();
    for (const check of waiting) check();
  };
  child.stdout.on('data', onData);
  child.stderr.on('data', onData);
  const told = new Promise<Told>((resolve) => {
    child.on('close', (code) => {
      const summary = readSummary(file);
      rmSync(scratch, { recursive: true, force: true });
      resolve({ code, output, summary, ms: Date.now() - startedAt });
      for (const check of waiting) check();
    });
  });
  const text = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        const found = pattern.test(output);
        if (!found && child.exitCode === null) return;
        waiting.delete(check);
        if (found) resolve();
        else reject(new Error(`The demo ended without a line like ${pattern}:\n${output}`));
      };
      waiting.add(check);
      check();
    });
  return { child, dir, text, told };
}

function readSummary(file: string): Summary | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Summary;
  } catch {
    return undefined;
  }
}

/** URL and pid of each process of a running stack, as `fairway up --json` and `fairway status --json` print them. */
export function stackProcesses(dir: string): Record<string, { url: string | null; pid: number | null }> {
  return (
    JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as {
      processes: Record<string, { url: string | null; pid: number | null }>;
    }
  ).processes;
}

export type Up = {
  /** What `fairway up --json` printed. */
  readonly processes: Record<string, { url: string | null; pid: number | null }>;
  stop(): Promise<void>;
  /** SIGKILL to the stack's own process; its children notice by themselves. */
  kill(): Promise<void>;
};

/** Starts `fairway up --json` and waits until it has printed its processes. */
export async function startUp(dir: string): Promise<Up> {
  const child = spawn(process.execPath, [BIN, 'up', '--json', '--dir', dir], { cwd: ROOT, env: plainEnv() });
  tieToUs(child, 'SIGTERM');
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const processes = await new Promise<Up['processes']>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.trimEnd().endsWith('}')) resolve(JSON.parse(output) as Up['processes']);
    });
    child.on('close', () => reject(new Error(`fairway up ended: ${errors}`)));
  });
  const { pid } = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as { pid: number };
  return {
    processes,
    stop: () => {
      child.kill('SIGINT');
      return closed;
    },
    kill: () => {
      process.kill(pid, 'SIGKILL');
      return closed;
    },
  };
}
