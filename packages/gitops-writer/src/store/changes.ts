import { type Clock, iso, sha256 } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { OpeningRequest } from '../change.ts';
import type {
  Accepted,
  ChangeFilter,
  ChangeIntake,
  ChangePage,
  ChangeReader,
  LoadedVersion,
  NewChange,
  Page,
  RejectedChange,
  Tell,
} from '../ports.ts';
import { type ChangeRow, type ListRow, toChange, toStored } from './rows.ts';
import { putOut } from './outbox.ts';
import * as sql from './sql.ts';
import { INSERT_REJECTED } from './sql-champions.ts';
import { allOrEach, columnsOf, together } from './together.ts';
import { transaction, unavailable } from './transaction.ts';

/** Reads changes from PostgreSQL. */
export function changeReader(pool: Pool): ChangeReader {
  const rows = <R extends object>(query: string, values: unknown[]) => ask<R>(pool, query, values);
  const all = async (query: string, values: unknown[]) => (await rows<ListRow>(query, values)).map(toChange);
  const one = async (query: string, values: unknown[]) => {
    const [row] = await rows<ListRow>(query, values);
    return row === undefined ? undefined : toChange(row);
  };
  const [rollbackOf, newer] = [
    together<ChangeRow>(pool, sql.FIND_ROLLBACK_OF),
    together<ListRow>(pool, sql.FIND_NEWER),
  ];
  const firstApproval = together<{ event: string }>(pool, sql.FIND_FIRST_APPROVAL);
  const findLoaded = together<LoadedRow>(pool, sql.FIND_LOADED);
  return {
    find: async (id) => {
      const [row] = await rows<ChangeRow>(sql.FIND_CHANGE, [id]);
      return row === undefined ? undefined : toStored(row);
    },
    rollbackOf: async (model, digest) => {
      const [row] = await rollbackOf([model, digest]);
      return row === undefined ? undefined : toStored(row);
    },
    list: (filter, page) => listPage(pool, filter, page),
    newer: async ({ model, environment, id }) => {
      const [row] = await newer([model, environment, id]);
      return row === undefined ? undefined : toChange(row);
    },
    live: () => all(sql.LIST_LIVE, []),
    wereLive: async (model, environment) =>
      (await rows<ChangeRow>(sql.LIST_WERE_LIVE, [model, environment])).map(toStored),
    open: (model, environment, kind) => all(sql.LIST_OPEN, [model, environment, kind]),
    merged: (model, version) => one(sql.FIND_MERGED, [model, version]),
    firstApproval: async (model, version, digest) => {
      const [row] = await firstApproval([model, version, digest]);
      return row?.event;
    },
    loaded: remembered(async (model, version, digest, golden) => {
      const [row] = await findLoaded([model, version, digest, golden]);
      if (row === undefined || (golden !== undefined && row.golden === null)) return undefined;
      const { model_version: modelVersion, baseline, golden: cases } = row;
      return { modelVersion, baseline, ...(cases === null ? {} : { golden: cases }) };
    }),
  };
}

type LoadedRow = {
  readonly model_version: LoadedVersion['modelVersion'];
  readonly baseline: LoadedVersion['baseline'];
  readonly golden: string | null;
};

/** Baselines are tens of kilobytes, and never change under their digest. As many as turns in flight: each asks three times. */
const MOST_REMEMBERED = 250;
/** Golden cases may be more than all else together: many of them are asked for again. */
const MOST_GOLDEN = 64 * 1024;

/** Keeps the last few answers. */
function remembered(read: ChangeReader['loaded']): ChangeReader['loaded'] {
  const known = new Map<string, LoadedVersion>();
  return async (model, version, digest, golden) => {
    const key = `${model} ${version} ${digest} ${golden}`;
    const found = known.get(key) ?? (await read(model, version, digest, golden));
    known.delete(key);
    if (found !== undefined && (found.golden ?? '').length <= MOST_GOLDEN) known.set(key, found);
    if (known.size > MOST_REMEMBERED) known.delete(known.keys().next().value ?? '');
    return found;
  };
}

/** The door of the store: each acceptance is one transaction. `tell`: what a rejection puts into the outbox. */
export function changeIntake(pool: Pool, clock: Clock, tell: Tell): ChangeIntake {
  const byEvent = together<ChangeRow>(pool, sql.FIND_BY_EVENT);
  const accept = allOrEach<NewApproval, boolean>((approvals) => acceptAll(pool, approvals));
  return {
    byEvent: async (kind, event) => {
      const [row] = await byEvent([event, kind]);
      return row === undefined ? undefined : toStored(row);
    },
    acceptApproval: async (created, loaded) => {
      try {
        if (await accept({ created, loaded })) return { created: true, change: created.change };
      } catch (error) {
        if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw unavailable(error);
      }
      return approvedBefore(pool, created);
    },
    reject: (created) => transaction(pool, (client) => reject(client, created, tell)),
    acceptRequest: (created) => transaction(pool, (client) => request(client, created, clock)),
    withdraw: async (id, withdrawal) => {
      const [row] = await ask<ListRow>(pool, sql.WITHDRAW, [id, JSON.stringify(withdrawal), withdrawal.at]);
      return row === undefined ? undefined : toChange(row);
    },
  };
}

type NewApproval = { readonly created: NewChange; readonly loaded: LoadedVersion };

/** Whether each is new; of two for the same change only the first is. */
async function acceptAll(pool: Pool, approvals: readonly NewApproval[]): Promise<boolean[]> {
  const rows = approvals.map(({ created, loaded: { modelVersion, baseline, golden } }) => {
    const cases = golden === undefined ? [null, null] : [sha256(golden), golden];
    return [...valuesOf(created), JSON.stringify(modelVersion), JSON.stringify(baseline), created.event, ...cases];
  });
  const answer = await pool.query<{ id: string }>(sql.ACCEPT_APPROVALS, columnsOf(rows));
  const created = new Set(answer.rows.map(({ id }) => id));
  return approvals.map(({ created: { change } }) => created.delete(change.id));
}

async function approvedBefore(pool: Pool, { change, event }: NewChange): Promise<Accepted> {
  const [row] = await ask<ChangeRow>(pool, sql.FIND_BY_EVENT, [event, 'deploy']);
  if (row === undefined) throw new Error(`change ${change.id} is there without its approval`);
  return { created: false, change: toChange(row) };
}

async function reject(client: PoolClient, created: RejectedChange, tell: Tell): Promise<Accepted> {
  const { change, evidence, event } = created;
  await client.query(sql.LOCK_NAME, [`rejected ${event}`]);
  const known = await findByEvent(client, 'deploy', event);
  if (known !== undefined) return { created: false, change: toChange(known) };
  await client.query(INSERT_REJECTED, [...valuesOf(created), change.reason]);
  await client.query(sql.INSERT_APPROVAL, [event, change.id]);
  const stored = { change, evidence, facts: {}, attempts: 0 };
  await putOut(client, change.id, tell(stored, created.notice));
  return { created: true, change };
}

/** SQLSTATE of PostgreSQL: somebody was faster. */
const UNIQUE_VIOLATION = '23505';

async function request(client: PoolClient, created: NewChange, clock: Clock): Promise<Accepted> {
  const { change, evidence, event } = created;
  const { kind, model, environment } = change;
  // All requests of one kind and model queue here, so that two at once cannot both find none open.
  await client.query(sql.LOCK_NAME, [`${kind} ${model}`]);
  const known = await findByEvent(client, kind, event);
  if (known !== undefined) return { created: false, change: toChange(known) };
  const { rows } = await client.query<ChangeRow>(sql.FIND_JOINED, [kind, model, environment]);
  const open = rows[0];
  if (open === undefined) await insertChange(client, created);
  else if (open.evidence.kind === 'retrain') {
    const { revision, request: before, opened = openingOf(before) } = open.evidence;
    const next = JSON.stringify({ ...evidence, revision: revision + 1, opened });
    await client.query(sql.REPLACE_REQUEST, [open.id, next, iso(clock.now())]);
  }
  await client.query(sql.INSERT_REQUEST, [event, open?.id ?? change.id]);
  return { created: open === undefined, change: open === undefined ? change : toChange(open) };
}

const openingOf = ({ version, environment, dedupeKey }: OpeningRequest): OpeningRequest => ({
  version,
  environment,
  dedupeKey,
});

const MOST = 1_000;

async function listPage(pool: Pool, filter: ChangeFilter, { limit, cursor }: Page): Promise<ChangePage> {
  const { model, kind, phases, environment } = filter;
  const most = Math.min(limit, MOST);
  const values = [model, kind, phases, environment, cursor, most + 1];
  const rows = await ask<ListRow & { readonly seq: string }>(pool, sql.LIST_CHANGES, values);
  const shown = rows.slice(0, most);
  const last = shown.at(-1);
  return { changes: shown.map(toChange), ...(rows.length > most && last !== undefined ? { next: last.seq } : {}) };
}

/** false when the change is there already. */
export async function insertChange(client: PoolClient, created: NewChange): Promise<boolean> {
  const { rowCount } = await client.query(sql.INSERT_CHANGE, valuesOf(created));
  return rowCount === 1;
}

function valuesOf({ change, evidence }: NewChange): unknown[] {
  const { id, kind, model, version, environment, digest, phase, branch, actor, history, createdAt } = change;
  const json = [JSON.stringify(evidence), JSON.stringify(history)];
  return [id, kind, model, version, environment, digest, phase, branch, actor, ...json, createdAt];
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
