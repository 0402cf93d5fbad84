import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const TABLES = ['monitoring.exchanges', 'monitoring.predictions'] as const;
const CHUNK = 256 * 1024;

type Rows = ReadonlyMap<string, Buffer>;

/** Every stored row of the tables, as COPY text. */
export async function wholeRows(pool: Pool): Promise<Rows> {
  const rows = new Map<string, Buffer>();
  await withClient(pool, async (client) => {
    for (const table of TABLES) {
      rows.set(table, await buffer(client.query(copyTo(`copy (select * from ${table} order by day, id) to stdout`))));
    }
  });
  return rows;
}

/** The rows again by one COPY for each table, in one transaction; answers ms. */
export async function plainCopy(pool: Pool, rows: Rows): Promise<number> {
  const start = performance.now();
  await withClient(pool, async (client) => {
    await client.query('begin');
    for (const [table, bytes] of rows) {
      await pipeline(Readable.from(pieces(bytes)), client.query(copyFrom(`copy ${table} from stdin`)));
    }
    await client.query('commit');
  });
  return performance.now() - start;
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function withClient(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release();
  }
}
