import { createPostgresBackend } from 'bullmq';

/** Where a queue lives: `redis://…`/`rediss://…`, or BullMQ's PostgreSQL backend at `postgres://…`. */
export type QueuePlace = {
  readonly url: string;
  /** Key prefix on Redis, schema on PostgreSQL. */
  readonly prefix: string;
  readonly name: string;
};

export function isPostgres(url: string): boolean {
  const { protocol } = new URL(url);
  return protocol === 'postgres:' || protocol === 'postgresql:';
}

/**
 * BullMQ's backend on PostgreSQL. It migrates on a connection that nobody listens to, and an error event without a listener ends the
 * process; what it asks on that connection rejects all the same.
 */
export const postgresBackend: typeof createPostgresBackend = (...place) => {
  const backend = createPostgresBackend(...place);
  backend.connection.pool.on('connect', (client) => client.on('error', () => {}));
  return backend;
};
