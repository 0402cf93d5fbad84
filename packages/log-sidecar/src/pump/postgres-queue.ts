import { PACK_QUEUE, type Pack } from '@fairway/core';
import { createPostgresBackend, withBackend } from 'bullmq';
import type { PackQueue } from '../ports.ts';
import { JOB_NAME, jobOptions } from './job.ts';

const CONNECT_TIMEOUT_MS = 3000;
const QUERY_TIMEOUT_MS = 4000;

/** BullMQ migrates on a connection that nobody listens to, and an error event without a listener would end the process. */
const backend: typeof createPostgresBackend = (...place) => {
  const made = createPostgresBackend(...place);
  made.connection.pool.on('connect', (client) => client.on('error', () => {}));
  return made;
};
const { Queue: PostgresBackedQueue } = withBackend(backend);
type PackJobs = InstanceType<typeof PostgresBackedQueue<Pack>>;

/**
 * BullMQ on PostgreSQL. Whoever comes first runs the migrations (idempotent, under an advisory lock). A queue that was
 * made while the database was down stays broken, so each failure throws the queue away and the next add makes a new one.
 */
export class PostgresQueue implements PackQueue {
  private readonly url: string;
  private readonly schema: string;
  private queue: PackJobs | undefined;

  constructor(url: string, schema: string) {
    this.url = url;
    this.schema = schema;
  }

  async add(pack: Pack): Promise<void> {
    const queue = (this.queue ??= this.open());
    try {
      await queue.add(JOB_NAME, pack, jobOptions(pack));
    } catch (error) {
      if (this.queue === queue) this.queue = undefined;
      queue.close().catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.queue?.close();
  }

  private open(): PackJobs {
    const queue = new PostgresBackedQueue<Pack>(PACK_QUEUE, {
      connection: {
        connectionString: this.url,
        schema: this.schema,
        migrate: true,
        max: 2,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
        application_name: 'fairway-agent',
      },
    });
    queue.on('error', () => {});
    return queue;
  }
}
