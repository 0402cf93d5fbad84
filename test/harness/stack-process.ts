import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runnable } from '../../packages/cli/src/stack/runnable.ts';

export type StackProcess = {
  readonly port: number;
  readonly pid: number;
  /** Everything it logged so far. */
  readonly output: () => string;
  readonly stop: () => Promise<void>;
  /** SIGKILL: what a crash leaves. */
  readonly kill: () => Promise<void>;
};

/** Starts an embedded server (`forge`, `cards`) as its own process on a free port and waits for its ready message. */
export async function startStackProcess(name: string, env: Readonly<Record<string, string>>): Promise<StackProcess> {
  const entry = fileURLToPath(new URL(`../../packages/cli/src/stack/${name}/main.ts`, import.meta.url));
  const argv = await runnable(entry);
  const child = fork(argv.at(-1) ?? '', [], {
    execArgv: argv.slice(0, -1),
    env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const said: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => said.push(chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString('utf8')));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: { ready?: true; port?: number }) => message.ready && resolve(message.port ?? 0));
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready: ${said.join('')}`)));
  });
  const { pid = 0 } = child;
  return { port, pid, output: () => said.join(''), stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
