import { cellText, checkName, checkVersion, FairwayError, type ModelVersion, type TensorSpec } from '@fairway/core';
import { readTime, type TimeMapping, TIMES } from './time.ts';

/** What the columns of a file mean. */
export type Mapping = {
  readonly modelVersion: ModelVersion;
  readonly environment: string;
  readonly time: TimeMapping;
  readonly score: string;
  readonly label?: string;
};

/** A usable row: one instance as TensorFlow Serving would have been asked, the score as it would have answered. */
export type Scored = {
  /** The instance and the prediction, as JSON text in TensorFlow Serving's dialect. */
  readonly instance: string;
  readonly prediction: string;
  /** ms; undefined where times are spread. */
  readonly time: number | undefined;
  readonly label: number | undefined;
  /** Why the row's label cannot be used: the row itself can. */
  readonly labelProblem?: string;
};

type Cells = Readonly<Record<string, unknown>>;

/** Checks the mapping against a file's columns; answers the names of columns that nothing uses. */
export function checkColumns(file: string, columns: readonly string[], mapping: Mapping): string[] {
  const { modelVersion, time, score, label } = mapping;
  const { model, version, signature } = modelVersion;
  checkName('Environment', mapping.environment);
  checkVersion(version);
  for (const { name, shape } of signature.inputs) {
    if (shape.slice(1).every((size) => size === 1)) continue;
    const what = `Input ${name} of ${model} version ${version} has the shape [${shape.join(', ')}]`;
    throw new FairwayError('input.invalid', `${what}: only models with one value per variable can be imported.`);
  }
  const options = [...('column' in time ? [['--time', time.column]] : []), ['--score', score]] as [string, string][];
  if (label !== undefined) options.push(['--label', label]);
  const there = `there are ${columns.map((name) => JSON.stringify(name)).join(', ')}`;
  for (const [option, column] of options) {
    if (columns.includes(column)) continue;
    throw new FairwayError('input.invalid', `${file} has no column ${JSON.stringify(column)} (${option}): ${there}.`);
  }
  const missing = signature.inputs.filter(({ name }) => !columns.includes(name)).map(({ name }) => name);
  if (missing.length > 0) {
    const needs = `${file} lacks inputs of ${model} version ${version}: ${missing.join(', ')}`;
    throw new FairwayError('input.invalid', `${needs}; add or rename columns (${there}).`);
  }
  const used = new Set([...options.map(([, column]) => column), ...signature.inputs.map(({ name }) => name)]);
  return columns.filter((name) => !used.has(name));
}

/** A row by its mapping, or the reason why it cannot be used. Reasons never quote a cell: it may be personal. */
export function readScored(cells: Cells, mapping: Mapping): Scored | string {
  const { modelVersion, time, score: scoreColumn } = mapping;
  const score = numberOf(valueOf(cells, scoreColumn));
  if (score === undefined || !(score >= 0 && score <= 1)) {
    return `column ${scoreColumn} holds no probability from 0 to 1`;
  }
  const at = 'column' in time ? readTime(valueOf(cells, time.column)) : undefined;
  if ('column' in time && at === undefined) return `column ${time.column} holds no time: it takes ${TIMES}`;
  const parts: string[] = [];
  for (const input of modelVersion.signature.inputs) {
    const text = inputText(input, valueOf(cells, input.name));
    if ('problem' in text) return `column ${input.name} ${text.problem}`;
    parts.push(`${JSON.stringify(input.name)}: ${shaped(input, text.json)}`);
  }
  const label = labelOf(cells, mapping);
  return {
    instance: `{${parts.join(', ')}}`,
    prediction: predictionText(modelVersion, score),
    time: at,
    label: typeof label === 'string' ? undefined : label,
    ...(typeof label === 'string' ? { labelProblem: label } : {}),
  };
}

/** A cell; objects are what JSON may hold and no column has. */
type Value = string | number | boolean | object | undefined;

/** undefined where missing: absent, null, or text that means it. */
function valueOf(cells: Cells, name: string): Value {
  const value = Object.hasOwn(cells, name) ? cells[name] : undefined;
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' && cellText(value) === null ? undefined : value;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A scalar of the input's type as TensorFlow Serving's JSON has it; missing numbers are NaN, missing text is empty. */
function inputText({ dtype }: TensorSpec, value: Value): { json: string } | { problem: string } {
  if (typeof value === 'object') return { problem: 'holds no single value' };
  if (dtype === 'DT_STRING') return { json: JSON.stringify(value === undefined ? '' : String(value)) };
  if (dtype === 'DT_BOOL') return boolText(value);
  const number = numberOf(value);
  if (dtype === 'DT_INT32' || dtype === 'DT_INT64') {
    if (value === undefined) return { json: 'null' };
    const digits = typeof value === 'string' && /^-?(?:0|[1-9]\d{0,18})$/.test(value.trim()) ? value.trim() : undefined;
    if (digits !== undefined) return { json: digits };
    return Number.isSafeInteger(number) ? { json: String(number) } : { problem: 'holds no whole number' };
  }
  if (value === undefined) return { json: 'NaN' };
  return number === undefined ? { problem: 'holds no number (with a decimal point)' } : { json: String(number) };
}

function boolText(value: Exclude<Value, object>): { json: string } | { problem: string } {
  if (value === undefined) return { json: 'null' };
  const text = String(value).trim().toLowerCase();
  if (text === 'true' || text === '1') return { json: 'true' };
  return text === 'false' || text === '0' ? { json: 'false' } : { problem: 'holds neither true nor false' };
}

const shaped = ({ shape }: TensorSpec, json: string): string =>
  `${'['.repeat(Math.max(shape.length - 1, 0))}${json}${']'.repeat(Math.max(shape.length - 1, 0))}`;

/** A model with one output answers values, one with several answers objects. */
function predictionText({ signature, target }: ModelVersion, score: number): string {
  const output = signature.outputs.find(({ name }) => name === target.probability);
  const value = output === undefined ? String(score) : shaped(output, String(score));
  const isSole = signature.outputs.length === 1 && output !== undefined;
  return isSole ? value : `{${JSON.stringify(target.probability)}: ${value}}`;
}

/** The number itself where the target is one; else 1 for the target's event and 0 for the other of 0 and 1; undefined while the outcome is not known; or a reason. */
function labelOf(cells: Cells, { label, modelVersion }: Mapping): number | undefined | string {
  if (label === undefined) return undefined;
  const value = valueOf(cells, label);
  if (value === undefined) return undefined;
  if (typeof value === 'object') return `column ${label} holds no single value`;
  const event = modelVersion.target.event.trim();
  const text = typeof value === 'boolean' ? String(Number(value)) : String(value).trim();
  const number = numberOf(text);
  if (modelVersion.target.level === 'interval') return number ?? `column ${label} holds no number`;
  if (text === event || (number !== undefined && number === numberOf(event))) return 1;
  if (number === 1 && event !== '0') return 1;
  if (number === 0 || number === 1) return 0;
  return `column ${label} holds neither 0 nor 1, nor the event of the model`;
}
