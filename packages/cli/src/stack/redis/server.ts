import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { FairwayError, pause } from '@fairway/core';
import { tieToUs } from '../tied.ts';

export type RedisServer = { readonly pid: number; stop(): Promise<void> };

/** Whether a `redis-server` program is on the PATH. */
export const hasRedisServer = (): boolean => spawnSync('redis-server', ['--version']).status === 0;

/**
 * A local Redis as BullMQ needs it: append-only file and `noeviction` (capture reference §5.3 E3, §5.5). It ends with us. One of a process
 * that was killed may still be ending on the same port, and would be taken for the new one.
 */
export async function startRedisServer(options: {
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
  readonly onExit: (reason: string) => void;
}): Promise<RedisServer> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  for (let i = 0; i < 200 && (await accepts(options.port)); i++) await pause(50);
  const child = spawn('redis-server', ['-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
    cwd: options.dataDir,
  });
  tieToUs(child, 'SIGTERM');
  // The configuration goes through standard input: a password on a command line is seen by every user.
  child.stdin.end(
    [
      'bind 127.0.0.1',
      `port ${options.port}`,
      `requirepass ${options.password}`,
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      'maxmemory 256mb',
      'maxmemory-policy noeviction',
      '',
    ].join('\n'),
  );
  let stopping = false;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('exit', (code) => stopping || options.onExit(`redis-server ended with ${code}`));
  const stop = async () => {
    stopping = true;
    child.kill('SIGTERM');
    await exited;
  };
  try {
    await untilListening(options.port, () => child.exitCode !== null);
  } catch (error) {
    if (child.exitCode === null) await stop();
    throw error;
  }
  return { pid: child.pid as number, stop };
}

async function untilListening(port: number, ended: () => boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (ended()) break;
    if (await accepts(port)) return;
    await pause(50);
  }
  throw new FairwayError('stack.failed', `redis-server did not start on port ${port}.`);
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
