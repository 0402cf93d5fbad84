import { FairwayError } from '@fairway/core';
import type { References } from './references.ts';
import { BASELINE, sasColumns, seriesPrefix, type Series, tableName } from './sas-names.ts';
import { type TrainingFound, trainingRows } from './sas-rows.ts';
import type { SasStore, SasTable } from './sas-tables.ts';

/** The baseline of a series; `new`: false where the same data was there already. */
export type SasBaseline = TrainingFound & { readonly name: string; readonly new: boolean };

export type TrainingData = { readonly body: AsyncIterable<Uint8Array>; readonly delimiter: string | undefined };

type Needs = { readonly store: Pick<SasStore, 'made' | 'makeBaseline'>; readonly references: References };

/**
 * Makes the first table of a series from its training data. The same data again changes nothing; other data, a series whose
 * first table is a period, one under another prefix, or a version that is not known is refused with `input.invalid`.
 */
export async function makeSasBaseline(
  { store, references }: Needs,
  series: Series,
  prefix: string,
  { body, delimiter }: TrainingData,
): Promise<SasBaseline> {
  const { model, version } = series;
  const reference = await references(model, version);
  if (reference === undefined) {
    throw new FairwayError(
      'model.unknown',
      `${model} v${version} was never deployed, so its inputs and outputs are not known: give the baseline when its pull request is merged.`,
    );
  }
  if (reference.baseline.classification !== undefined) {
    throw new FairwayError(
      'input.invalid',
      `${model} v${version} predicts one of several classes; SAS Model Manager's performance monitoring knows two classes and numbers, so it has no tables.`,
    );
  }
  const columns = sasColumns(reference.modelVersion);
  const begin = seriesPrefix(prefix, series);
  const name = tableName(begin, BASELINE.sequence, BASELINE.period);
  const made = await tablesOf(store, series);
  refuse(made, begin, series);
  const data = trainingRows(columns, body, delimiter);
  const isNew = await store.makeBaseline({ ...series, name }, columns, data);
  if (isNew) return { ...data.found(), name, new: true };
  for await (const _ of data.batches);
  const found = data.found();
  const known = (await tablesOf(store, series)).find(({ source }) => source !== null);
  if (known?.source === found.source) return { ...found, name: known.name, new: false };
  throw new FairwayError(
    'input.invalid',
    `${named(series)} has a baseline of other data already, ${known?.name ?? name}, and nothing is replaced: ${startAgain(series)}`,
  );
}

async function tablesOf(store: Needs['store'], { model, version, environment }: Series): Promise<SasTable[]> {
  const made = await store.made(model);
  return made.filter((one) => one.version === version && one.environment === environment);
}

function refuse(made: readonly SasTable[], begin: string, series: Series): void {
  const first = made.find(({ sequence, source }) => sequence === BASELINE.sequence && source === null);
  if (first !== undefined) {
    throw new FairwayError(
      'input.invalid',
      `${first.name} holds a period, and has the number of the baseline: it was made before training data had a place. ${upper(startAgain(series))}`,
    );
  }
  const other = made.find(({ name }) => !name.startsWith(`${begin}_`));
  if (other === undefined) return;
  throw new FairwayError(
    'input.invalid',
    `${named(series)} has tables under another prefix, such as ${other.name}: SAS would not see them together with ${begin}_1_Baseline. Give their prefix.`,
  );
}

const named = ({ model, version, environment }: Series): string => `${model} v${version} in ${environment}`;

/** Names are checked at the door, so they are no danger inside quotes. */
const startAgain = ({ model, version, environment }: Series): string =>
  `to start again, drop the tables that fairway_catalog lists for ${model} v${version} in ${environment}, and run ` +
  `"delete from fairway_catalog where model = '${model}' and version = '${version}' and environment = '${environment}'" in their schema; then give the baseline. ` +
  'The periods are made again from the predictions that are kept, numbered from 2.';

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
