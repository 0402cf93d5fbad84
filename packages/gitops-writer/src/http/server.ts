import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type Admin, answerAdmin, FairwayError, type Part } from '@fairway/core';
import type { Express } from 'express';

export type HttpServer = Part & { /** Port it listens on, once started. */ readonly port: number };

/** The service's one listener: health, readiness and metrics without authentication, everything else by `app`. */
export function httpServer(options: { host: string; port: number; admin: Admin; app: Express }): HttpServer {
  const { host, port, admin, app } = options;
  const server: Server = createServer((request, response) => {
    if (!answerAdmin(admin, request, response)) app(request, response);
  });
  // Longer than the minute after which load balancers and clients drop an idle connection: who closes first loses no request.
  server.keepAliveTimeout = 65_000;
  return {
    name: 'http',
    get port() {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    start: async () => {
      // A workflow may approve a thousand versions at once; the default backlog of 511 would reset some of them.
      server.listen({ port, host, backlog: 4_096 });
      await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EADDRINUSE'
          ? new FairwayError('port.taken', `Port ${port} is taken; set PORT to a free one or stop what listens there.`)
          : error;
      });
    },
    stop: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}
