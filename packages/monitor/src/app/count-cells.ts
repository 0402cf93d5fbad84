import type { ProfileCount } from '@fairway/core';
import { startOfHour } from './count.ts';

/** A prediction whose label moves counts. */
export type Counted = Pick<ProfileCount, 'model' | 'version' | 'environment'> & {
  readonly time: string;
  readonly label: number | null;
  /** How often it counts, 1 where nothing is said; below zero it is taken away. */
  readonly weight?: number;
};

type Cell = readonly [variable: string, bin: number, count: number];

/** Adds up what each row gives, by model, version, environment and hour; sorted, without what comes to 0. */
export function countCells<T extends Counted>(
  rows: readonly T[],
  cellsOf: (row: T) => readonly Cell[],
): ProfileCount[] {
  const counts = new Map<string, ProfileCount>();
  for (const row of rows) {
    const cells = cellsOf(row);
    if (cells.length === 0) continue;
    const { model, version, environment, weight = 1 } = row;
    const hour = startOfHour(row.time);
    for (const [variable, bin, count] of cells) {
      const key = [model, version, environment, hour, variable, bin].join('\u0001');
      const known = counts.get(key)?.count ?? 0;
      counts.set(key, { model, version, environment, hour, variable, bin, count: known + count * weight });
    }
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, cell]) => (cell.count === 0 ? [] : [cell]));
}
