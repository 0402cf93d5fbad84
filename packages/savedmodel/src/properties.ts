import { join } from 'node:path';
import type { Baseline, Target, Variable } from '@fairway/core';
import { FairwayError } from '@fairway/core';
import { baselineProblem } from './baseline-shape.ts';
import type { Expected } from './expected.ts';
import { readFile, stat } from './files.ts';

/** What a registry keeps about a SavedModel: in SAS Model Manager's files beside it, or handed over by its source. */
export type Registration = {
  readonly variables: readonly Variable[];
  readonly target: Target;
  /** Numeric properties `_AUC_`, `_KS_` … by their bare lower-case names. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The retrain change that made this version (property `fairwayChange`). */
  readonly change?: string;
  readonly baseline: Baseline;
  /** What is said about the tensors, where the registry says more than `variables` do (MLflow: types and shapes). */
  readonly expected?: Expected;
};

/** `what`: half a sentence about the file, e.g. `is missing`. */
export type Fault = { readonly file: string; readonly what: string };

/** As much of a registration as its files tell, and everything that is wrong with them. */
export type Found = {
  readonly inputs?: readonly Variable[];
  readonly outputs?: readonly Variable[];
  readonly target?: Target;
  readonly metrics: Readonly<Record<string, number>>;
  readonly change?: string;
  readonly baseline?: Baseline;
  readonly faults: readonly Fault[];
};

type Id = { readonly model: string; readonly version: string };
type Json = Readonly<Record<string, unknown>>;
type Fail = (what: string) => undefined;

/** A version has a thousand variables at most; a baseline of all of them takes a few MB. */
const MAX_FILE = 64 * 2 ** 20;

/**
 * Reads ModelProperties.json, inputVar.json, outputVar.json and baseline.json of a version folder.
 * Throws `model.invalid` with a sentence that names every file which is missing or wrong.
 */
export async function readRegistration(dir: string, id: Id): Promise<Registration> {
  const { inputs, outputs, target, metrics, change, baseline, faults } = await findRegistration(dir, id);
  if (
    inputs === undefined ||
    outputs === undefined ||
    target === undefined ||
    baseline === undefined ||
    faults.length > 0
  ) {
    const all = faults.map(({ file, what }) => `${file} in ${dir} ${what}`);
    throw new FairwayError('model.invalid', `${all.join('; ')}; register the model version again with this file.`);
  }
  return { variables: [...inputs, ...outputs], target, metrics, baseline, ...(change === undefined ? {} : { change }) };
}

/** Reads the same files, and goes on where one is wrong. */
export async function findRegistration(dir: string, id: Id): Promise<Found> {
  const faults: Fault[] = [];
  const failIn =
    (file: string): Fail =>
    (what) =>
      void faults.push({ file, what });
  const [properties, inputs, outputs] = await Promise.all(
    ['ModelProperties.json', 'inputVar.json', 'outputVar.json'].map((file) => readJson(dir, file, failIn(file))),
  );
  const head = properties === undefined ? undefined : asObject(properties, failIn('ModelProperties.json'));
  const inputRows = rows(inputs, failIn('inputVar.json'));
  const outputRows = rows(outputs, failIn('outputVar.json'));
  const classification = outputRows?.find((row) => row['level'] === 'nominal')?.['name'];
  const change = propertiesOf(head).find(({ name }) => name === 'fairwayChange')?.value;
  const baseline = await findBaseline(dir, id);
  return {
    ...optional('inputs', variables(inputRows, 'input', failIn('inputVar.json'))),
    ...optional('outputs', variables(outputRows, 'output', failIn('outputVar.json'))),
    ...optional('target', target(head, classification, failIn('ModelProperties.json'))),
    metrics: metrics(head),
    ...optional('change', typeof change === 'string' ? change : undefined),
    ...optional('baseline', baseline.baseline),
    faults: [...faults, ...baseline.faults],
  };
}

const optional = <K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: V };

/** Reads baseline.json of a version folder. */
export async function findBaseline(
  dir: string,
  id: Id,
): Promise<{ readonly baseline?: Baseline; readonly faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const fail: Fail = (what) => void faults.push({ file: 'baseline.json', what });
  const value = await readJson(
    dir,
    'baseline.json',
    fail,
    'is missing: put the profile of the training data beside the model under this name',
  );
  const object = value === undefined ? undefined : asObject(value, fail);
  return { ...optional('baseline', object === undefined ? undefined : asBaseline(object, id, fail)), faults };
}

async function readJson(dir: string, file: string, fail: Fail, missing = 'is missing'): Promise<unknown> {
  try {
    const { size } = await stat(join(dir, file));
    if (size > MAX_FILE) return fail(`has ${size} bytes, and ${MAX_FILE} are allowed`);
    const value = JSON.parse(await readFile(join(dir, file), 'utf8')) as unknown;
    // Undefined is what could not be read.
    return value ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fail(missing);
    if (error instanceof SyntaxError) return fail(`is no JSON (${error.message})`);
    throw error;
  }
}

function asObject(value: unknown, fail: Fail): Json | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  return fail('must hold one JSON object');
}

function rows(value: unknown, fail: Fail): Json[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) return fail('must hold a list of variables');
  const objects = value.map((row) => asObject(row, () => undefined));
  return objects.every((row) => row !== undefined) ? objects : fail('must hold a list of JSON objects');
}

function variables(list: readonly Json[] | undefined, role: Variable['role'], fail: Fail): Variable[] | undefined {
  const found = list?.map((row) => variable(row, role, fail));
  if (found === undefined || !found.every((one) => one !== undefined)) return undefined;
  const names = new Set<string>();
  const twice = found.find(({ name }) => names.size === names.add(name).size);
  return twice === undefined ? found : fail(`has variable ${twice.name} twice`);
}

function variable(row: Json, role: Variable['role'], fail: Fail): Variable | undefined {
  const { name, type, length } = row;
  if (typeof name !== 'string' || name === '') return fail('has a variable without a name');
  if (type !== 'decimal' && type !== 'string') {
    return fail(`gives variable ${name} a type other than "decimal" or "string"`);
  }
  return { name, type, role, ...(typeof length === 'number' ? { length } : {}) };
}

function target(head: Json | undefined, classification: unknown, fail: Fail): Target | undefined {
  if (head === undefined) return undefined;
  const text = (key: string): string | undefined => {
    const value = head[key];
    if (typeof value === 'string' && value !== '') return value;
    return typeof value === 'number' ? String(value) : fail(`has no ${key}`);
  };
  const level = head['targetLevel'];
  if (typeof level === 'string' && /^interval$/i.test(level)) {
    const [variable, probability] = [text('targetVariable'), text('predictionVariable')];
    if (variable === undefined || probability === undefined) return undefined;
    return { variable, level: 'interval', event: '', probability };
  }
  const [variable, event, probability] = [text('targetVariable'), text('targetEvent'), text('eventProbVar')];
  if (variable === undefined || event === undefined || probability === undefined) return undefined;
  return { variable, event, probability, ...optional('classification', classification as string | undefined) };
}

function propertiesOf(head: Json | undefined): Array<{ name: string; value: unknown }> {
  const list = Array.isArray(head?.['properties']) ? (head['properties'] as unknown[]) : [];
  return list.filter(
    (item): item is { name: string; value: unknown } =>
      typeof item === 'object' && item !== null && typeof (item as Json)['name'] === 'string',
  );
}

function metrics(head: Json | undefined): Record<string, number> {
  const found = propertiesOf(head).flatMap(({ name, value }) => {
    const bare = /^_([A-Z0-9]+)_$/.exec(name)?.[1];
    return bare !== undefined && Number.isFinite(Number(value)) ? [[bare.toLowerCase(), Number(value)] as const] : [];
  });
  return Object.fromEntries(found);
}

function asBaseline(value: Json, id: Id, fail: Fail): Baseline | undefined {
  if (value['definition'] !== 1) return fail('has a definition other than 1');
  if (value['model'] !== id.model || value['version'] !== id.version) {
    return fail(`is not the baseline of ${id.model} version ${id.version}`);
  }
  const problem = baselineProblem(value);
  if (problem !== undefined) return fail(`${problem}; fairway baseline writes one from the training data`);
  return value as unknown as Baseline;
}
