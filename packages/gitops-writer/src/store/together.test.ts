import { DatabaseError } from 'pg';
import { expect, it } from 'vitest';
import { allOrEach } from './together.ts';

/** What becomes of three that go together, when all at once fail so. */
async function three(fault: Error) {
  const written: Array<readonly string[]> = [];
  const write = allOrEach<string, string>((items) => {
    written.push(items);
    return items.length > 1 || items[0] === 'b' ? Promise.reject(fault) : Promise.resolve(items);
  });
  const settled = await Promise.allSettled(['a', 'b', 'c'].map(write));
  return { written, settled: settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason)) };
}

it('writes each alone what the server refused together, and fails the one that it refuses again', async () => {
  const error = Object.assign(new DatabaseError('no', 0, 'error'), { code: '22P05' });
  expect(await three(error)).toEqual({ written: [['a', 'b', 'c'], ['a'], ['b'], ['c']], settled: ['a', error, 'c'] });
});

it.each(['EPIPE', 'ECONNRESET'])('writes nothing a second time when the connection broke with %s', async (code) => {
  const error = Object.assign(new Error('write'), { code });
  expect(await three(error)).toEqual({ written: [['a', 'b', 'c']], settled: [error, error, error] });
});
