import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pause } from '@fairway/core';
import { tieToUs } from '../../../packages/cli/src/stack/tied.ts';

const PATIENCE_MS = 60_000;
const AGAIN_MS = 100;

/** One of our processes under a supervisor, as in a cluster: it is started again for as long as it cannot start. */
export type Service = {
  readonly pid: number;
  /** Starts it, and again while it ends before it is ready; resolves when it is. */
  start(): Promise<void>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** How often it ended although nobody had asked it to, after it had been ready. */
  readonly deserted: number;
  /** The end of what it said. */
  output(): string;
};

export type ServiceOptions = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readyUrl: string;
};

export function service({ argv, env, readyUrl }: ServiceOptions): Service {
  let child: ChildProcess | undefined;
  let asked = false;
  let deserted = 0;
  let output = '';
  const alive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const launch = () => {
    asked = false;
    const own = spawn(process.execPath, [...argv], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    tieToUs(own, 'SIGKILL');
    const hear = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-20_000);
    };
    own.stdout.on('data', hear);
    own.stderr.on('data', hear);
    child = own;
  };
  const isReady = () =>
    fetch(readyUrl, { signal: AbortSignal.timeout(1000) }).then(
      ({ status }) => status === 200,
      () => false,
    );
  return {
    get pid() {
      return child?.pid ?? 0;
    },
    start: async () => {
      const deadline = Date.now() + PATIENCE_MS;
      while (!alive() || !(await isReady())) {
        if (Date.now() > deadline) throw new Error(`not ready within ${PATIENCE_MS} ms: ${output}`);
        if (!alive()) launch();
        await pause(AGAIN_MS / 4);
      }
      const own = child;
      own?.once('exit', () => void (asked || deserted++));
    },
    end: async (signal) => {
      asked = true;
      if (!alive() || child === undefined) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
    signal: (signal) => void child?.kill(signal),
    get deserted() {
      return deserted;
    },
    output: () => output,
  };
}
