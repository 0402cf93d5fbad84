import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { silentLogger } from '@fairway/core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beginEpoch, createTally, type Tally } from '../tally.ts';
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
    if (order.kind === 'account') this.answer(order.call, createTally());
    if (order.kind === 'stop') this.emit('exit', 0);
  }

  answer(call: number, tally: Tally): void {
    this.emit('message', { kind: 'answer', call, body: this.session.epoch, tally });
  }

  async terminate(): Promise<number> {
    return 0;
  }
}

function setUp() {
  const workers: FakeWorker[] = [];
  let epochs = 0;
  const tally = createTally();
  const thread = new CaptureThread({
    open: (session) => {
      const worker = new FakeWorker(session);
      workers.push(worker);
      return worker as unknown as Worker;
    },
    begin: (ended) => {
      beginEpoch(tally);
      const predecessor = ended === undefined ? undefined : { epoch: ended, given: 7 };
      return { epoch: `e${++epochs}`, memory: ringMemory(0, 4096), predecessor };
    },
    tally,
    log: silentLogger,
    now: () => Date.now(),
  });
  return { thread, workers, tally };
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

test('what ended epochs counted goes on being counted, once, and the account of an epoch is its own', async () => {
  const { thread, workers, tally } = setUp();
  void thread.start();
  const pastSeenBy = (worker: FakeWorker | undefined) => {
    void thread.ask('metrics');
    const order = worker?.orders.at(-1);
    return order?.kind === 'metrics' ? order.past : undefined;
  };
  expect(pastSeenBy(workers[0])).toEqual(createTally());
  Object.assign(tally, { captured: 20, sampledOut: 3, requestBytes: 500, dropped: { ring_full: 2 } });
  workers[0]?.emit('message', { kind: 'counted', tally: { ...createTally(), sent: 4, packs: 1 } });
  workers[0]?.answer(99, { ...createTally(), sent: 9, packs: 2, dropped: { spool_full: 1 } });
  workers[0]?.emit('exit', 1);
  await vi.advanceTimersByTimeAsync(100);
  const first = { captured: 20, sampledOut: 3, sent: 9, packs: 2, dropped: { ring_full: 2, spool_full: 1 } };
  expect(pastSeenBy(workers[1])).toEqual({ ...createTally(), ...first });
  // The hop's bytes are counted by the process and stay where they are.
  expect(tally).toMatchObject({ captured: 0, sampledOut: 0, requestBytes: 500, dropped: {} });
  tally.captured = 5;
  workers[1]?.emit('message', { kind: 'counted', tally: { ...createTally(), sent: 4, recovered: 1, packs: 1 } });
  workers[1]?.emit('exit', 1);
  await vi.advanceTimersByTimeAsync(200);
  const both = { ...first, captured: 25, sent: 13, recovered: 1, packs: 3 };
  expect(pastSeenBy(workers[2])).toEqual({ ...createTally(), ...both });
  await thread.stop();
});
