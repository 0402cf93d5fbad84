import { createServer, type Server } from 'node:http';
import { type Admin, answerAdmin, FairwayError, type Logger, type Part } from '@fairway/core';
import type { Express } from 'express';

/** A body of millions of labels is read as fast as they are booked. */
const LONGEST_REQUEST_MS = 3_600_000;

/** Serves `app` behind the admin endpoints. Stop takes no new requests, ends idle connections and lets running ones finish. */
export function httpServer(app: Express, admin: Admin, address: { host: string; port: number }, log: Logger): Part {
  let server: Server | undefined;
  return {
    name: 'http',
    start: () =>
      new Promise((resolve, reject) => {
        const candidate = createServer({ requestTimeout: LONGEST_REQUEST_MS }, (request, response) => {
          if (!answerAdmin(admin, request, response)) app(request, response);
        });
        candidate.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address.port)));
        candidate.listen(address.port, address.host, () => {
          server = candidate;
          log.info({ host: address.host, port: (candidate.address() as { port: number }).port }, 'listening');
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        if (server === undefined) return resolve();
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server?.closeAllConnections(), 2_000).unref();
      }),
  };
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new FairwayError('port.taken', `Port ${port} is taken by another process; set PORT to a free one.`, {
    cause: error,
  });
}
