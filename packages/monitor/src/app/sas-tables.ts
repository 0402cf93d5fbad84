import type { Clock, Window } from '@fairway/core';
import { totals } from '../metrics/counts.ts';
import type { Policy } from '../policy/schema.ts';
import type { JudgeStore, StoredPolicy } from '../ports.ts';
import { periodAt } from './periods.ts';
import type { References } from './references.ts';
import { type SasColumn, sasColumns, sequenceOf, seriesPrefix, type Series, tableName } from './sas-names.ts';
import type { WindowStarts } from './windows.ts';

/** A table that was made; it is never made again. */
export type SasTable = Window & {
  readonly name: string;
  readonly sequence: number;
  readonly rows: number;
  readonly labelled: number;
  readonly madeAt: string;
};

export type SasStore = {
  /** Tables of a model, by environment, version and time. */
  made(model: string): Promise<readonly SasTable[]>;
  /** One transaction; false where another process made the table of this window meanwhile. */
  make(table: Pick<SasTable, keyof Window | 'name' | 'sequence'>, columns: readonly SasColumn[]): Promise<boolean>;
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
 * and has its table when the labels reach the policy's coverage. The first such period of a version is its baseline.
 * A model without a usable policy has no periods, and gets none. Answers the names of the new tables.
 */
export async function makeSasTables(needs: SasNeeds, model: string, prefix: string): Promise<string[]> {
  const { store, starts, counts, references, clock } = needs;
  const stored = await needs.policy(model);
  if (stored === undefined || stored.problem !== null) return [];
  const { period } = needs.parsePolicy(stored.text, model);
  const made = await store.made(model);
  const baselines = new Map(made.filter(({ sequence }) => sequence === 1).map((one) => [keyOf(one), one.start]));
  const known = new Set(made.map((one) => windowKey(one)));
  const found = await starts({ model, environment: undefined, every: period.every, last: PERIODS_BACK });
  const names: string[] = [];
  for (const { version, environment, start } of found.toReversed()) {
    const window = { model, version, environment, ...periodAt(period.every, start) };
    const baseline = baselines.get(keyOf(window)) ?? start;
    const isOpen = Date.parse(window.end) + (period.labelDelay ?? 0) > clock.now();
    if (isOpen || start < baseline || known.has(windowKey(window))) continue;
    const { predictions, labelled } = totals(await counts(window));
    if (labelled === 0 || labelled < period.coverageFloor * predictions) continue;
    const reference = await references(model, version);
    if (reference === undefined) continue;
    const sequence = sequenceOf(period.every, baseline, start);
    const name = tableName(seriesPrefix(prefix, window), sequence, window.period);
    if (await store.make({ ...window, name, sequence }, sasColumns(reference.modelVersion))) names.push(name);
    baselines.set(keyOf(window), baseline);
  }
  return names;
}

const keyOf = ({ version, environment }: Series): string => `${environment}\u0001${version}`;
const windowKey = (window: Series & Pick<Window, 'start'>): string => `${keyOf(window)}\u0001${window.start}`;
