import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Account } from '@fairway/log-sidecar';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { tieToUs } from '../../../packages/cli/src/stack/tied.ts';
import { freePort } from '../../harness/ports.ts';

const MAIN = fileURLToPath(new URL('../../../packages/log-sidecar/src/main.ts', import.meta.url));

export type Agent = {
  readonly port: number;
  readonly url: string;
  readonly child: ChildProcess;
  account(): Promise<Account>;
  metrics(): Promise<string>;
  /** Sends the signal and resolves with the exit code (null when the signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

export type AgentOptions = { upstream: number; queueUrl: string; spool: string; env?: Record<string, string> };

/** A real agent process in front of a port on 127.0.0.1; resolves when it is ready. */
export async function startAgent({ upstream, queueUrl, spool, env }: AgentOptions): Promise<Agent> {
  const [port, admin] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, await runnable(MAIN), {
    env: {
      PATH: process.env.PATH,
      LISTEN_HOST: '127.0.0.1',
      LISTEN_PORT: String(port),
      ADMIN_PORT: String(admin),
      UPSTREAM: `127.0.0.1:${upstream}`,
      SPOOL_DIR: spool,
      QUEUE_URL: queueUrl,
      FAIRWAY_MODEL: 'home-equity',
      FAIRWAY_ENVIRONMENT: 'dev',
      AGENT_NAME: 'agent-test',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  tieToUs(child, 'SIGKILL');
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const read = async (path: string) => (await fetch(`http://127.0.0.1:${admin}${path}`)).text();
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the agent ended: ${output}`);
    return (await fetch(`http://127.0.0.1:${admin}/readyz`)).status === 200;
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    child,
    account: async () => JSON.parse(await read('/account')) as Account,
    metrics: () => read('/metrics'),
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

/** Polls until the condition holds; the last error, or what did not come true, after the deadline. */
export async function eventually(condition: () => Promise<boolean>, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  let last: unknown = new Error(`not true within ${ms} ms: ${condition.toString()}`);
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw last;
}

/** A spool folder of its own and how to remove it. */
export function spoolFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'fairway-agent-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
