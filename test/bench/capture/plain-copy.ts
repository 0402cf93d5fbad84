import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const TABLES = { pack_frames: 'day, pack', exchange_rows: 'day, id', prediction_rows: 'day, id' } as const;

/** What one pack has stored in each of the tables, in COPY's binary format. */
type PackRows = ReadonlyArray<readonly [table: string, rows: Buffer]>;

/** Every stored row of the tables, pack by pack, and once more in files of the server. `folder` is the server's own. */
export async function writeRows(pool: Pool, folder: string): Promise<readonly PackRows[]> {
  for (const [table, order] of Object.entries(TABLES)) {
    const rows = `select * from monitoring.${table} order by ${order}`;
    await pool.query(`copy (${rows}) to '${join(folder, table)}.copy' (format binary)`);
  }
  const { rows } = await pool.query<{ pack: string }>('select distinct pack from monitoring.pack_frames order by pack');
  return connected(pool, async (client) => {
    const packs: PackRows[] = [];
    for (const { pack } of rows) packs.push(await rowsOf(client, pack));
    return packs;
  });
}

async function rowsOf(client: PoolClient, pack: string): Promise<PackRows> {
  const of: Array<readonly [table: string, rows: Buffer]> = [];
  for (const table of Object.keys(TABLES)) {
    const rows = copyTo(
      `copy (select * from monitoring.${table} where pack = ${Number(pack)}) to stdout (format binary)`,
    );
    of.push([table, Buffer.concat(await client.query(rows).toArray())]);
  }
  return of.filter(([, rows]) => rows.length > EMPTY);
}

/** Header and trailer of the format. */
const EMPTY = 21;

/**
 * The rows again as a plain client loads them, and as the recorder has to: over one connection, each pack a transaction, ready-made
 * rows. Answers ms.
 */
export const clientCopy = (pool: Pool, packs: readonly PackRows[]): Promise<number> =>
  connected(pool, async (client) => {
    const start = performance.now();
    for (const pack of packs) {
      await client.query('begin');
      for (const [table, rows] of pack) {
        const copy = client.query(copyFrom(`copy monitoring.${table} from stdin (format binary)`));
        await pipeline(Readable.from([rows]), copy);
      }
      await client.query('commit');
    }
    return performance.now() - start;
  });

/** The rows again, read by the server itself from its files with one COPY for each table in one transaction: its fastest. Answers ms. */
export async function serverCopy(pool: Pool, folder: string): Promise<number> {
  const start = performance.now();
  const copy = (table: string) => `copy monitoring.${table} from '${join(folder, table)}.copy' (format binary);`;
  const copies = Object.keys(TABLES).map(copy);
  await pool.query(`begin; ${copies.join(' ')} commit`);
  return performance.now() - start;
}

async function connected<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}
