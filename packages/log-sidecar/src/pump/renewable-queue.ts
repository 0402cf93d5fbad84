import type { Pack } from '@fairway/core';
import type { AgentEnv } from '../config.ts';
import type { PackQueue } from '../ports.ts';
import { within } from './within.ts';

export type QueuePlace = Pick<AgentEnv, 'QUEUE_URL' | 'QUEUE_PREFIX'>;

const CLOSE_TIMEOUT_MS = 1000;

/**
 * A queue whose address may change while packs go there. The next pack opens the new one, so what `open` throws is a failure of
 * that add; an add that is under way on the old one may fail with it. The pump repeats both under the same id.
 */
export class RenewableQueue implements PackQueue {
  private place: QueuePlace;
  private readonly open: (place: QueuePlace) => PackQueue;
  private queue: PackQueue | undefined;

  constructor(place: QueuePlace, open: (place: QueuePlace) => PackQueue) {
    this.place = place;
    this.open = open;
  }

  renew(changed: Partial<QueuePlace>): void {
    this.place = { ...this.place, ...changed };
    const before = this.queue;
    this.queue = undefined;
    // With a revoked password or a server that is gone it may never finish.
    if (before) void within(CLOSE_TIMEOUT_MS, before.close(), 'The queue before did not close.').catch(() => {});
  }

  async add(pack: Pack): Promise<void> {
    this.queue ??= this.open(this.place);
    await this.queue.add(pack);
  }

  get full(): boolean {
    return this.queue?.full ?? false;
  }

  async close(): Promise<void> {
    await this.queue?.close();
  }
}
