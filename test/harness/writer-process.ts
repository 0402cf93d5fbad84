import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runnable } from '../../packages/cli/src/stack/runnable.ts';

export type WriterProcess = {
  readonly port: number;
  readonly pid: number;
  end(signal: NodeJS.Signals): Promise<void>;
  /** Everything it logged so far. */
  output(): string;
};

/** The writer as a process of its own, as the embedded stack runs it, on a free port, once it says that it is ready. */
export const startWriter = async (env: Readonly<Record<string, string>>): Promise<WriterProcess> =>
  startWriterOf(await runnable(entryOf('src/main.ts')), env);

const entryOf = (file: string): string =>
  fileURLToPath(new URL(`../../packages/gitops-writer/${file}`, import.meta.url));

/** The same by another program of it: `argv` ends with its file, what comes before is Node's. */
export async function startWriterOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<WriterProcess> {
  const child = fork(argv.at(-1) ?? '', [], {
    execArgv: argv.slice(0, -1),
    env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'debug', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  // Not at its exit: what it said last may still be on its way then.
  const ended = once(child, 'close');
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: { ready?: true; port?: number }) => message.ready && resolve(message.port ?? 0));
    child.once('close', (code) => reject(new Error(`the writer ended with ${code} before it was ready: ${said}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return { port, pid: child.pid ?? 0, end, output: () => said };
}
