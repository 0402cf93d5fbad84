import { batched, type Batched } from '@fairway/core';
import { DatabaseError, type Pool } from 'pg';
import { unavailable } from './transaction.ts';

/** The rows that answer a question. Throws `database.unavailable`. */
export type Question<R> = (values: ReadonlyArray<string | undefined>) => Promise<R[]>;

const AT_ONCE = 100;

/**
 * Asks a question of `$1`, `$2`, … (all text) in one statement for all who ask while the last one is under way: in a burst a
 * statement of its own for each costs more than its answer. Rows of one answer keep the order of the question.
 */
export function together<R extends object>(pool: Pool, question: string): Question<R> {
  const parameters = Math.max(...[...question.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  const columns = Array.from({ length: parameters }, (_, i) => `v${i + 1}`);
  const text = `
SELECT asked.place::int AS place, answer.*
FROM unnest(${columns.map((_, i) => `$${i + 1}::text[]`).join(', ')}) WITH ORDINALITY AS asked (${columns.join(', ')}, place)
CROSS JOIN LATERAL (${question.replaceAll(/\$(\d+)/g, 'asked.v$1')}) AS answer`;
  return batched<ReadonlyArray<string | undefined>, R[]>({ max: AT_ONCE }, async (asked) => {
    const values = columns.map((_, i) => asked.map((one) => one[i] ?? null));
    const { rows } = await pool.query<R & { place: number }>(text, values).catch((error: unknown) => {
      throw unavailable(error);
    });
    const answers = asked.map(() => ({ value: [] as R[] }));
    for (const row of rows) answers[row.place - 1]?.value.push(row);
    return answers;
  });
}

/**
 * Group commit: `write` is one statement for all that wait while the last one is under way. Where the server refuses it, each goes
 * alone and in order, so that what cannot be written takes nobody along. Where the way to it breaks, nobody knows what is there.
 */
export const allOrEach = <I, O>(write: (items: readonly I[]) => Promise<readonly O[]>): Batched<I, O> =>
  batched<I, O>({ max: AT_ONCE }, async (items) => {
    try {
      return (await write(items)).map((value) => ({ value }));
    } catch (error) {
      if (items.length === 1 || !(error instanceof DatabaseError)) throw error;
    }
    const outcomes: Array<{ readonly value: O } | { readonly error: unknown }> = [];
    for (const item of items) {
      const alone = write([item]).then(([value]) => ({ value: value as O }));
      outcomes.push(await alone.catch((error: unknown) => ({ error })));
    }
    return outcomes;
  });

/** Rows as the columns that `unnest` takes. */
export const columnsOf = (rows: ReadonlyArray<readonly unknown[]>): unknown[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? null));
