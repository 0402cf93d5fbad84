import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { batch, textArray } from '../../../packages/monitor/src/store/batch.ts';
import { copyOf } from '../../../packages/monitor/src/store/copy.ts';
import { startPostgres } from '../../harness/postgres.ts';

let database: Awaited<ReturnType<typeof startPostgres>>;
let client: Client;
beforeAll(async () => {
  database = await startPostgres();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query('create table numbers (n integer primary key, text text)');
});
afterAll(async () => {
  await client.end();
  await database.stop();
});
beforeEach(() => client.query('truncate numbers'));

const numbers = (items: readonly number[], text = 'x') =>
  copyOf('numbers', ['n', 'text'], items, (into, n) => {
    into.int4(n);
    into.text(text);
  });
const count = async () => (await client.query<{ n: number }>('select count(*)::int as n from numbers')).rows[0]?.n;
const upTo = (most: number) => Array.from({ length: most }, (_, n) => n);

test('parts run one after the other, and each sees what the one before it did', async () => {
  const sum = { name: 'sum', text: 'select sum(n), $1::text from numbers' };
  const rows = await batch(client, [
    { text: 'begin' },
    ...numbers([1, 2]),
    { ...sum, values: ['first'] },
    ...numbers([3]),
    { ...sum, values: [null] },
    { text: 'commit' },
  ]);
  expect(rows).toEqual([
    ['3', 'first'],
    ['6', null],
  ]);
  expect(await batch(client, [{ ...sum, values: ['again'] }])).toEqual([['6', 'again']]);
  expect(await batch(client, [])).toEqual([]);
});

test('texts of an array arrive as they were', async () => {
  const texts = ['a,b', 'q"u', String.raw`\n\\`, '', 'NULL', '{x}', ' grün 𝄞 ', "it's"];
  const rows = await batch(client, [{ text: 'select unnest($1::text[])', values: [textArray(texts)] }]);
  expect(rows.flat()).toEqual(texts);
});

test.each([
  ['a row of a COPY', () => numbers([7, 8, 7]), /duplicate key/, /^COPY numbers, line 3/],
  ['a statement', () => [{ name: 'bad', text: 'select 1 / $1::int', values: [0] }], /division by zero/, undefined],
  ['a table', () => copyOf('nothing', ['n'], [1], (into, n) => into.int4(n)), /does not exist/, undefined],
])('after %s that fails nothing runs, and the connection goes on', async (_, bad, message, where) => {
  const parts = () => [{ text: 'begin' }, ...numbers(upTo(5)), ...bad(), ...numbers([9]), { text: 'commit' }];
  for (let twice = 0; twice < 2; twice++) {
    const failure = await batch(client, parts()).catch((error: Error & { where?: string }) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    if (where !== undefined) expect(failure).toMatchObject({ where: expect.stringMatching(where) });
    await client.query('rollback');
    expect(await count()).toBe(0);
  }
});

test('rows that cannot be written stop the batch in the middle of a COPY', async () => {
  const bad = copyOf('numbers', ['n'], [1, 2], (into, n) => {
    if (n === 2) throw new Error('no such row');
    into.int4(n);
  });
  await expect(batch(client, [{ text: 'begin' }, ...bad, { text: 'commit' }])).rejects.toThrow('no such row');
  await client.query('rollback');
  expect(await count()).toBe(0);
});

test('what no socket takes at once goes down in pieces, also where the server refuses its first row', async () => {
  const long = 'x'.repeat(1000);
  await batch(client, [...numbers(upTo(20_000), long), ...numbers([20_000])]);
  expect(await count()).toBe(20_001);
  await expect(batch(client, [...numbers(upTo(20_000), long), ...numbers([30_000])])).rejects.toThrow(/duplicate key/);
  expect(await count()).toBe(20_001);
});
