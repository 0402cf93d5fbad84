import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { silentLogger } from '@fairway/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTally } from '../tally.ts';
import { ringMemory } from './ring.ts';
import { CaptureThread, type Order, type Session } from './thread.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A worker that notes its orders and says what the test wants it to say. */
class FakeWorker extends EventEmitter {
  readonly session: Session;
  readonly orders: Order[] = [];

  constructor(session: Session) {
    super();
    this.session = session;
  }

  postMessage(order: Order): void {
    this.orders.push(order);
    if (order.kind === 'account') this.emit('message', { kind: 'answer', call: order.call, body: this.session.epoch });
    if (order.kind === 'stop') this.emit('exit', 0);
  }

  async terminate(): Promise<number> {
    return 0;
  }
}

function setUp() {
  const workers: FakeWorker[] = [];
  let epochs = 0;
  const thread = new CaptureThread({
    open: (session) => {
      const worker = new FakeWorker(session);
      workers.push(worker);
      return worker as unknown as Worker;
    },
    begin: (ended) => ({
      epoch: `e${++epochs}`,
      memory: ringMemory(0, 4096),
      predecessor: ended === undefined ? undefined : { epoch: ended, given: 7 },
    }),
    tally: createTally(),
    log: silentLogger,
    now: () => Date.now(),
  });
  return { thread, workers };
}

test('it is started when the thread is ready, or when that takes too long', async () => {
  const { thread, workers } = setUp();
  let started = false;
  const starting = thread.start().then(() => (started = true));
  await vi.advanceTimersByTimeAsync(5000);
  expect(started).toBe(false);
  workers[0]?.emit('message', { kind: 'ready' });
  await starting;
  const slow = setUp().thread.start();
  await vi.advanceTimersByTimeAsync(10_000);
  await slow;
});

test('a thread that dies is followed by another in a new epoch, later each time, and questions find nobody meanwhile', async () => {
  const { thread, workers } = setUp();
  const starting = thread.start();
  workers[0]?.emit('message', { kind: 'ready' });
  await starting;
  expect(await thread.ask('account')).toBe('e1');
  workers[0]?.emit('exit', 1);
  expect(await thread.ask('account')).toBeUndefined();
  expect(workers.length).toBe(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(workers.length).toBe(2);
  expect(workers[1]?.session).toMatchObject({ epoch: 'e2', predecessor: { epoch: 'e1', given: 7 } });
  workers[1]?.emit('exit', 1);
  await vi.advanceTimersByTimeAsync(199);
  expect(workers.length).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(await thread.ask('account')).toBe('e3');
  await thread.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([workers.length, workers[2]?.orders.at(-1)]).toEqual([3, { kind: 'stop' }]);
});

test('a thread that does not answer leaves the question open for 2 s only', async () => {
  const { thread } = setUp();
  void thread.start();
  const answer = thread.ask('metrics');
  await vi.advanceTimersByTimeAsync(2000);
  expect(await answer).toBeUndefined();
});
