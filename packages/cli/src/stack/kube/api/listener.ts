import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { FairwayError } from '@fairway/core';
import type { Identity } from './certificate.ts';

export type Listener = { readonly port: number; close(): Promise<void> };

/** First byte of a TLS handshake record; no HTTP request starts with it. */
const TLS_HANDSHAKE = 22;

/** Longer than clients keep idle connections: whoever closes first must not be us, or a request gets lost between. */
const KEEP_ALIVE_MS = 75_000;

/**
 * One port for both protocols: TLS for kubectl and Kubernetes clients, plain HTTP for webhooks and the local CLI.
 * Throws `port.taken` when the port is in use.
 */
export async function listen(
  host: string,
  port: number,
  identity: Identity,
  handle: RequestListener,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const plain = createHttp({ keepAliveTimeout: KEEP_ALIVE_MS }, handle);
  const secure = createHttps(
    { key: identity.key, cert: identity.certificate, keepAliveTimeout: KEEP_ALIVE_MS },
    handle,
  );
  const front = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  await new Promise<void>((resolve, reject) =>
    front.once('error', (error) => reject(explain(error, host, port))).listen(port, host, resolve),
  );
  return {
    port: (front.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        // Watches never end by themselves.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new FairwayError(
    'port.taken',
    `Port ${port} on ${host} is already in use: stop the other program or choose another PORT.`,
    { cause: error },
  );
}
