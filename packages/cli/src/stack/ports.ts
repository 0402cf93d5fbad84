import { createServer } from 'node:net';
import { FairwayError } from '@fairway/core';

/** Whether a port can be listened on, on loopback, this moment. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/**
 * Distinct free ports on loopback. All are held open until the last one is found, so that none comes twice.
 * Another program may still take one before it is used: then its process says so.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The wanted port, or `port.taken` with a sentence. */
export async function claimPort(port: number): Promise<number> {
  if (await isFree(port)) return port;
  throw new FairwayError(
    'port.taken',
    `Port ${port} on 127.0.0.1 is taken or not allowed: stop what listens there, or choose another with --port.`,
  );
}
