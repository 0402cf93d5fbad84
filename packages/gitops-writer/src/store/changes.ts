import { type Clock, iso } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { Accepted, ChangeFilter, ChangeIntake, ChangeReader, LoadedVersion, NewChange } from '../ports.ts';
import { type ChangeRow, type ListRow, toChange, toStored } from './rows.ts';
import * as sql from './sql.ts';
import { transaction, unavailable } from './transaction.ts';

/** Reads changes from PostgreSQL. */
export function changeReader(pool: Pool): ChangeReader {
  const rows = <R extends object>(query: string, values: unknown[]) => ask<R>(pool, query, values);
  const one = async (query: string, values: unknown[]) => {
    const [row] = await rows<ListRow>(query, values);
    return row === undefined ? undefined : toChange(row);
  };
  return {
    find: (id) => one(sql.FIND_CHANGE, [id]),
    list: async ({ model, kind, phase, environment }: ChangeFilter) =>
      (await rows<ListRow>(sql.LIST_CHANGES, [model, kind, phase, environment])).map(toChange),
    newer: ({ model, environment, id }) => one(sql.FIND_NEWER, [model, environment, id]),
    live: async () => (await rows<ListRow>(sql.LIST_LIVE, [])).map(toChange),
    merged: (model, version) => one(sql.FIND_MERGED, [model, version]),
    loaded: async (model, version, digest) => {
      type Row = { model_version: LoadedVersion['modelVersion']; baseline: LoadedVersion['baseline'] };
      const [row] = await rows<Row>(sql.FIND_LOADED, [model, version, digest]);
      return row === undefined ? undefined : { modelVersion: row.model_version, baseline: row.baseline };
    },
  };
}

/** The door of the store: each acceptance is one transaction. */
export function changeIntake(pool: Pool, clock: Clock): ChangeIntake {
  return {
    byEvent: async (kind, event) => {
      const [row] = await ask<ChangeRow>(pool, sql.FIND_BY_EVENT, [event, kind]);
      return row === undefined ? undefined : toStored(row);
    },
    acceptApproval: (created, loaded) => transaction(pool, (client) => approve(client, created, loaded)),
    acceptRequest: (created) => transaction(pool, (client) => request(client, created, clock)),
  };
}

async function approve(client: PoolClient, created: NewChange, loaded: LoadedVersion): Promise<Accepted> {
  const { change, evidence } = created;
  if (evidence.kind !== 'deploy') throw new TypeError('an approval leads to a deploy change');
  const { eventId } = evidence.approval;
  await client.query(sql.LOCK_NAME, [`approval ${eventId}`]);
  const known = await findByEvent(client, 'deploy', eventId);
  if (known !== undefined) return { created: false, change: toChange(known) };
  const { modelVersion, baseline } = loaded;
  const { model, version, digest } = modelVersion;
  await client.query(sql.INSERT_LOADED, [
    model,
    version,
    digest,
    JSON.stringify(modelVersion),
    JSON.stringify(baseline),
  ]);
  await insertChange(client, created);
  await client.query(sql.INSERT_APPROVAL, [eventId, change.id]);
  return { created: true, change };
}

async function request(client: PoolClient, created: NewChange, clock: Clock): Promise<Accepted> {
  const { change, evidence } = created;
  if (evidence.kind !== 'retrain') throw new TypeError('a request leads to a retrain change');
  const { dedupeKey } = evidence.request;
  // All requests of one model queue here, so that two at once cannot both find no open retraining.
  await client.query(sql.LOCK_NAME, [`retrain ${change.model}`]);
  const known = await findByEvent(client, 'retrain', dedupeKey);
  if (known !== undefined) return { created: false, change: toChange(known) };
  const { rows } = await client.query<ChangeRow>(sql.FIND_OPEN_RETRAIN, [change.model]);
  const open = rows[0];
  if (open === undefined) await insertChange(client, created);
  else if (open.evidence.kind === 'retrain') {
    const next = JSON.stringify({ ...evidence, revision: open.evidence.revision + 1 });
    await client.query(sql.REPLACE_REQUEST, [open.id, next, iso(clock.now())]);
  }
  await client.query(sql.INSERT_REQUEST, [dedupeKey, open?.id ?? change.id]);
  return { created: open === undefined, change: open === undefined ? change : toChange(open) };
}

async function insertChange(client: PoolClient, { change, evidence }: NewChange): Promise<void> {
  const { id, kind, model, version, environment, digest, phase, branch, actor, history, createdAt } = change;
  const json = [JSON.stringify(evidence), JSON.stringify(history)];
  await client.query(sql.INSERT_CHANGE, [
    id,
    kind,
    model,
    version,
    environment,
    digest,
    phase,
    branch,
    actor,
    ...json,
    createdAt,
  ]);
}

async function findByEvent(client: Pool | PoolClient, kind: string, event: string): Promise<ChangeRow | undefined> {
  const { rows } = await client.query<ChangeRow>(sql.FIND_BY_EVENT, [event, kind]);
  return rows[0];
}

/** Queries outside a transaction; a database that is away is told in a sentence. */
async function ask<R extends object>(pool: Pool, query: string, values: unknown[]): Promise<R[]> {
  try {
    return (await pool.query<R>(query, values)).rows;
  } catch (error) {
    throw unavailable(error);
  }
}
