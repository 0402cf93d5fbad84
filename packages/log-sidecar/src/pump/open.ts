import type { PackQueue } from '../ports.ts';

/** The agent's way into the queue for other programs; only the backend that the URL names is loaded. */
export async function openPackQueue(url: string, prefix: string): Promise<PackQueue> {
  if (url.startsWith('redis')) return new (await import('./redis-queue.ts')).RedisQueue(url, prefix, Math.random);
  return new (await import('./postgres-queue.ts')).PostgresQueue(url, prefix);
}
