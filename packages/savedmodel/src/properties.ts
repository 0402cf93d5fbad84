import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Baseline, Target, Variable } from '@fairway/core';
import { FairwayError } from '@fairway/core';

/** What the registry keeps beside a SavedModel, in SAS Model Manager's files. */
export type Registration = {
  readonly variables: readonly Variable[];
  readonly target: Target;
  /** Numeric properties `_AUC_`, `_KS_` … by their bare lower-case names. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The retrain change that made this version (property `fairwayChange`). */
  readonly change?: string;
  readonly baseline: Baseline;
};

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads ModelProperties.json, inputVar.json, outputVar.json and baseline.json of a version folder.
 * Throws `model.invalid` with a sentence that names the file which is missing or wrong.
 */
export async function readRegistration(
  dir: string,
  id: { readonly model: string; readonly version: string },
): Promise<Registration> {
  const [properties, inputs, outputs, baseline] = await Promise.all(
    ['ModelProperties.json', 'inputVar.json', 'outputVar.json', 'baseline.json'].map((file) => readJson(dir, file)),
  );
  const outputRows = rows(dir, 'outputVar.json', outputs);
  const variables = [
    ...rows(dir, 'inputVar.json', inputs).map((row) => variable(dir, 'inputVar.json', row, 'input')),
    ...outputRows.map((row) => variable(dir, 'outputVar.json', row, 'output')),
  ];
  const head = object(dir, 'ModelProperties.json', properties);
  const classification = outputRows.find((row) => row['level'] === 'nominal')?.['name'] as string | undefined;
  const change = propertiesOf(head).find(({ name }) => name === 'fairwayChange')?.value;
  return {
    variables,
    target: target(dir, head, classification),
    metrics: metrics(head),
    ...(typeof change === 'string' ? { change } : {}),
    baseline: checkBaseline(dir, object(dir, 'baseline.json', baseline), id),
  };
}

async function readJson(dir: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(dir, file), 'utf8')) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw wrong(dir, file, 'is missing');
    if (error instanceof SyntaxError) throw wrong(dir, file, `is no JSON (${error.message})`);
    throw error;
  }
}

const wrong = (dir: string, file: string, what: string): FairwayError =>
  new FairwayError('model.invalid', `${file} in ${dir} ${what}; register the model version again with this file.`);

function object(dir: string, file: string, value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw wrong(dir, file, 'must hold one JSON object');
}

function rows(dir: string, file: string, value: unknown): Json[] {
  if (Array.isArray(value) && value.length > 0) return value.map((row) => object(dir, file, row));
  throw wrong(dir, file, 'must hold a list of variables');
}

function variable(dir: string, file: string, row: Json, role: Variable['role']): Variable {
  const { name, type, length } = row;
  if (typeof name !== 'string' || name === '') throw wrong(dir, file, 'has a variable without a name');
  if (type !== 'decimal' && type !== 'string') {
    throw wrong(dir, file, `gives variable ${name} a type other than "decimal" or "string"`);
  }
  return { name, type, role, ...(typeof length === 'number' ? { length } : {}) };
}

function target(dir: string, head: Json, classification: string | undefined): Target {
  const text = (key: string): string => {
    const value = head[key];
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
    throw wrong(dir, 'ModelProperties.json', `has no ${key}`);
  };
  return {
    variable: text('targetVariable'),
    event: text('targetEvent'),
    probability: text('eventProbVar'),
    ...(classification === undefined ? {} : { classification }),
  };
}

function propertiesOf(head: Json): Array<{ name: string; value: unknown }> {
  const list = Array.isArray(head['properties']) ? (head['properties'] as unknown[]) : [];
  return list.filter(
    (item): item is { name: string; value: unknown } =>
      typeof item === 'object' && item !== null && typeof (item as Json)['name'] === 'string',
  );
}

function metrics(head: Json): Record<string, number> {
  const found = propertiesOf(head).flatMap(({ name, value }) => {
    const bare = /^_([A-Z0-9]+)_$/.exec(name)?.[1];
    return bare !== undefined && Number.isFinite(Number(value)) ? [[bare.toLowerCase(), Number(value)] as const] : [];
  });
  return Object.fromEntries(found);
}

function checkBaseline(dir: string, value: Json, id: { model: string; version: string }): Baseline {
  if (value['definition'] !== 1) throw wrong(dir, 'baseline.json', 'has a definition other than 1');
  if (value['model'] !== id.model || value['version'] !== id.version) {
    throw wrong(dir, 'baseline.json', `is not the baseline of ${id.model} version ${id.version}`);
  }
  if (
    !Array.isArray(value['variables']) ||
    !Array.isArray(value['scores']) ||
    typeof value['performance'] !== 'object'
  ) {
    throw wrong(dir, 'baseline.json', 'lacks variables, scores or performance');
  }
  return value as unknown as Baseline;
}
