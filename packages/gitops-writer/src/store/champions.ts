import type { Pool } from 'pg';
import type { ChampionBook, SeenChampion } from '../ports.ts';
import { putOut } from './outbox.ts';
import * as sql from './sql-champions.ts';
import { transaction, unavailable } from './transaction.ts';

type Row = { readonly seen: Omit<SeenChampion, 'lookedAt'>; readonly looked_at: Date };

const seenOf = ({ seen, looked_at }: Row): SeenChampion => ({ ...seen, lookedAt: looked_at.toISOString() });

/** What was seen of champions, in PostgreSQL. */
export function championBook(pool: Pool): ChampionBook {
  const ask = async <R extends object>(query: string, values: unknown[]): Promise<R[]> => {
    try {
      return (await pool.query<R>(query, values)).rows;
    } catch (error) {
      throw unavailable(error);
    }
  };
  return {
    read: async (model) => (await ask<Row>(sql.READ_CHAMPION, [model])).map(seenOf)[0],
    list: async () => (await ask<Row>(sql.LIST_CHAMPIONS, [])).map(seenOf),
    write: async ({ lookedAt, ...seen }, told) => {
      const values = [seen.model, JSON.stringify(seen), lookedAt];
      if (told.length === 0) await ask(sql.WRITE_CHAMPION, values);
      else
        await transaction(pool, async (client) => {
          await client.query(sql.WRITE_CHAMPION, values);
          await putOut(client, undefined, told);
        });
    },
    decided: async (model, environment, prefix) => {
      type Decided = { readonly event: string; readonly change: string; readonly created_at: Date };
      const [row] = await ask<Decided>(sql.FIND_DECIDED, [model, environment, prefix]);
      return row && { event: row.event, change: row.change, at: row.created_at.toISOString() };
    },
  };
}
