import { type ChangeKind, END_PHASES } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { ChangeEnd, StoredChange, Transition } from '../change.ts';
import type { NewChange, Outcome, Tell } from '../ports.ts';
import { insertChange } from './changes.ts';
import { putOut } from './outbox.ts';
import { type ChangeRow, toStored } from './rows.ts';
import * as sql from './sql.ts';
import { allOrEach, columnsOf } from './together.ts';
import { transaction } from './transaction.ts';

type Moved = Extract<Outcome, { kind: 'moved' }>;
export type MovedRow = ChangeRow & { readonly ended: boolean };

/** Kinds of changes whose version serves once they are live. */
const SERVES: readonly ChangeKind[] = ['deploy', 'rollback'];

/** A change that is moved, and the turn that holds it. */
type Move = Pick<Moved, 'transition' | 'at'> & { readonly change: StoredChange['change']; readonly turn: string };

/** Writes a move and all that goes with it; undefined when the turn does not hold the change any more. */
export type WriteMove = (move: Move) => Promise<MovedRow | undefined>;

/** Plain moves go together; one that takes more along is a transaction of its own. `tell`: what each puts into the outbox. */
export function moves(pool: Pool, tell: Tell): WriteMove {
  const plain = allOrEach<Move, MovedRow | undefined>((all) => moveAll(pool, all));
  return (move) => (isPlain(move.transition) ? plain(move) : moveWithMore(pool, move, tell));
}

function moveWithMore(pool: Pool, move: Move, tell: Tell): Promise<MovedRow | undefined> {
  const { change, transition, at } = move;
  return transaction(pool, async (client) => {
    const [row] = await moveAll(client, [move]);
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

async function moveAll(client: Pool | PoolClient, all: readonly Move[]): Promise<Array<MovedRow | undefined>> {
  const { rows } = await client.query<MovedRow>(sql.MOVE_CHANGES, columnsOf(all.map(valuesOf)));
  const byId = new Map(rows.map((row) => [row.id, row]));
  return all.map(({ change }) => byId.get(change.id));
}

function valuesOf({ change, turn, transition, at }: Move): unknown[] {
  const { phase, reason, facts, pullRequest, image } = transition;
  const passed = (transition.through ?? []).map((each) => ({ phase: each, at }));
  const entry = { phase, at, ...(reason === undefined ? {} : { reason }) };
  const values = [phase, reason, JSON.stringify(facts ?? {}), pullRequest && JSON.stringify(seen(pullRequest)), image];
  return [change.id, turn, ...values, JSON.stringify([...passed, entry]), at];
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
