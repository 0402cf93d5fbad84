import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeExchanges, encodeExchange, type Exchange, packId, silentLogger } from '@fairway/core';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PackNote, SpooledPack, SpoolRecord } from '../ports.ts';
import { toPack } from '../pump/encode.ts';
import { createTally } from '../tally.ts';
import { framed } from './batch.ts';
import { KIND } from './frame.ts';
import { encodeHigh, highFile } from './high-file.ts';
import type { SpoolConfig } from './settings.ts';
import { FileSpool, PACK_EXCHANGES } from './spool.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairway-spool-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const NOTE: PackNote = { versions: [], dropped: {} };

function record(seq: number, size = 10, epoch = 'e'): SpoolRecord {
  const exchange = {
    head: { v: 1, id: `${epoch}-${seq}`, seq, version: '', versionSource: 'ambiguous' },
    request: Buffer.alloc(size, seq),
    response: Buffer.alloc(0),
  } as unknown as Exchange;
  const span = { seq, startedAt: 1, endedAt: 2, version: '', source: 'ambiguous' as const };
  return { seq, bytes: encodeExchange(exchange), span };
}

const piecesOf = (encoded: Buffer): Buffer[] => decodeExchanges(encoded).map(encodeExchange);

function openSpool(epoch = 'e1', caps: Partial<SpoolConfig> = {}, at = directory, monotonic = () => performance.now()) {
  const tally = createTally();
  const clock = { now: () => 1000, monotonic };
  const config = {
    directory: at,
    agent: 'a',
    epoch,
    model: 'm',
    diskCap: 1e9,
    segmentBytes: 1e9,
    maxAge: 1e9,
    memoryCap: 1e9,
    synced: true,
    ...caps,
  };
  const spool = new FileSpool(config, { clock, tally, log: silentLogger, onReady: () => {} });
  spool.start();
  return { spool, tally };
}

/** Settles all packs and waits until the oldest can be sent. */
async function settled(spool: FileSpool, note = NOTE): Promise<SpooledPack | undefined> {
  for (const pack of spool.unsettled()) spool.settle(pack, note);
  const deadline = performance.now() + 5000;
  while (spool.state().packs > 0 && !spool.next() && performance.now() < deadline) await new Promise(setImmediate);
  return spool.next();
}

test('what is offered comes back in packs, and the folder is empty when the queue has them', async () => {
  const { spool } = openSpool();
  for (let seq = 1; seq <= PACK_EXCHANGES + 3; seq++) expect(spool.offer(record(seq))).toBeUndefined();
  spool.closeOlder(0);
  const first = await settled(spool);
  expect(first).toMatchObject({ agent: 'a', epoch: 'e1', first: 1, last: PACK_EXCHANGES, exchanges: PACK_EXCHANGES });
  if (first) expect(piecesOf(await spool.read(first))[41]).toEqual(record(42).bytes);
  if (first) spool.done(first);
  const second = spool.next();
  expect(second).toMatchObject({ first: PACK_EXCHANGES + 1, exchanges: 3 });
  expect(spool.state()).toMatchObject({ packs: 1, exchanges: 3, earlier: 0, oldestAt: 1000, inMemory: 0 });
  if (second) spool.done(second);
  await spool.stop();
  expect(readdirSync(directory)).toEqual([]);
});

test('a later epoch takes over what is left, without what the queue already has', async () => {
  const { spool } = openSpool();
  for (let seq = 1; seq <= 2 * PACK_EXCHANGES + 1; seq++) spool.offer(record(seq));
  spool.commit();
  const first = await settled(spool, { versions: [[1, 9, '7', 'status']], dropped: { ring_full: 2 } });
  if (first) spool.done(first);
  // Not stopped: killed.
  const { spool: next } = openSpool('e2');
  expect(next.state()).toMatchObject({ packs: 2, exchanges: PACK_EXCHANGES + 1, earlier: PACK_EXCHANGES + 1 });
  expect(next.next()).toMatchObject({ epoch: 'e1', first: PACK_EXCHANGES + 1, note: { dropped: { ring_full: 2 } } });
  const [open] = next.unsettled();
  expect(open).toMatchObject({ first: 2 * PACK_EXCHANGES + 1, exchanges: 1, earlierDropped: { ring_full: 2 } });
  expect([...(open?.spans ?? [])]).toEqual([
    { seq: 2 * PACK_EXCHANGES + 1, startedAt: -Infinity, endedAt: -Infinity, version: '', source: 'ambiguous' },
  ]);
});

test('a torn tail is cut at every possible place, counted, and costs only its own record', () => {
  const { spool } = openSpool();
  for (let seq = 1; seq <= 3; seq++) spool.offer(record(seq));
  spool.commit();
  const [name = ''] = readdirSync(directory);
  const whole = join(directory, 'whole');
  copyFileSync(join(directory, name), whole);
  const size = readFileSync(whole).length;
  const frame = record(1).bytes.length + 19;
  for (let cut = 0; cut <= 3 * frame; cut++) {
    copyFileSync(whole, join(directory, name));
    truncateSync(join(directory, name), size - cut);
    const { spool: next, tally } = openSpool('e2');
    const left = 3 - Math.ceil(cut / frame);
    expect(next.state().exchanges).toBe(left);
    expect(tally.torn).toBe(cut === 0 ? 0 : (frame - (cut % frame)) % frame);
  }
}, 60_000);

test('damage inside a segment ends it there', () => {
  const { spool } = openSpool();
  for (let seq = 1; seq <= 3; seq++) spool.offer(record(seq));
  spool.commit();
  const [name = ''] = readdirSync(directory);
  const bytes = readFileSync(join(directory, name));
  bytes[bytes.length - record(3).bytes.length - 25] = 0xff;
  writeFileSync(join(directory, name), bytes);
  const { spool: next, tally } = openSpool('e2');
  expect(next.state().exchanges).toBe(1);
  expect(tally.torn).toBeGreaterThan(0);
});

test('at the cap the newest are refused while nothing older can go, and room comes back when the queue takes packs', async () => {
  const { spool } = openSpool('e1', { diskCap: 2000 });
  let seq = 0;
  while (spool.offer(record(++seq, 100)) === undefined);
  expect(spool.offer(record(++seq, 100))).toBe('spool_full');
  spool.closeOlder(0);
  const pack = await settled(spool);
  if (pack) spool.done(pack);
  await spool.stop();
  expect(openSpool('e2', { diskCap: 2000 }).spool.offer(record(1, 100))).toBeUndefined();
});

const SMALL = { diskCap: 6000, segmentBytes: 1000 };

/** Fills a spool far beyond its cap, a pack after the other, of which the queue was offered the first. */
async function overfill(spool: FileSpool, tally: ReturnType<typeof createTally>, packs: number): Promise<void> {
  for (let seq = 1; seq <= packs * 3; seq++) {
    expect(spool.offer(record(seq, 100))).toBeUndefined();
    if (seq % 3 > 0) continue;
    spool.commit({ high: seq, taken: seq, dropped: { ...tally.dropped } });
    spool.closeOlder(0);
    if (seq === 3) expect(await settled(spool)).toMatchObject({ first: 1, last: 3 });
    else for (const pack of spool.unsettled()) spool.settle(pack, NOTE);
  }
}

/** All numbers that a spool holds, pack by pack. */
async function drained(spool: FileSpool): Promise<number[]> {
  const pack = await settled(spool);
  if (!pack) return [];
  const seqs = decodeExchanges(await spool.read(pack)).map(({ head }) => head.seq);
  spool.done(pack);
  return [...seqs, ...(await drained(spool))];
}

const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, i) => from + i);

test('at the cap the oldest packs go, each counted once, but for the one that the queue was offered', async () => {
  const { spool, tally } = openSpool('e1', SMALL);
  await overfill(spool, tally, 40);
  const lost = tally.dropped['spool_full'] ?? 0;
  expect(lost).toBeGreaterThan(60);
  expect(spool.state()).toMatchObject({ exchanges: 120 - lost });
  expect(spool.state().bytes).toBeLessThan(SMALL.diskCap + SMALL.segmentBytes);
  const held = await drained(spool);
  expect([held.slice(0, 3), held.slice(-15)]).toEqual([upTo(3), upTo(120, 106)]);
  expect(held).toHaveLength(120 - lost);
  await spool.stop();
  expect(readdirSync(directory)).toEqual([]);
});

test('what was given up stays so through a kill, and is told with the packs behind it', async () => {
  const { spool, tally } = openSpool('e1', SMALL);
  await overfill(spool, tally, 40);
  spool.commit({ high: 125, taken: 120, dropped: { ...tally.dropped } });
  const { exchanges } = spool.state();
  const heir = openSpool('e2');
  let last: SpooledPack | undefined;
  for (let one = await settled(heir.spool); one; one = await settled(heir.spool)) heir.spool.done((last = one));
  expect(last).toMatchObject({
    exchanges: 0,
    last: 125,
    note: { dropped: { spool_full: 120 - exchanges, killed: 5 } },
  });
});

test('what a mark calls given up stays so, though the kill came before its file went', async () => {
  const { spool, tally } = openSpool('e1', SMALL);
  const files = new Map<string, Buffer>();
  for (let seq = 1; seq <= 60; seq++) {
    spool.offer(record(seq, 100));
    for (const name of readdirSync(directory)) files.set(name, readFileSync(join(directory, name)));
    spool.commit({ high: seq, taken: seq, dropped: { ...tally.dropped } });
    if (seq % 3 === 0) spool.closeOlder(0);
  }
  const { exchanges } = spool.state();
  const left = readdirSync(directory);
  for (const [name, bytes] of files) if (!left.includes(name)) writeFileSync(join(directory, name), bytes);
  expect(openSpool('e2').spool.state().exchanges).toBe(exchanges);
  expect(exchanges).toBe(60 - (tally.dropped['spool_full'] ?? 0));
});

test('what was given up and is on no mark yet comes back after a kill, and is not counted', async () => {
  const { spool, tally } = openSpool('e1', SMALL);
  let seq = 1;
  for (spool.offer(record(1, 100)); tally.dropped['spool_full'] === undefined; spool.offer(record(++seq, 100))) {
    spool.commit({ high: seq, taken: seq, dropped: {} });
    if (seq % 3 === 0) spool.closeOlder(0);
  }
  // The last one was in memory.
  const heir = openSpool('e2');
  expect(await drained(heir.spool)).toEqual(upTo(seq - 1));
  expect(heir.tally.dropped).toEqual({});
});

test('packs of an earlier start stay at the cap, and the newest are refused', async () => {
  const first = openSpool('e1', SMALL);
  await overfill(first.spool, first.tally, 12);
  const { spool } = openSpool('e2', { ...SMALL, diskCap: 3000 });
  const before = spool.state();
  expect(spool.offer(record(1, 100, 'e2'))).toBe('spool_full');
  expect(spool.state()).toEqual(before);
});

test('packs that waited for too long go, wherever they are', async () => {
  let now = 0;
  const { spool, tally } = openSpool('e1', { maxAge: 1000 }, directory, () => now);
  for (const seq of [1, 2, 3, 4]) {
    spool.offer(record(seq));
    spool.closeOlder(0);
    if (seq === 1) expect(await settled(spool)).toMatchObject({ first: 1 });
    now += 400;
  }
  spool.closeOlder(200);
  expect(tally.dropped).toEqual({ spool_expired: 1 });
  spool.commit({ high: 4, taken: 4, dropped: { ...tally.dropped } });
  expect(await drained(openSpool('e2').spool)).toEqual([1, 3, 4]);
});

test('memory of packs that are done is used again, and a pack that is read twice is the same, in several groups or in one', async () => {
  const { spool } = openSpool();
  for (let round = 0; round < 6; round++) {
    const wanted = Array.from({ length: 30 }, (_, i) => record(round * 30 + i + 1, 700 + ((round * 7 + i) % 5)));
    for (const [i, one] of wanted.entries()) {
      spool.offer(one);
      if (round % 2 === 0 && i % 7 === 6) spool.commit();
    }
    spool.closeOlder(0);
    expect([...(spool.unsettled()[0]?.spans ?? [])].map(({ seq }) => seq)).toEqual(
      wanted.map(({ bytes }) => decodeExchanges(bytes)[0]?.head.seq),
    );
    const pack = (await settled(spool)) as SpooledPack;
    expect([...pack.spans]).toEqual([]);
    const read = async () => piecesOf(await spool.read(pack));
    expect([await read(), await read()]).toEqual([wanted, wanted].map((all) => all.map(({ bytes }) => bytes)));
    spool.done(pack);
  }
});

test('a folder that cannot be used means memory only, bounded and counted', async () => {
  const blocked = join(directory, 'file');
  writeFileSync(blocked, '');
  const { spool, tally } = openSpool('e1', { memoryCap: 250 }, join(blocked, 'spool'));
  expect(spool.offer(record(1))).toBeUndefined();
  spool.commit();
  expect(spool.offer(record(2))).toBeUndefined();
  expect(spool.offer(record(3))).toBe('memory_full');
  spool.commit();
  expect(tally.unspooled).toEqual({ disk_error: 2 });
  spool.closeOlder(0);
  const pack = await settled(spool);
  expect(pack && piecesOf(await spool.read(pack))).toEqual([record(1).bytes, record(2).bytes]);
  expect(spool.state().inMemory).toBe(2);
  if (pack) spool.done(pack);
  expect(spool.offer(record(5))).toBeUndefined();
});

test('a disk that recovers is used again', () => {
  const folder = join(directory, 'later');
  writeFileSync(folder, '');
  let now = 0;
  const { spool } = openSpool('e1', {}, folder, () => now);
  spool.offer(record(1));
  spool.commit();
  rmSync(folder);
  mkdirSync(folder);
  spool.offer(record(2));
  spool.commit();
  expect(readdirSync(folder)).toEqual([]);
  now += 1000;
  spool.offer(record(3));
  spool.commit();
  expect(readdirSync(folder).length).toBe(1);
  spool.closeOlder(0);
  expect(spool.unsettled()).toMatchObject([
    { first: 1, last: 2 },
    { first: 3, last: 3 },
  ]);
});

test('what a kill took away at most is told once, in a pack of its own, also when the next one is killed as well', async () => {
  const { spool } = openSpool();
  spool.offer(record(1));
  spool.commit({ high: 3, taken: 1, dropped: {} });
  spool.offer(record(2));
  spool.commit({ high: 12, taken: 4, dropped: { ring_full: 2 } });
  const closing = { epoch: 'e1', first: 5, last: 12, exchanges: 0, note: { dropped: { ring_full: 2, killed: 8 } } };
  const { tally } = openSpool('e2');
  expect(tally.killed).toBe(8);
  const { spool: heir } = openSpool('e3');
  const stored = await settled(heir);
  expect(stored).toMatchObject({ first: 1, last: 2, exchanges: 2, note: NOTE });
  if (stored) heir.done(stored);
  const told = heir.next();
  expect(told).toMatchObject(closing);
  const { packId, payload } = toPack(told as SpooledPack, await heir.read(told as SpooledPack));
  expect([packId, decodeExchanges(gunzipSync(Buffer.from(payload, 'base64')))]).toEqual([packIdOf(5, 12), []]);
  if (told) heir.done(told);
  expect(readdirSync(directory)).toEqual([]);
  expect(openSpool('e4').tally.killed).toBe(0);
});

test('packs of an earlier epoch are of the model that its agent served; where it did not write that, of the one served now', async () => {
  const { spool } = openSpool('e1', { model: 'loans' });
  spool.offer(record(1));
  spool.commit({ high: 3, taken: 1, dropped: {} });
  const header = { kind: KIND.header, ordinal: 0, seq: 0, payload: Buffer.from('{"v":1,"agent":"a","epoch":"e0"}') };
  const mark = { kind: KIND.mark, ordinal: 0, seq: 4, payload: Buffer.from('{"high":4,"taken":0,"dropped":{}}') };
  writeFileSync(join(directory, 'e0-00000000.spool'), framed([header, mark]));
  const { spool: heir } = openSpool('e2', { model: 'cars' });
  const told: unknown[] = [];
  for (let pack = await settled(heir); pack; pack = await settled(heir)) {
    const { epoch, model, first, last, exchanges, dropped } = toPack(pack, await heir.read(pack));
    told.push([epoch, model, first, last, exchanges, dropped]);
    heir.done(pack);
  }
  expect(told).toEqual([
    ['e1', 'loans', 1, 1, 1, {}],
    ['e0', 'cars', 1, 4, 0, { killed: 4 }],
    ['e1', 'loans', 2, 3, 0, { killed: 2 }],
  ]);
});

test('of an epoch of the same process it is known exactly, and after a proper stop there is nothing to tell', async () => {
  const { spool } = openSpool();
  spool.offer(record(1));
  spool.commit({ high: 9, taken: 1, dropped: {} });
  const { spool: second, tally } = openSpool('e2', { predecessor: { epoch: 'e1', given: 4 } });
  expect(tally.killed).toBe(3);
  second.offer(record(1));
  second.commit({ high: 7, taken: 1, dropped: {} });
  // Its last mark.
  second.commit({ high: 1, taken: 1, dropped: {} });
  await second.stop();
  expect(openSpool('e3').tally.killed).toBe(3);
});

test('what the forwarding thread wrote of its numbers tells of a kill, whatever the marks say', async () => {
  const { spool } = openSpool();
  spool.offer(record(1));
  spool.commit({ high: 1, taken: 1, dropped: { ring_full: 2 } });
  writeFileSync(highFile(directory, 'e1'), encodeHigh({ high: 30, taken: 1 }));
  const closing = { epoch: 'e1', first: 2, last: 30, exchanges: 0, note: { dropped: { ring_full: 2, killed: 29 } } };
  const { spool: heir, tally } = openSpool('e2');
  expect(tally.killed).toBe(29);
  const [stored] = [await settled(heir)];
  if (stored) heir.done(stored);
  expect(heir.next()).toMatchObject(closing);
  // Killed before it was sent: the next one tells the same.
  const { spool: next } = openSpool('e3');
  expect(next.next()).toMatchObject(closing);
  expect(readdirSync(directory).filter((name) => name.endsWith('.high'))).toEqual([]);
});

test.each([
  ['whose first group was never written', () => {}],
  ['whose only segment cannot be read', () => writeFileSync(join(directory, 'e1-00000000.spool'), 'no frame')],
])('an epoch %s is told from its numbers', (_, leave) => {
  leave();
  writeFileSync(highFile(directory, 'e1'), encodeHigh({ high: 30, taken: 10 }));
  const closing = { agent: 'a', epoch: 'e1', first: 11, last: 30, exchanges: 0, note: { dropped: { killed: 20 } } };
  for (const epoch of ['e2', 'e3']) expect(openSpool(epoch).spool.next()).toMatchObject(closing);
});

test('damaged numbers tell nothing, and neither do those of an epoch that has ended in order', async () => {
  const { spool } = openSpool();
  spool.offer(record(1));
  spool.commit({ high: 1, taken: 1, dropped: {} });
  writeFileSync(highFile(directory, 'e0'), encodeHigh({ high: 30, taken: 10 }).fill(1, 3, 4));
  writeFileSync(highFile(directory, 'e1'), encodeHigh({ high: 30, taken: 1 }));
  await spool.stop();
  expect(openSpool('e2').tally.killed).toBe(0);
  expect(readdirSync(directory)).toEqual(['e1-00000000.spool']);
});

test('of exchanges behind a damaged mark only what is missing is told', async () => {
  const { spool } = openSpool();
  spool.offer(record(1));
  spool.commit({ high: 1, taken: 1, dropped: {} });
  for (const seq of [2, 3, 5]) spool.offer(record(seq));
  spool.commit({ high: 5, taken: 5, dropped: {} });
  writeFileSync(highFile(directory, 'e1'), encodeHigh({ high: 9, taken: 5 }));
  const [file = ''] = readdirSync(directory).filter((name) => name.endsWith('.spool'));
  // The last mark goes, and with it why 4 is missing.
  truncateSync(join(directory, file), readFileSync(join(directory, file)).length - 1);
  const { spool: heir, tally } = openSpool('e2');
  expect(tally.killed).toBe(5);
  const stored = await settled(heir);
  expect(stored).toMatchObject({ first: 1, last: 5, exchanges: 4 });
  if (stored) heir.done(stored);
  expect(heir.next()).toMatchObject({ first: 6, last: 9, exchanges: 0, note: { dropped: { killed: 5 } } });
});

const packIdOf = (first: number, last: number) => packId('a', 'e1', first, last);

type Step = { do: 'offer'; count: number; ahead: number } | { do: 'close' | 'send' | 'send and forget' | 'crash' };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('offer' as const),
      count: fc.integer({ min: 1, max: 700 }),
      ahead: fc.nat(3),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('close', 'send', 'send and forget', 'crash' as const) }) },
);

test('whatever is killed when: a pack id always has the same content, ids never overlap, nothing is lost', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
    const at = mkdtempSync(join(directory, 'run-'));
    const sent = new Map<string, { content: string; epoch: string; first: number; last: number; exchanges: number }>();
    let epochs = 1;
    let offered = 0;
    let seq = 0;
    let ahead = 0;
    let killed = 0;
    let spool = openSpool('e1', {}, at).spool;
    const send = async (forget: boolean) => {
      // What is observed when differs from run to run; what was sent once must not.
      const pack = await settled(spool, {
        versions: [[1, 1e6, String(epochs), 'status']],
        dropped: { ring_full: epochs },
      });
      if (!pack) return;
      const { packId, epoch, first, last, exchanges, payload, dropped } = toPack(pack, await spool.read(pack));
      const content = JSON.stringify([payload, dropped]);
      expect(sent.get(packId)?.content ?? content).toBe(content);
      sent.set(packId, { content, epoch, first, last, exchanges });
      if (!forget) spool.done(pack);
    };
    for (const next of steps) {
      if (next.do === 'offer') {
        for (let i = 0; i < next.count; i++) expect(spool.offer(record(++seq, 10, `e${epochs}`))).toBeUndefined();
        offered += next.count;
        ahead = next.ahead;
        spool.commit({ high: seq + ahead, taken: seq, dropped: {} });
      } else if (next.do === 'close') spool.closeOlder(0);
      else if (next.do === 'crash') {
        // Not committed: gone.
        if (seq > 0 && ahead > 0) spool.offer(record(seq + 1, 10, `e${epochs}`));
        spool = openSpool(`e${++epochs}`, {}, at).spool;
        killed += ahead;
        [seq, ahead] = [0, 0];
      } else await send(next.do === 'send and forget');
    }
    spool.closeOlder(0);
    while (spool.state().packs > 0) await send(false);
    await spool.stop();
    expect(readdirSync(at)).toEqual([]);
    const packs = [...sent.values()].sort((a, b) =>
      a.epoch === b.epoch ? a.first - b.first : a.epoch < b.epoch ? -1 : 1,
    );
    for (const [i, pack] of packs.entries()) {
      if (packs[i - 1]?.epoch === pack.epoch) expect(packs[i - 1]?.last).toBeLessThan(pack.first);
    }
    expect(packs.reduce((sum, { exchanges }) => sum + exchanges, 0)).toBe(offered);
    const gaps = packs.filter(({ exchanges }) => exchanges === 0);
    expect(gaps.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(killed);
  });
  await fc.assert(property, { numRuns: 30 });
}, 60_000);
