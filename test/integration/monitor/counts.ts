import type { Pool } from 'pg';
import { type Baseline, binOf, guardBinOf, scoreBin } from '@fairway/core';

type Row = {
  time: Date;
  score: number | null;
  label: number;
  inputs: Record<string, string | number | null>;
  version: string;
};

const hourOf = (time: Date) => new Date(Math.floor(time.getTime() / 3_600_000) * 3_600_000).toISOString();

/** Every count, made again from the stored rows: what the profile tables have to hold. */
export async function recount(pool: Pool, baseline: Baseline): Promise<Map<string, number>> {
  const { rows } = await pool.query<Row>('select time, score, label, inputs, version from monitoring.predictions');
  const cells = new Map<string, number>();
  const add = (key: string) => cells.set(key, (cells.get(key) ?? 0) + 1);
  for (const { time, score, label, inputs, version } of rows) {
    add(`${version}/${hourOf(time)}/score/${scoreBin(score) ?? -1}/${label}`);
    for (const variable of baseline.variables) {
      add(`${version}/${hourOf(time)}/${variable.name}/${binOf(variable, inputs[variable.name])}`);
      const guard = guardBinOf(variable, inputs[variable.name]);
      if (guard !== undefined) add(`${version}/${hourOf(time)}/${variable.name}/${guard}`);
    }
  }
  return cells;
}

/** What the profile tables do hold, without cells that have come back to zero. */
export async function stored(pool: Pool): Promise<Map<string, number>> {
  const cells = new Map<string, number>();
  const profile = await pool.query<{ version: string; hour: Date; variable: string; bin: number; count: number }>(
    'select version, hour, variable, bin, sum(count)::float8 as count from monitoring.all_profile_counts group by 1, 2, 3, 4 having sum(count) <> 0',
  );
  for (const { version, hour, variable, bin, count } of profile.rows)
    cells.set(`${version}/${hourOf(hour)}/${variable}/${bin}`, count);
  const scores = await pool.query<{ version: string; hour: Date; bin: number; label: number; count: number }>(
    'select version, hour, bin, label, sum(count)::float8 as count from monitoring.all_score_counts group by 1, 2, 3, 4 having sum(count) <> 0',
  );
  for (const { version, hour, bin, label, count } of scores.rows)
    cells.set(`${version}/${hourOf(hour)}/score/${bin}/${label}`, count);
  return cells;
}

export const sorted = (cells: ReadonlyMap<string, number>) => [...cells].sort(([a], [b]) => (a < b ? -1 : 1));

const CELL = {
  profile: ['variable, bin', "'{}'::int[], '{}'::int2[], '{}'::int8[], array[variable], array[bin]", ''],
  score: ['bin, label', 'array[bin], array[label]', ", '{}'::text[], '{}'::int[], '{}'::int8[]"],
} as const;

/** Appends to the counts of the cells that `where` names: `by` is an expression of `count`, which a cell holds altogether. */
export async function spoil(pool: Pool, kind: keyof typeof CELL, by: string, where: string): Promise<void> {
  const [cell, before, after] = CELL[kind];
  await pool.query(`insert into monitoring.appended_counts
    select hour, 1, model, version, environment, ${before}, array[${by}]${after} from (
      select model, version, environment, hour, ${cell}, sum(count)::int8 as count
      from monitoring.all_${kind}_counts group by model, version, environment, hour, ${cell}
    ) cells where ${where}`);
}
