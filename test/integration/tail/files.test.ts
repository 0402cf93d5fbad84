import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { silentLogger } from '@fairway/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { append, createWorld, csvRow, eventually, HEADER, jsonRow, MAPPING, range, type World } from './world.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});
afterEach(() => world.remove());

const sortedRows = () => world.ledger.rows.toSorted((a, b) => a - b);

test('rows that are there and rows that come are recorded once, in order', async () => {
  writeFileSync(world.path('a.csv'), HEADER);
  append(world.path('a.csv'), range(0, 1200));
  const { tail, counts } = await world.start('*.csv');
  await eventually(() => expect(world.ledger.rows).toEqual(range(0, 1200)));
  append(world.path('a.csv'), range(1200, 1210));
  writeFileSync(world.path('b.csv'), HEADER + csvRow(2000));
  await eventually(() => expect(sortedRows()).toEqual([...range(0, 1210), 2000]));
  expect([...world.ledger.packs.values()].slice(0, 2)).toMatchObject([
    { agent: 'tail', first: 1, last: 500, exchanges: 500, dropped: {} },
    { first: 501, last: 1000 },
  ]);
  await eventually(() => expect(counts).toMatchObject({ rows: 1211, sent: 1211, refused: {} }));
  expect(tail.state()).toMatchObject({ files: 2, bytesBehind: 0, bytesMissing: 0 });
  expect(world.ledger.faults).toEqual([]);
});

test('a pattern that leads to no file yet is told once, with the folder; the file is tailed when it comes', async () => {
  const told: unknown[] = [];
  const info = (fields: object, message?: string) => void told.push([message, fields]);
  await world.start('late*.csv', {}, { ...silentLogger, info });
  await eventually(() => expect(told).toEqual([['nothing to tail yet', { folders: [world.dir] }]]));
  writeFileSync(world.path('late.csv'), HEADER + csvRow(1));
  await eventually(() => expect(world.ledger.rows).toEqual([1]));
  expect(told.map((line) => (line as string[])[0])).toEqual(['nothing to tail yet', 'tailing']);
});

test('JSON Lines; what cannot be used costs one row, and the account of the ledger says so', async () => {
  const file = world.path('a.jsonl');
  writeFileSync(file, `${jsonRow(1)}not json\n[1]\n\n${jsonRow(2).replace('0.25', '25')}`);
  appendFileSync(file, Buffer.from([0xff, 0xfe, 0x0a]));
  appendFileSync(file, `{"x": "${'y'.repeat(200_000)}"}\n${jsonRow(3)}`);
  const { counts } = await world.start('a.jsonl');
  await eventually(() => expect(world.ledger.rows).toEqual([1, 3]));
  const refused = { tail_unreadable: 3, tail_unusable: 1, tail_too_long: 1 };
  await eventually(() => expect(counts).toMatchObject({ rows: 7, sent: 2, refused }));
  expect(world.ledger.dropped()).toEqual(refused);
});

test('a line waits for its end, a quoted line break for its quote', async () => {
  const file = world.path('a.csv');
  writeFileSync(file, `${HEADER}${csvRow(1)}${csvRow(2).slice(0, -5)}`);
  const { counts } = await world.start('a.csv');
  await eventually(() => expect(counts.rows).toBe(1));
  appendFileSync(file, `${csvRow(2).slice(-5)}2026-01-01,0.5,3,"Sales`);
  await eventually(() => expect(counts.rows).toBe(2));
  appendFileSync(file, '\nand more');
  appendFileSync(file, '"\n');
  await eventually(() => expect(world.ledger.rows).toEqual([1, 2, 3]));
  expect(counts.refused).toEqual({});
});

test('a quote that stays open costs its line, not the file', async () => {
  const file = world.path('a.csv');
  writeFileSync(file, `${HEADER}${csvRow(1)}2026-01-01,0.5,2,"Sales\n`);
  append(file, range(3, 2000), (n) => `2026-01-01,0.5,${n},Sales\n`);
  await world.start('a.csv', { longest: 4096 });
  await eventually(() => expect(world.ledger.rows.length).toBeGreaterThan(1000));
  append(file, range(2000, 2200), (n) => `2026-01-01,0.5,${n},Sales\n`);
  await eventually(() => expect(world.ledger.rows).toEqual([1, ...range(3, 2200)]));
  expect(world.ledger.dropped()).toEqual({ tail_unreadable: 1 });
});

test('a header that lacks a column refuses the rows of its file and no others; the next one may have another order', async () => {
  writeFileSync(world.path('a.csv'), `time,income,job\n${'2026-01-01,7,Office\n'.repeat(3)}`);
  writeFileSync(world.path('b.csv'), 'job;income;score;time\nOffice;8;0.5;2026-01-01\n');
  writeFileSync(world.path('c.csv.gz'), 'no gzip at all, but named so');
  const { counts } = await world.start('*');
  await eventually(() => expect(counts.refused).toEqual({ tail_header: 3 }));
  await eventually(() => expect(world.ledger.rows).toEqual([8]));
  expect(world.ledger.dropped()).toEqual({ tail_header: 3 });
});

test('versions by a column, labels with the rows, archives left alone', async () => {
  writeFileSync(world.path('a.csv'), 'time,score,income,job,v,bad\n2026-01-01,0.5,1,A,1,1\n2026-01-01,0.5,2,A,9,0\n');
  writeFileSync(world.path('b.csv'), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]));
  const { counts } = await world.start('*.csv', {
    mapping: { ...MAPPING, version: { column: 'v' }, label: 'bad' },
  });
  await eventually(() => expect(counts).toMatchObject({ rows: 2, refused: { tail_version: 1 }, foreignFiles: 1 }));
  expect([...world.ledger.labels.values()]).toEqual([1]);
  expect(statSync(world.path('b.csv')).size).toBe(7);
});

test('labels that the recorder will never take hold up no row, and are counted', async () => {
  world.ledger.refused = { count: 1, reason: 'no such class' };
  const file = world.path('a.csv');
  writeFileSync(file, `${HEADER.trimEnd()},bad\n2026-01-01,0.5,1,A,1\n2026-01-01,0.5,2,A,0\n`);
  const { counts, tail } = await world.start('*.csv', { mapping: { ...MAPPING, label: 'bad' } });
  await eventually(() => expect(counts).toMatchObject({ rows: 2, sent: 2, labels: 1, labelsRefused: 1 }));
  world.ledger.refused = undefined;
  appendFileSync(file, '2026-01-01,0.5,3,A,0\n');
  await eventually(() => expect(counts).toMatchObject({ rows: 3, labels: 2, labelsRefused: 1, failures: 0 }));
  expect(tail.flowing).toBe(true);
});

test('hundreds of files with few open at a time', async () => {
  const files = range(0, 250);
  for (const n of files) writeFileSync(world.path(`${n}.jsonl`), jsonRow(n));
  const { tail } = await world.start('*.jsonl', { mostOpen: 8 });
  await eventually(() => expect(sortedRows()).toEqual(files));
  await eventually(() => expect(tail.state().openFiles).toBeLessThanOrEqual(8));
  for (const n of files.slice(0, 20)) append(world.path(`${n}.jsonl`), [n + 10_000], jsonRow);
  await eventually(() => expect(sortedRows()).toEqual([...files, ...range(10_000, 10_020)]));
  expect(world.ledger.faults).toEqual([]);
});
