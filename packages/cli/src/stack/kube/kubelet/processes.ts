import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type Clock, pause, processStart } from '@fairway/core';
import type { Command } from './command.ts';

export type Exit = { readonly code: number; readonly signal?: number };

/** A running container process. */
export type ContainerProcess = {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  terminate(): void;
  /** Ends the process and everything it started. */
  kill(): void;
};

export type ProcessTable = {
  /** Starts a command with its output appended to `log`; throws when the program cannot be executed. */
  start(command: Command, log: string): Promise<ContainerProcess>;
  /** Waits for processes of an earlier kube process to end, and kills those that do not. */
  sweep(): Promise<void>;
};

/** Containers end by themselves when their IPC parent is gone; after this time they are killed. */
const SWEEP_GRACE_MS = 5_000;

/**
 * Processes with their pid and start time on disk: after our own kill -9 the next start knows them again, and never
 * kills a stranger who was given an old pid.
 */
export function processTable(dir: string, clock: Clock): ProcessTable {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return {
    async start({ argv, env, cwd }, log) {
      const output = openSync(log, 'a', 0o600);
      const [file = '', ...args] = argv;
      let child: ChildProcess;
      try {
        // A group of its own, so that kill() reaches what the program started, and Ctrl-C in a terminal does not.
        child = spawn(file, args, { env, cwd, detached: true, stdio: ['ignore', output, output, 'ipc'] });
      } finally {
        closeSync(output);
      }
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      return watchChild(child, dir);
    },
    async sweep() {
      const deadline = clock.now() + SWEEP_GRACE_MS;
      await Promise.all(readdirSync(dir).map((name) => sweepOne(join(dir, name), deadline, clock)));
    },
  };
}

function watchChild(child: ChildProcess, dir: string): ContainerProcess {
  const pid = child.pid ?? 0;
  const record = join(dir, String(pid));
  writeFileSync(record, processStart(pid) ?? '');
  child.on('error', () => {});
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      // A container's death takes all its processes along.
      killGroup(pid);
      rmSync(record, { force: true });
      const number = signal === null ? undefined : constants.signals[signal];
      resolve(number === undefined ? { code: code ?? 1 } : { code: 128 + number, signal: number });
    });
  });
  return { pid, exited, terminate: () => void child.kill('SIGTERM'), kill: () => killGroup(pid) };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

async function sweepOne(record: string, deadline: number, clock: Clock): Promise<void> {
  const started = readFileSync(record, 'utf8');
  const pid = Number(record.slice(record.lastIndexOf('/') + 1));
  const lives = () => Number.isInteger(pid) && started !== '' && processStart(pid) === started;
  while (lives() && clock.now() < deadline) await pause(50);
  while (lives()) {
    killGroup(pid);
    await pause(20);
  }
  rmSync(record, { force: true });
}
