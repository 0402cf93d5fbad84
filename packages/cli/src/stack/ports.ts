import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { FairwayError } from '@fairway/core';

/** Whether a port can be listened on, on loopback, this moment. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** Below the range that systems give to outgoing connections (Linux 32768, macOS and IANA 49152). */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/**
 * Distinct free ports on loopback, outside the ephemeral range: a port from that range may be taken as the near end of
 * anybody's outgoing connection before, or while a killed process is started again, after we listen on it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** The wanted port, or `port.taken` with a sentence. */
export async function claimPort(port: number): Promise<number> {
  if (await isFree(port)) return port;
  throw new FairwayError(
    'port.taken',
    `Port ${port} on 127.0.0.1 is taken or not allowed: stop what listens there, or choose another with --port.`,
  );
}
