import { asFairwayError, dayOfId, FairwayError } from '@fairway/core';
import type { DatabaseError, Pool, PoolClient } from 'pg';
import type { EarlyLabel, Ledger, PackOutcome, PackStore, Recording } from '../ports.ts';
import { appendCounts } from './counts.ts';
import { sqlState, withTransaction } from './database.ts';
import { SHARE_WITH_PACKS } from './label-lock.ts';
import { copyExchanges, copyPredictions } from './pack-rows.ts';

const INSERT_LEDGER = `
insert into monitoring.packs (pack_id, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (pack_id) do nothing`;

/** Most of the time nothing waits: then the pack need not say its thousand keys. */
const ANY_EARLY_LABELS = 'select exists (select from monitoring.early_labels) as waiting';

const TAKE_EARLY_LABELS = `
delete from monitoring.early_labels where key = any($1)
returning key, label, to_char(observed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "observedAt"`;

const KEEP_UNDATED = `
insert into monitoring.undated_predictions (id, day) select * from unnest($1::text[], $2::date[])
on conflict (id) do update set day = excluded.day`;

const KNOWN_EXCHANGES = `
select e.id from unnest($1::date[], $2::text[]) as g (day, id) join monitoring.exchanges e on e.day = g.day and e.id = g.id`;

const QUARANTINE_PACK = 'insert into monitoring.quarantined_packs (pack_id, reason, payload) values ($1, $2, $3)';

const QUARANTINE_EXCHANGE = `
insert into monitoring.quarantined_exchanges (pack_id, position, reason, frame) values ($1, $2, $3, $4)`;

/** Packs in PostgreSQL: the ledger row and everything it guards commit together. `prepare` makes partitions, where somebody does. */
export function packStore(pool: Pool, prepare: PackStore['prepare'] = async () => {}): PackStore {
  return {
    prepare,
    once: async (ledger, work, trial = false) => {
      try {
        return await withTransaction(
          pool,
          async (client) => {
            if (!(await insertLedger(client, ledger))) return 'known';
            await work({
              takeEarlyLabels: (keys) => takeEarlyLabels(client, keys),
              write: (rows) => writeRows(client, ledger.packId, rows),
            });
            if (trial) throw new TakenBack();
            return 'stored';
          },
          `begin; ${SHARE_WITH_PACKS}`,
        );
      } catch (error) {
        return error instanceof TakenBack ? 'stored' : outcomeOf(error);
      }
    },
    known: async (exchanges) => {
      const keys = [exchanges.map(({ day }) => day), exchanges.map(({ id }) => id)];
      return (await pool.query<{ id: string }>(KNOWN_EXCHANGES, keys)).rows.map(({ id }) => id);
    },
    quarantine: (ledger, payload, reason) =>
      withTransaction(pool, async (client) => {
        if (await insertLedger(client, ledger)) await client.query(QUARANTINE_PACK, [ledger.packId, reason, payload]);
      }),
  };
}

/** The end of a trial: its transaction is rolled back. */
class TakenBack extends Error {}

async function takeEarlyLabels(client: PoolClient, keys: () => readonly string[]): Promise<readonly EarlyLabel[]> {
  const { rows } = await client.query<{ waiting: boolean }>({ name: 'any-early-labels', text: ANY_EARLY_LABELS });
  if (!rows[0]?.waiting) return [];
  return (await client.query<EarlyLabel>(TAKE_EARLY_LABELS, [keys()])).rows;
}

async function writeRows(client: PoolClient, packId: string, rows: Omit<Recording, 'ledger'>): Promise<void> {
  await copyExchanges(client, rows.exchanges);
  await copyPredictions(client, rows.predictions);
  const undated = rows.predictions.filter(({ id }) => dayOfId(id) === undefined);
  if (undated.length > 0)
    await client.query(KEEP_UNDATED, [undated.map(({ id }) => id), undated.map(({ day }) => day)]);
  for (const { position, reason, frame } of rows.refused) {
    await client.query(QUARANTINE_EXCHANGE, [packId, position, reason, frame]);
  }
  await appendCounts(client, rows.profile, rows.scores);
}

async function insertLedger(client: PoolClient, ledger: Ledger): Promise<boolean> {
  const { packId, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped } = ledger;
  const values = [packId, agent, epoch, first, last, model, exchanges, stored, quarantined, JSON.stringify(dropped)];
  return (await client.query({ name: 'insert-ledger', text: INSERT_LEDGER, values })).rowCount === 1;
}

/** What would come again: bad data, nesting or rows beyond PostgreSQL's limits (54xxx). Everything else is tried again. */
const DATA_ERROR = /^(?:22|54)/;
/** `COPY predictions, line 251, column inputs`; binary rows have numbers too. */
const WHERE = /^COPY (\w+), line (\d+)/m;

function outcomeOf(error: unknown): PackOutcome {
  const state = sqlState(error);
  if (state === '23505') return 'overlap';
  if (state !== undefined && DATA_ERROR.test(state)) {
    const { message, where = '' } = error as DatabaseError;
    const [place, table, line] = WHERE.exec(where) ?? [];
    if (place === undefined || table === undefined) return { poison: message };
    return { poison: `${message} (${place})`, table, line: Number(line) };
  }
  if (state === undefined) throw asFairwayError(error);
  throw new FairwayError('database.unavailable', `PostgreSQL could not take the pack: ${(error as Error).message}.`, {
    cause: error,
  });
}
