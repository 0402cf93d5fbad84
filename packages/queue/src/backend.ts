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
