import { FairwayError, type Pack } from '@fairway/core';
import { expect, test } from 'vitest';
import type { PackQueue } from '../ports.ts';
import { type QueuePlace, RenewableQueue } from './renewable-queue.ts';

const pack = {} as Pack;

/** Queues that are told apart by their place, and what is asked of them. */
function setUp() {
  const told: string[] = [];
  const open = ({ QUEUE_URL, QUEUE_PREFIX }: QueuePlace): PackQueue => {
    const name = `${QUEUE_URL} ${QUEUE_PREFIX}`;
    if (QUEUE_PREFIX === 'odd') throw new FairwayError('config.invalid', 'no such prefix');
    told.push(`open ${name}`);
    return {
      add: async () => void told.push(`add ${name}`),
      close: async () => void told.push(`close ${name}`),
      full: QUEUE_URL === 'full',
    };
  };
  return { told, queue: new RenewableQueue({ QUEUE_URL: 'a', QUEUE_PREFIX: 'x' }, open) };
}

test('opens with the first pack, and after a change with the next one', async () => {
  const { told, queue } = setUp();
  await queue.add(pack);
  await queue.add(pack);
  queue.renew({ QUEUE_URL: 'b' });
  queue.renew({ QUEUE_PREFIX: 'y' });
  await queue.add(pack);
  await queue.close();
  expect(told).toEqual(['open a x', 'add a x', 'add a x', 'close a x', 'open b y', 'add b y', 'close b y']);
});

test('a place that cannot be is a failure of the add, until it is another', async () => {
  const { told, queue } = setUp();
  queue.renew({ QUEUE_PREFIX: 'odd' });
  await expect(queue.add(pack)).rejects.toThrow('no such prefix');
  await expect(queue.add(pack)).rejects.toThrow('no such prefix');
  queue.renew({ QUEUE_PREFIX: 'y' });
  await queue.add(pack);
  expect(told).toEqual(['open a y', 'add a y']);
});

test('is full when the one in use is', async () => {
  const { queue } = setUp();
  expect(queue.full).toBe(false);
  queue.renew({ QUEUE_URL: 'full' });
  await queue.add(pack);
  expect(queue.full).toBe(true);
});
