import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { decodeExchanges, type Exchange, type Pack, PACK_QUEUE } from '@fairway/core';
import { Queue, withBackend } from 'bullmq';
import { postgresBackend } from '../../../packages/queue/src/backend.ts';
import { freePort } from '../../harness/ports.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { startOwnRedis } from '../../harness/redis.ts';

/** A queue server of a test's own, and what waits in it. */
export type QueueServer = { readonly url: string; packs(): Promise<Pack[]>; stop(): Promise<void> };

const PREFIX = 'fairway';

export async function startPostgresQueue(): Promise<QueueServer> {
  const { url, stop } = await startPostgres();
  const { Queue } = withBackend(postgresBackend);
  return {
    url,
    packs: async () => {
      const queue = new Queue<Pack>(PACK_QUEUE, {
        connection: { connectionString: url, schema: PREFIX, migrate: true },
      });
      queue.on('error', () => {});
      const jobs = await queue.getJobs(['waiting'], 0, -1);
      await queue.close();
      return jobs.map(({ data }) => data);
    },
    stop,
  };
}

export async function startRedisQueue(): Promise<QueueServer> {
  const server = await startOwnRedis('--appendonly', 'no');
  return {
    url: server.url,
    packs: async () => {
      const queue = new Queue<Pack>(PACK_QUEUE, { connection: server.client, prefix: PREFIX });
      queue.on('error', () => {});
      const jobs = await queue.getJobs(['waiting'], 0, -1);
      await queue.close();
      return jobs.map(({ data }) => data);
    },
    stop: () => server.stop(),
  };
}

export const exchangesOf = (packs: readonly Pack[]): Exchange[] =>
  packs.flatMap(({ payload }) => decodeExchanges(gunzipSync(Buffer.from(payload, 'base64'))));

/** A door in front of a server: `shut` refuses and cuts, `freeze` leaves connections hanging, `open` lets through. */
export type Gate = { readonly url: string; open(): Promise<void>; shut(): void; freeze(): void; stop(): void };

export async function startGate(target: string): Promise<Gate> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => void (frozen || to.write(chunk)));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const own = await freePort();
  const url = new URL(target);
  url.port = String(own);
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    open: async () => {
      frozen = false;
      if (server.listening) return;
      server.listen(own, '127.0.0.1');
      await once(server, 'listening');
    },
    freeze: () => {
      frozen = true;
    },
    shut: cut,
    stop: cut,
  };
}
