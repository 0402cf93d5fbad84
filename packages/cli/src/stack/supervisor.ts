import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError, pause } from '@fairway/core';
import { runnable } from './runnable.ts';

/** A Node process of the embedded stack, described by what it needs. */
export type ProcessSpec = {
  readonly name: string;
  /** TypeScript entry point. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  /** `http(s)` URL that answers 200 when the process is ready; without one an IPC message `{ready: true}` is awaited. */
  readonly readyUrl?: string;
  readonly url: string;
};

export type Running = { readonly name: string; readonly url: string; readonly pid: number | undefined };

export type Supervisor = {
  /** Starts a process and waits until it is ready; from then on it is started again whenever it ends by itself. */
  start(spec: ProcessSpec): Promise<void>;
  list(): Running[];
  /** Stops all in reverse order of start: SIGTERM, and SIGKILL after the grace. Idempotent. */
  stop(): Promise<void>;
};

const READY_TIMEOUT_MS = 60_000;
const GRACE_MS = 10_000;
/** Restart back-off: first at once (a killed process is back within a second), then doubling up to 5 s. */
const backoffMs = (failures: number): number => (failures <= 1 ? 0 : Math.min(250 * 2 ** (failures - 2), 5000));

type Entry = {
  spec: ProcessSpec;
  argv: readonly string[];
  child: ChildProcess | undefined;
  failures: number;
  startedAt: number;
  ready: boolean;
};

/** Supervises processes whose output goes to `<logDir>/<name>.log`. `onChange` hears of each start and restart. */
export function supervisor(logDir: string, onChange: () => void): Supervisor {
  const entries: Entry[] = [];
  let stopping: Promise<void> | undefined;

  const launch = (entry: Entry): ChildProcess => {
    const child = spawnProcess(entry, logDir);
    entry.child = child;
    entry.startedAt = Date.now();
    child.once('exit', () => {
      if (entry.child === child) entry.child = undefined;
      if (stopping === undefined && entry.ready) void relaunch(entry);
    });
    onChange();
    return child;
  };
  const relaunch = async (entry: Entry): Promise<void> => {
    entry.failures = Date.now() - entry.startedAt > 10_000 ? 1 : entry.failures + 1;
    await pause(backoffMs(entry.failures));
    if (stopping === undefined) launch(entry);
  };
  const start = async (spec: ProcessSpec): Promise<void> => {
    const argv = await runnable(spec.entry);
    const entry: Entry = { spec, argv, child: undefined, failures: 0, startedAt: 0, ready: false };
    entries.push(entry);
    await untilReady(spec, launch(entry), logDir);
    // Started again only once it has been ready: a process that cannot start is reported, not retried for ever.
    entry.ready = true;
  };
  const stopAll = async (): Promise<void> => {
    for (const entry of entries.toReversed()) await stopProcess(entry.child);
  };
  return {
    start,
    list: () =>
      entries
        .filter(({ child, ready }) => ready || child !== undefined)
        .map(({ spec, child }) => ({ name: spec.name, url: spec.url, pid: child?.pid })),
    stop: () => (stopping ??= stopAll()),
  };
}

function spawnProcess({ spec, argv }: Entry, logDir: string): ChildProcess {
  const log = openSync(join(logDir, `${spec.name}.log`), 'a', 0o600);
  try {
    return spawn(process.execPath, argv, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...spec.env },
      // A group of its own: Ctrl-C reaches the supervisor only, which stops everything in order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

async function untilReady(spec: ProcessSpec, child: ChildProcess, logDir: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let said = false;
  child.on('message', () => (said = true));
  child.on('error', () => {});
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw startError(spec, logDir, 'ended');
    if (spec.readyUrl === undefined ? said : await answersOk(spec.readyUrl)) return;
    if (Date.now() > deadline) {
      await stopProcess(child);
      throw startError(spec, logDir, `was not ready within ${READY_TIMEOUT_MS / 1000} s`);
    }
    await pause(40);
  }
}

function startError(spec: ProcessSpec, logDir: string, what: string): FairwayError {
  const file = join(logDir, `${spec.name}.log`);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-30);
  return lines.some((line) => /ENOSPC|No space left/i.test(line))
    ? new FairwayError('disk.full', `There is no space left on the disk below ${logDir}: free some and start again.`)
    : new FairwayError('stack.failed', `The ${spec.name} process ${what}: ${lastReason(lines)} Its log is ${file}.`);
}

/** Our processes log JSON lines with a `reason`; a crash of Node prints `…Error: message` among its lines. */
function lastReason(lines: readonly string[]): string {
  const reason = lines.map(reasonOf).findLast((found) => found !== undefined);
  return reason ?? lines.findLast((line) => line.trim() !== '') ?? 'it said nothing.';
}

function reasonOf(line: string): string | undefined {
  try {
    const { reason } = JSON.parse(line) as { reason?: string };
    return reason;
  } catch {
    return /^\w*Error: (.*)$/.exec(line)?.[1];
  }
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function stopProcess(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exited;
  clearTimeout(timer);
}
