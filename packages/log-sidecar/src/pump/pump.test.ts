import { gunzipSync } from 'node:zlib';
import { decodeExchanges, encodeExchange, type Exchange, type Pack, silentLogger } from '@fairway/core';
import { expect, test } from 'vitest';
import type { PackQueue, Spool, SpooledPack, VersionRange } from '../ports.ts';
import { createTally } from '../tally.ts';
import { toPack } from './encode.ts';
import { Pump } from './pump.ts';

const exchange = (seq: number, versionSource: 'url' | 'status' = 'status') =>
  encodeExchange({
    head: { seq, version: '1', versionSource },
    request: Buffer.from([0, 0xff]),
    response: Buffer.alloc(0),
  } as unknown as Exchange);

function pack(first: number, versions: VersionRange[] = [], epoch = 'now'): SpooledPack {
  return {
    agent: 'a',
    epoch,
    model: 'm',
    first,
    last: first + 1,
    exchanges: 2,
    closedAt: 0,
    spans: [],
    earlierDropped: undefined,
    note: { versions, dropped: { spool_full: 3 } },
  };
}

/** A spool that holds these packs ready, and a queue that answers as told, one function per add. */
function setUp(packs: SpooledPack[], answers: Array<() => Promise<void>>, read?: Spool['read']) {
  const tally = createTally();
  const added: number[] = [];
  const spool = {
    next: () => packs[0],
    read: read ?? (async () => Buffer.concat([exchange(1), exchange(2)])),
    done: () => void packs.shift(),
    state: () => ({ packs: packs.length, exchanges: 0, earlier: 0, bytes: 0, oldestAt: undefined, inMemory: 0 }),
  } as unknown as Spool;
  const queue: PackQueue = {
    add: async ({ first }: Pack) => {
      added.push(first);
      await answers.shift()?.();
    },
    close: async () => {},
  };
  const clock = { now: () => 0, monotonic: () => performance.now() };
  const parts = { spool, queue, tally, clock, log: silentLogger };
  return { pump: new Pump({ epoch: 'now', graceMs: 200 }, parts, () => 0), tally, added, packs };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

const refuse = async () => {
  throw new Error('away');
};

test('a refused pack is offered again until the queue takes it, and order holds', async () => {
  const { pump, tally, added } = setUp([pack(1), pack(3, [], 'before')], [refuse, refuse]);
  pump.start();
  await until(() => tally.packs === 2);
  await pump.stop();
  expect(added).toEqual([1, 1, 1, 3]);
  expect(tally).toMatchObject({ addFailures: 2, sent: 2, recovered: 2 });
});

test('at stop it goes on while the queue takes packs, and leaves them when it does not', async () => {
  const flowing = setUp([pack(1), pack(3)], []);
  flowing.pump.start();
  await flowing.pump.stop();
  expect(flowing.packs).toEqual([]);
  const away = setUp([pack(1)], [refuse, refuse, refuse, refuse]);
  away.pump.start();
  await until(() => away.tally.addFailures > 0);
  await away.pump.stop();
  expect(away.packs.length).toBe(1);
});

test('a pack that the spool cannot read is dropped and counted, the next one goes', async () => {
  let reads = 0;
  const { pump, tally } = setUp([pack(1), pack(3)], [], async () => {
    if (reads++ === 0) throw new Error('damaged');
    return Buffer.concat([exchange(3), exchange(4)]);
  });
  pump.start();
  await until(() => tally.packs === 1);
  await pump.stop();
  expect(tally).toMatchObject({ dropped: { spool_corrupt: 2 }, sent: 2 });
});

test('a pack is a function of its records and its note', async () => {
  const one = toPack(pack(1), Buffer.concat([exchange(1), exchange(2, 'url')]));
  expect(toPack(pack(1), Buffer.concat([exchange(1), exchange(2, 'url')]))).toEqual(one);
  expect(one).toMatchObject({
    packId: expect.stringMatching(/^p-[0-9a-f]{32}$/),
    model: 'm',
    exchanges: 2,
    dropped: { spool_full: 3 },
  });
  const decoded = decodeExchanges(gunzipSync(Buffer.from(one.payload, 'base64')));
  expect(decoded.map(({ request }) => [...request])).toEqual([
    [0, 0xff],
    [0, 0xff],
  ]);
});

test('corrected versions go in where they belong, never over one that the URL pinned', async () => {
  const made = toPack(
    pack(1, [[2, 3, '9', 'ambiguous']]),
    Buffer.concat([exchange(1), exchange(2), exchange(3, 'url')]),
  );
  const heads = decodeExchanges(gunzipSync(Buffer.from(made.payload, 'base64'))).map(({ head }) => head);
  expect(heads).toMatchObject([
    { version: '1', versionSource: 'status' },
    { version: '9', versionSource: 'ambiguous' },
    { version: '1', versionSource: 'url' },
  ]);
});
