import type { Clock, Window } from '@fairway/core';
import { totals } from '../metrics/counts.ts';
import type { Policy } from '../policy/schema.ts';
import type { JudgeStore, StoredPolicy } from '../ports.ts';
import { periodAt } from './periods.ts';
import type { References } from './references.ts';
import {
  FIRST_PERIOD,
  type SasColumn,
  sasColumns,
  sequenceOf,
  seriesPrefix,
  type Series,
  tableName,
} from './sas-names.ts';
import type { TrainingRows } from './sas-rows.ts';
import type { WindowStarts } from './windows.ts';

/** A table that was made; it is never made again. `start` and `end` are null, and `source` is not, where it holds training data. */
export type SasTable = Series & {
  readonly name: string;
  readonly sequence: number;
  readonly period: string;
  readonly start: string | null;
  readonly end: string | null;
  readonly rows: number;
  readonly labelled: number;
  readonly madeAt: string;
  /** sha256 of the file of training data. */
  readonly source: string | null;
};

export type SasStore = {
  /** Tables of a model, by environment, version and sequence. */
  made(model: string): Promise<readonly SasTable[]>;
  /** One transaction; false where another process made the table of this window meanwhile. */
  make(table: Window & Pick<SasTable, 'name' | 'sequence'>, columns: readonly SasColumn[]): Promise<boolean>;
  /** One transaction, with all of `data`; false, and none of it read, where there is a baseline already. */
  makeBaseline(table: Series & { name: string }, columns: readonly SasColumn[], data: TrainingRows): Promise<boolean>;
};

export type SasNeeds = {
  readonly store: SasStore;
  readonly starts: WindowStarts;
  readonly counts: JudgeStore['counts'];
  readonly policy: (model: string) => Promise<StoredPolicy | undefined>;
  readonly parsePolicy: (text: string, model: string) => Policy;
  readonly references: References;
  readonly clock: Clock;
};

/** Further back no table is made. */
const PERIODS_BACK = 400;

/**
 * Makes the tables of closed periods that have none: a period is closed when its end and the policy's label delay have passed,
 * and has its table when the labels reach the policy's coverage. Periods before the first such one of a version never get any.
 * A model without a usable policy has no periods, and gets none. Answers the names of the new tables.
 */
export async function makeSasTables(needs: SasNeeds, model: string, prefix: string): Promise<string[]> {
  const { store, starts, counts, references, clock } = needs;
  const stored = await needs.policy(model);
  if (stored === undefined || stored.problem !== null) return [];
  const { period } = needs.parsePolicy(stored.text, model);
  const made = await store.made(model);
  const first = firstPeriods(made);
  const known = new Set(made.map((one) => windowKey(one)));
  const found = await starts({ model, environment: undefined, every: period.every, last: PERIODS_BACK });
  const names: string[] = [];
  for (const { version, environment, start } of found.toReversed()) {
    const window = { model, version, environment, ...periodAt(period.every, start) };
    const begin = first.get(keyOf(window)) ?? { start, sequence: FIRST_PERIOD };
    const isOpen = Date.parse(window.end) + (period.labelDelay ?? 0) > clock.now();
    if (isOpen || start < begin.start || known.has(windowKey(window))) continue;
    const { predictions, labelled } = totals(await counts(window));
    if (labelled === 0 || labelled < period.coverageFloor * predictions) continue;
    const reference = await references(model, version);
    // SAS Model Manager knows two classes and numbers.
    if (reference === undefined || reference.baseline.classification !== undefined) continue;
    const sequence = sequenceOf(period.every, begin, start);
    const name = tableName(seriesPrefix(prefix, window), sequence, window.period);
    if (await store.make({ ...window, name, sequence }, sasColumns(reference.modelVersion))) names.push(name);
    first.set(keyOf(window), begin);
  }
  return names;
}

/** Of each series that has a table of a period: the earliest one. Before training data had a place, its sequence was 1. */
function firstPeriods(made: readonly SasTable[]): Map<string, { start: string; sequence: number }> {
  const first = new Map<string, { start: string; sequence: number }>();
  for (const { start, sequence, ...one } of made) {
    const known = first.get(keyOf(one));
    if (start !== null && (known === undefined || start < known.start)) first.set(keyOf(one), { start, sequence });
  }
  return first;
}

const keyOf = ({ version, environment }: Series): string => `${environment}\u0001${version}`;
const windowKey = (window: Series & Pick<SasTable, 'start'>): string => `${keyOf(window)}\u0001${window.start}`;
