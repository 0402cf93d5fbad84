import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps, type Server as TlsServer } from 'node:https';
import type { Part } from '@fairway/core';
import { listen } from '../listen.ts';
import type { Address } from '../ports.ts';
import type { Certificates, Pair } from './certificates.ts';

/** An API server waits ten seconds by default and thirty at most. */
export type Limits = {
  readonly handshakeMs: number;
  readonly headMs: number;
  readonly requestMs: number;
  /** How long requests in flight are waited for at the end. */
  readonly graceMs: number;
};

export const LIMITS: Limits = { handshakeMs: 5000, headMs: 5000, requestMs: 10_000, graceMs: 5000 };

/** Longer than API servers keep idle connections: whoever closes first must not be us, or a review gets lost between. */
const KEEP_ALIVE_MS = 120_000;

/** The webhook over TLS; a new certificate counts from the next handshake on, and open connections go on. Without one handshakes fail. */
export function tlsServer(address: Address, certificates: Certificates, limits: Limits, handle: RequestListener): Part {
  let server: TlsServer | undefined;
  certificates.onPair((pair) => server?.setSecureContext(contextOf(pair)));
  return {
    name: 'webhook',
    start: async () => {
      const { pair } = certificates;
      server = createHttps(
        {
          ...(pair === undefined ? {} : contextOf(pair)),
          handshakeTimeout: limits.handshakeMs,
          headersTimeout: limits.headMs,
          requestTimeout: limits.requestMs,
          connectionsCheckingInterval: Math.min(1000, limits.requestMs),
          keepAliveTimeout: KEEP_ALIVE_MS,
        },
        handle,
      );
      await listen(server, address);
    },
    stop: () => (server === undefined ? undefined : close(server, limits.graceMs)),
  };
}

const contextOf = ({ cert, key }: Pair) => ({ cert, key, minVersion: 'TLSv1.2' as const });

/** Probes and metrics without TLS, so that they tell of a bad certificate instead of failing by it. */
export function adminServer(address: Address, handle: RequestListener): Part {
  const server = createHttp(handle);
  return { name: 'admin', start: () => listen(server, address), stop: () => close(server, 0) };
}

async function close(server: Server | TlsServer, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
