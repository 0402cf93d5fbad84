import { asFairwayError, FairwayError } from '@fairway/core';
import type { DatabaseError, Pool, PoolClient } from 'pg';
import type { EarlyLabel, ExchangeRow, Ledger, PackOutcome, PackStore, PredictionRow } from '../ports.ts';
import { type Cell, copyRows } from './copy.ts';
import { addProfileCounts, addScoreCounts } from './counts.ts';
import { sqlState, withTransaction } from './database.ts';
import { SHARE_WITH_PACKS } from './label-lock.ts';

const INSERT_LEDGER = `
insert into monitoring.packs (pack_id, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (pack_id) do nothing`;

const TAKE_EARLY_LABELS = `
delete from monitoring.early_labels where key = any($1)
returning key, label, to_char(observed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "observedAt"`;

const KNOWN_EXCHANGES = 'select id from monitoring.exchanges where id = any($1)';

const QUARANTINE = 'insert into monitoring.quarantined_packs (pack_id, reason, payload) values ($1, $2, $3)';

/** Packs in PostgreSQL: the ledger row and everything it guards commit together. */
export function packStore(pool: Pool): PackStore {
  return {
    once: async (ledger, work) => {
      try {
        return await withTransaction(pool, async (client) => {
          await client.query(SHARE_WITH_PACKS);
          if (!(await insertLedger(client, ledger))) return 'known';
          await work({
            takeEarlyLabels: async (keys) => (await client.query<EarlyLabel>(TAKE_EARLY_LABELS, [keys])).rows,
            write: async ({ exchanges, predictions, profile, scores }) => {
              await copyRows(client, 'monitoring.exchanges', EXCHANGE_COLUMNS, exchanges.map(exchangeCells));
              await copyRows(client, 'monitoring.predictions', PREDICTION_COLUMNS, predictions.map(predictionCells));
              await addProfileCounts(client, profile);
              await addScoreCounts(client, scores);
            },
          });
          return 'stored';
        });
      } catch (error) {
        return outcomeOf(error);
      }
    },
    known: async (ids) => (await pool.query<{ id: string }>(KNOWN_EXCHANGES, [ids])).rows.map(({ id }) => id),
    quarantine: (ledger, payload, reason) =>
      withTransaction(pool, async (client) => {
        if (await insertLedger(client, ledger)) await client.query(QUARANTINE, [ledger.packId, reason, payload]);
      }),
  };
}

async function insertLedger(client: PoolClient, ledger: Ledger): Promise<boolean> {
  const { packId, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped } = ledger;
  const values = [packId, agent, epoch, first, last, model, exchanges, stored, quarantined, JSON.stringify(dropped)];
  return (await client.query(INSERT_LEDGER, values)).rowCount === 1;
}

/** Unique violation: an overlap. Data errors (22xxx, 54001) would come again: poison. Everything else is tried again. */
function outcomeOf(error: unknown): PackOutcome {
  const state = sqlState(error);
  if (state === '23505') return 'overlap';
  if (state !== undefined && (state.startsWith('22') || state === '54001')) {
    const { message, where } = error as DatabaseError;
    return { poison: where === undefined ? message : `${message} (${where.split(':')[0]})` };
  }
  if (state === undefined) throw asFairwayError(error);
  throw new FairwayError('database.unavailable', `PostgreSQL could not take the pack: ${(error as Error).message}.`, {
    cause: error,
  });
}

const EXCHANGE_COLUMNS = [
  'day',
  'id',
  'model',
  'version',
  'environment',
  'time',
  'status',
  'outcome',
  'latency_ms',
  'correlation_id',
  'request',
  'response',
  'head',
  'instances',
  'reason',
];

const exchangeCells = (row: ExchangeRow): Cell[] => [
  row.day,
  row.id,
  row.model,
  row.version,
  row.environment,
  row.time,
  row.status,
  row.outcome,
  row.latencyMs,
  row.correlationId,
  row.request,
  row.response,
  row.head,
  row.instances,
  row.reason,
];

const PREDICTION_COLUMNS = [
  'day',
  'id',
  'exchange',
  'model',
  'version',
  'version_source',
  'environment',
  'time',
  'score',
  'inputs',
  'outputs',
  'latency_ms',
  'status',
  'correlation_id',
  'label',
  'observed_at',
];

const predictionCells = (row: PredictionRow): Cell[] => [
  row.day,
  row.id,
  row.exchange,
  row.model,
  row.version,
  row.versionSource,
  row.environment,
  row.time,
  row.score,
  row.inputs,
  row.outputs,
  row.latencyMs,
  row.status,
  row.correlationId,
  row.label,
  row.observedAt,
];
