import { type ChangeKind, END_PHASES } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { ChangeEnd, StoredChange, Transition } from '../change.ts';
import type { NewChange, Outcome, Tell } from '../ports.ts';
import { insertChange } from './changes.ts';
import { putOut } from './outbox.ts';
import { type ChangeRow, toStored } from './rows.ts';
import * as sql from './sql.ts';
import { transaction } from './transaction.ts';

type Moved = Extract<Outcome, { kind: 'moved' }>;
export type MovedRow = ChangeRow & { readonly ended: boolean };

/** Kinds of changes whose version serves once they are live. */
const SERVES: readonly ChangeKind[] = ['deploy', 'rollback'];

/** Writes a move and all that goes with it in one transaction; undefined when the turn does not hold the change any more. */
export function moved(
  pool: Pool,
  { change }: StoredChange,
  turn: string,
  { transition, at }: Moved,
  tell: Tell,
): Promise<MovedRow | undefined> {
  if (isPlain(transition)) return move(pool, change.id, turn, transition, at);
  return transaction(pool, async (client) => {
    const row = await move(client, change.id, turn, transition, at);
    if (row === undefined) return undefined;
    for (const end of transition.ends ?? []) await endOther(client, end, at, tell);
    if (SERVES.includes(change.kind) && transition.phase === 'live') await stepBack(client, change.id, at);
    for (const next of transition.follow ?? []) await follow(client, next);
    await putOut(client, change.id, tell(toStored(row), transition.notice));
    return row;
  });
}

/** Nothing goes with it, and nobody is told: one statement is a transaction of its own. */
const isPlain = ({ phase, notice, ends, follow: next }: Transition): boolean =>
  !END_PHASES.includes(phase) && notice === undefined && ends === undefined && next === undefined;

async function move(client: Pool | PoolClient, id: string, turn: string, transition: Transition, at: string) {
  const { phase, reason, facts, pullRequest, image } = transition;
  const passed = (transition.through ?? []).map((each) => ({ phase: each, at }));
  const entry = { phase, at, ...(reason === undefined ? {} : { reason }) };
  const values = [phase, reason, JSON.stringify(facts ?? {}), pullRequest && JSON.stringify(seen(pullRequest)), image];
  const { rows } = await client.query<MovedRow>(sql.MOVE_CHANGE, [
    id,
    turn,
    ...values,
    JSON.stringify([...passed, entry]),
    at,
  ]);
  return rows[0];
}

/** Title and body of a pull request are the forge's to keep. */
function seen({ number, url, state, headSha, mergeCommit }: NonNullable<Transition['pullRequest']>): object {
  return { number, url, state, headSha, ...(mergeCommit === undefined ? {} : { mergeCommit }) };
}

async function stepBack(client: PoolClient, id: string, at: string): Promise<void> {
  const reason = `Change ${id} is live in its place.`;
  await client.query(sql.SUPERSEDE_LIVE, [id, reason, at, JSON.stringify([{ phase: 'superseded', at, reason }])]);
}

async function endOther(client: PoolClient, end: ChangeEnd, at: string, tell: Tell): Promise<void> {
  const { id, phase, reason } = end;
  const history = JSON.stringify([{ phase, at, reason }]);
  const { rows } = await client.query<ChangeRow>(sql.END_CHANGE, [id, phase, reason, at, history]);
  for (const row of rows) await putOut(client, id, tell(toStored(row), undefined));
}

/** The same change is the same row: a turn that is repeated adds nothing. */
async function follow(client: PoolClient, next: NewChange): Promise<void> {
  if (!(await insertChange(client, next))) return;
  const remember = next.change.kind === 'deploy' ? sql.INSERT_APPROVAL : sql.INSERT_REQUEST;
  await client.query(remember, [next.event, next.change.id]);
}
