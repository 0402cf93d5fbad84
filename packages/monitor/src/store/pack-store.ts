import { asFairwayError, dayOfId, FairwayError } from '@fairway/core';
import type { DatabaseError, Pool, PoolClient } from 'pg';
import type { EarlyLabel, ExchangeRow, Ledger, PackOutcome, PackStore, Recording } from '../ports.ts';
import { NAME_OF_LABEL } from './class-names.ts';
import { type Ask, batch, type Part } from './batch.ts';
import { appendCounts } from './counts.ts';
import { sqlState, withClient, withTransaction } from './database.ts';
import { dayFrames } from './frames.ts';
import { SHARE_WITH_PACKS } from './label-lock.ts';
import { copyExchanges, copyFrames, copyLabels, copyPredictions, isLabelled } from './pack-rows.ts';
import { streamsOf } from './streams.ts';
import { markUncounted } from './uncounted-hours.ts';

/** Most of the time no label waits: then the pack need not say its thousand keys. */
const INSERT_LEDGER = `
insert into monitoring.packs (pack_id, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (pack_id) do nothing
returning number, exists (select from monitoring.early_labels)`;
const BEGIN = { text: 'begin' };
const COMMIT = { text: 'commit' };
const ROLLBACK = { text: 'rollback' };

const TAKE_EARLY_LABELS = `
delete from monitoring.early_labels where key = any($1)
returning key, label, ${NAME_OF_LABEL}, to_char(observed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "observedAt"`;

const KEEP_UNDATED = `
insert into monitoring.undated_predictions (id, day) select * from unnest($1::text[], $2::date[])
on conflict (id) do update set day = excluded.day`;

const KNOWN_EXCHANGES = `
select g.id from unnest($1::date[], $2::text[]) as g (day, id)
where exists (select from monitoring.exchange_rows e where e.day = g.day and e.id = g.id)
  or exists (select from monitoring.prediction_rows p where p.day = g.day and p.id = g.id || '-0')`;

const QUARANTINE_PACK = 'insert into monitoring.quarantined_packs (pack_id, reason, payload) values ($1, $2, $3)';

const QUARANTINE_EXCHANGE = `
insert into monitoring.quarantined_exchanges (pack_id, position, reason, frame) values ($1, $2, $3, $4)`;

/** Packs in PostgreSQL: the ledger row and everything it guards commit together. `prepare` makes partitions, where somebody does. */
export function packStore(pool: Pool, prepare: PackStore['prepare'] = async () => {}): PackStore {
  return {
    prepare,
    once: async (ledger, work, trial = false) => {
      let written: Rows | undefined;
      try {
        return await withClient(pool, async (client) => {
          const begun = await begin(client, ledger);
          if (begun === undefined) {
            await client.query('rollback');
            return 'known';
          }
          await work({
            takeEarlyLabels: async (keys) => (begun.areLabelsWaiting ? takeEarlyLabels(client, keys()) : []),
            write: (rows) => {
              written = rows;
              return writeRows(client, { packId: ledger.packId, number: begun.number }, rows, trial);
            },
          });
          return 'stored';
        });
      } catch (error) {
        return outcomeOf(error, written);
      }
    },
    known: async (exchanges) => {
      const keys = [exchanges.map(({ day }) => day), exchanges.map(({ id }) => id)];
      return (await pool.query<{ id: string }>(KNOWN_EXCHANGES, keys)).rows.map(({ id }) => id);
    },
    quarantine: (ledger, payload, reason) =>
      withTransaction(pool, async (client) => {
        const known = (await batch(client, [insertLedger(ledger)])).length === 0;
        if (!known) await client.query(QUARANTINE_PACK, [ledger.packId, reason, payload]);
      }),
  };
}

/**
 * Opens the transaction of a pack. The labels are looked for by a statement of its own, after the lock: it sees what was kept until
 * then. undefined: the ledger knows the pack already.
 */
async function begin(
  client: PoolClient,
  ledger: Ledger,
): Promise<{ readonly number: number; readonly areLabelsWaiting: boolean } | undefined> {
  const lock = { name: 'share-with-packs', text: SHARE_WITH_PACKS };
  const [, row] = await batch(client, [BEGIN, lock, insertLedger(ledger)]);
  return row && { number: Number(row[0]), areLabelsWaiting: row[1] === 't' };
}

const takeEarlyLabels = async (client: PoolClient, keys: readonly string[]): Promise<readonly EarlyLabel[]> =>
  (await client.query<EarlyLabel>(TAKE_EARLY_LABELS, [keys])).rows;

type Rows = Omit<Recording, 'ledger'>;

/** Calls that are more or less than one prediction have a row of their own. */
const isAside = ({ instances }: ExchangeRow): boolean => instances !== 1;

/** Everything of a pack in one round trip, its commit too; a trial is taken back. */
async function writeRows(
  client: PoolClient,
  { packId, number }: { readonly packId: string; readonly number: number },
  rows: Rows,
  trial: boolean,
): Promise<void> {
  const undated = rows.predictions.filter(({ id }) => dayOfId(id) === undefined);
  if (undated.length > 0)
    await client.query(KEEP_UNDATED, [undated.map(({ id }) => id), undated.map(({ day }) => day)]);
  for (const { position, reason, frame } of rows.refused) {
    await client.query(QUARANTINE_EXCHANGE, [packId, position, reason, frame]);
  }
  await batch(client, [
    ...(await rowsOf(number, rows)),
    ...appendCounts([...rows.profile, ...rows.moved], rows.scores),
    ...markUncounted(rows.uncounted),
    trial ? ROLLBACK : COMMIT,
  ]);
}

async function rowsOf(number: number, rows: Rows): Promise<Part[]> {
  const { keep, idOf } = streamsOf(rows.exchanges);
  const { rows: frames, positionOf } = await dayFrames(rows);
  const aside = rows.exchanges.filter(isAside).map((row) => ({ row, stream: idOf(row), position: positionOf(row) }));
  const callOf = callsOf(rows);
  const predictions = rows.predictions.map((row, index) => {
    const call = callOf[index] as ExchangeRow;
    const position = isAside(call) ? null : positionOf(call);
    return { row, stream: idOf(call), position, sampling: call.sampling };
  });
  return [
    keep,
    ...copyFrames(number, frames),
    ...copyExchanges(number, aside),
    ...copyPredictions(number, predictions),
    ...copyLabels(rows.predictions.filter(isLabelled)),
  ];
}

/** The call of each prediction. */
function callsOf({ exchanges }: Pick<Rows, 'exchanges'>): readonly ExchangeRow[] {
  const calls: ExchangeRow[] = [];
  for (const exchange of exchanges) for (let i = 0; i < exchange.instances; i++) calls.push(exchange);
  return calls;
}

function insertLedger(ledger: Ledger): Ask {
  const { packId, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped } = ledger;
  const values = [packId, agent, epoch, first, last, model, exchanges, stored, quarantined, JSON.stringify(dropped)];
  return { name: 'insert-ledger', text: INSERT_LEDGER, values };
}

/** What would come again: bad data, nesting or rows beyond PostgreSQL's limits (54xxx). Everything else is tried again. */
const DATA_ERROR = /^(?:22|54)/;
/** `COPY prediction_rows, line 251, column inputs`; binary rows have numbers too. */
const WHERE = /^COPY (exchange|prediction)_rows\w*, line (\d+)/m;

function outcomeOf(error: unknown, written: Rows | undefined): PackOutcome {
  const state = sqlState(error);
  if (state === '23505') return 'overlap';
  if (state !== undefined && DATA_ERROR.test(state)) {
    const { message, where = '' } = error as DatabaseError;
    const [place, kind, line] = WHERE.exec(where) ?? [];
    if (place === undefined || written === undefined) return { poison: message };
    const calls = kind === 'exchange' ? written.exchanges.filter(isAside) : callsOf(written);
    const exchange = calls[Number(line) - 1]?.id;
    return { poison: `${message} (${place})`, ...(exchange === undefined ? {} : { exchange }) };
  }
  if (state === undefined) throw asFairwayError(error);
  throw new FairwayError('database.unavailable', `PostgreSQL could not take the pack: ${(error as Error).message}.`, {
    cause: error,
  });
}
