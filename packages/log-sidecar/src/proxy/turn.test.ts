import type { Socket } from 'node:net';
import { setImmediate as turnOver } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Ends, Turn } from './turn.ts';

/** One connection that writes down what happens to it. */
function connection(name: string, log: string[], flowing = true): Ends {
  const client = { write: (bytes: Buffer) => (log.push(`${name} gets ${bytes.length}`), flowing) };
  const upstream = { pause: () => log.push(`${name} model stops`) };
  return {
    client: client as unknown as Socket,
    upstream: upstream as unknown as Socket,
    watch: {
      request: (chunk) => void log.push(`${name} asks ${chunk.length}`),
      response: (chunk) => (log.push(`${name} is answered ${chunk.length}`), [chunk]),
      forwarded: () => void log.push(`${name} has it`),
      upstreamEnded: () => [],
      clientGone: () => {},
      idle: true,
    },
  };
}

test('what one turn read is looked at in its order, then written, then handed over', async () => {
  const log: string[] = [];
  const [a, b] = [connection('a', log), connection('b', log, false)];
  const turn = new Turn();
  turn.request(a, Buffer.alloc(1));
  turn.request(b, Buffer.alloc(2));
  turn.response(a, Buffer.alloc(3));
  turn.response(b, Buffer.alloc(4));
  expect(log).toEqual([]);
  await turnOver();
  const looked = ['a asks 1', 'b asks 2', 'a is answered 3', 'b is answered 4'];
  const written = ['a gets 3', 'b gets 4', 'b model stops'];
  expect(log).toEqual([...looked, ...written, 'a has it', 'b has it']);
});

test('a connection that ends has its bytes before, and a large chunk waits for nothing', async () => {
  const log: string[] = [];
  const ends = connection('a', log);
  const turn = new Turn();
  turn.request(ends, Buffer.alloc(1));
  turn.flush();
  expect(log).toEqual(['a asks 1']);
  turn.request(ends, Buffer.alloc(2));
  turn.response(ends, Buffer.alloc(20_000));
  const whole = ['a asks 1', 'a asks 2', 'a is answered 20000', 'a gets 20000', 'a has it'];
  expect(log).toEqual(whole);
  await turnOver();
  expect(log).toEqual(whole);
});

test('where turns bring one chunk each, none waits for the end of its turn; behind a busier one they do again', async () => {
  const log: string[] = [];
  const ends = connection('a', log);
  const turn = new Turn();
  turn.response(ends, Buffer.alloc(1));
  await turnOver();
  log.length = 0;
  turn.response(ends, Buffer.alloc(2));
  turn.response(ends, Buffer.alloc(3));
  const atOnce = (size: number) => [`a is answered ${size}`, `a gets ${size}`, 'a has it'];
  expect(log).toEqual([...atOnce(2), ...atOnce(3)]);
  await turnOver();
  turn.response(ends, Buffer.alloc(4));
  expect(log).toHaveLength(6);
  await turnOver();
  expect(log.slice(6)).toEqual(atOnce(4));
});
