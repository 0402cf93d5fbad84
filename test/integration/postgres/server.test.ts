import pg from 'pg';
import { expect, test } from 'vitest';
import { startOwnPostgres, startPostgres } from '../../harness/postgres.ts';

test('a fresh database answers and holds what it is given', async () => {
  const database = await startPostgres();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('create table t (x int)');
  await client.query('insert into t values (1)');
  expect((await client.query('select x from t')).rows).toEqual([{ x: 1 }]);
  await client.end();
  await database.stop();
});

test('the server runs as its own user and stops when asked', async () => {
  const server = await startOwnPostgres();
  await server.stop();
  expect(() => process.kill(server.pid, 0)).toThrow();
});
