import { once } from 'node:events';
import { FairwayError, isDemoted, PACK_QUEUE, type Pack, urlOrigin } from '@fairway/core';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { PackQueue } from '../ports.ts';
import { JOB_NAME, jobOptions } from './job.ts';
import { Watermark } from './watermark.ts';

const CONNECT_WAIT_MS = 2000;
const COMMAND_TIMEOUT_MS = 4000;
const RECONNECT_MAX_MS = 5000;

/**
 * BullMQ on Redis by the recipe of capture reference §5.4: an own client that connects in the background, the Queue
 * made only on a ready client (made earlier, its first add would hang for ever), commands that fail instead of waiting.
 */
export class RedisQueue implements PackQueue {
  private readonly url: string;
  private readonly prefix: string;
  private readonly client: Redis;
  private readonly watermark: Watermark;
  private queue: Queue<Pack> | undefined;
  private reason = 'no answer';

  constructor(url: string, prefix: string, random: () => number) {
    this.url = url;
    this.prefix = prefix;
    this.client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: CONNECT_WAIT_MS,
      reconnectOnError: isDemoted,
      retryStrategy: (times) => Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(times, 10)) * (0.5 + random() / 2),
    });
    // A failure shows where it matters, at the next add; unheard, the event would end the process.
    this.client.on('error', (error) => {
      this.reason = error.message;
    });
    this.watermark = new Watermark(
      () => this.client.info('memory').catch(forbidden),
      () => performance.now(),
    );
  }

  async add(pack: Pack): Promise<void> {
    if (this.client.status !== 'ready') await this.connect();
    if (await this.watermark.isReached()) {
      const sentence = `Redis at ${urlOrigin(this.url)} holds 70 % of its maxmemory: raise it, or see why the recorder takes no packs.`;
      throw new FairwayError('queue.unavailable', sentence);
    }
    this.queue ??= await this.open();
    await this.queue.add(JOB_NAME, pack, jobOptions(pack));
  }

  get full(): boolean {
    return this.watermark.wasReached;
  }

  async close(): Promise<void> {
    await this.queue?.close();
    this.client.disconnect();
  }

  private async open(): Promise<Queue<Pack>> {
    const queue = new Queue<Pack>(PACK_QUEUE, { connection: this.client, prefix: this.prefix });
    queue.on('error', () => {});
    try {
      await queue.waitUntilReady();
      return queue;
    } catch (error) {
      // Its first question to Redis failed, and BullMQ remembers that for ever.
      await queue.close().catch(() => {});
      throw error;
    }
  }

  private async connect(): Promise<void> {
    if (this.client.status === 'wait') this.client.connect().catch(() => {});
    const patience = AbortSignal.timeout(CONNECT_WAIT_MS);
    await once(this.client, 'ready', { signal: patience }).catch(() => {
      const sentence = `Redis at ${urlOrigin(this.url)} cannot be used: ${this.reason}.`;
      throw new FairwayError('queue.unavailable', sentence);
    });
  }
}

/** A user of Redis who may not ask is one whose administrator watches the memory. Anything else is a failure of the add. */
function forbidden(error: Error): string {
  if (error.message.startsWith('NOPERM')) return '';
  throw error;
}
