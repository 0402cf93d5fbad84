import { readFile, stat } from './files.ts';
import { join } from 'node:path';
import {
  type ExactJson,
  GOLDEN_FILE,
  GOLDEN_MOST_BYTES,
  type GoldenCase,
  goldenLine,
  isExactList,
  isExactObject,
  isBase64,
  readGolden,
  type Signature,
  type TensorSpec,
} from '@fairway/core';
import { misfit, type Rows } from './golden-tensor.ts';

/** So many problems say enough. */
const MOST_PROBLEMS = 20;

/**
 * What is wrong with golden cases for a model of this signature: a case that cannot be read, a tensor that the model does
 * not have or that the request lacks, values of the wrong type or shape. Empty: they can be asked.
 */
export function goldenProblems(text: string, signature: Signature): string[] {
  const { cases, problems } = readGolden(text);
  const all = [...problems, ...cases.flatMap((item) => caseProblems(item, signature))];
  if (all.length <= MOST_PROBLEMS) return all;
  return [...all.slice(0, MOST_PROBLEMS), `${GOLDEN_FILE} has ${all.length - MOST_PROBLEMS} more problems`];
}

/** The golden.jsonl of a version folder, if it has one, and what is wrong with it. */
export async function loadGolden(
  dir: string,
  signature: Signature,
): Promise<{ readonly golden?: string; readonly problems: readonly string[] }> {
  const file = join(dir, GOLDEN_FILE);
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return { problems: [] };
  if (!found.isFile()) return { problems: [`${GOLDEN_FILE} is no file`] };
  if (found.size > GOLDEN_MOST_BYTES)
    return { problems: [`${GOLDEN_FILE} has ${found.size} bytes; at most ${GOLDEN_MOST_BYTES} fit a ConfigMap`] };
  const golden = decoded(await readFile(file));
  if (golden === undefined) return { problems: [`${GOLDEN_FILE} is not UTF-8`] };
  return { golden, problems: goldenProblems(golden, signature) };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function caseProblems(item: GoldenCase, { inputs, outputs }: Signature): string[] {
  const rows: Rows = { count: undefined };
  const asked = item.form === 'inputs' ? columns(item, inputs, rows) : instances(item, inputs, rows);
  // Only if the question is sound, the number of wanted values can be judged.
  const wanted = asked.length > 0 ? [] : answers(item, outputs, rows);
  return [...asked, ...wanted].map((problem) => `${goldenLine(item.line)}: ${problem}`);
}

const named = (specs: readonly TensorSpec[]): string => specs.map(({ name }) => name).join(', ');

function columns({ request }: GoldenCase, specs: readonly TensorSpec[], rows: Rows): string[] {
  if (!isExactObject(request)) return ['inputs must be an object by tensor name'];
  const extra = [...request.keys()].filter((name) => !specs.some((spec) => spec.name === name));
  const missing = specs.filter(({ name }) => !request.has(name));
  return [
    ...extra.map((name) => `input ${name} is not in the signature, which has ${named(specs)}`),
    ...missing.map(({ name }) => `input ${name} of the signature is missing`),
    ...specs.flatMap((spec) => {
      const value = request.get(spec.name);
      return value === undefined ? [] : problem('input', spec, misfit(value, spec, rows));
    }),
  ];
}

/** Each row is put under each other, as TensorFlow Serving does, and judged as a column. */
function instances({ request }: GoldenCase, specs: readonly TensorSpec[], rows: Rows): string[] {
  if (!isExactList(request) || request.length === 0) return ['instances must be a list with at least one row'];
  const byName = request.map((row) => members(row, specs));
  const wrong = byName.findIndex((row) => row === undefined || !sameNames(row, specs));
  if (wrong >= 0)
    return [
      `row ${wrong + 1} of instances must be an object with exactly the inputs of the signature: ${named(specs)}`,
    ];
  return specs.flatMap((spec) => {
    const column = byName.map((row) => row?.get(spec.name) ?? null);
    return problem('input', spec, misfit(column, spec, rows));
  });
}

/** A row of a model with one input may be the bare value. */
function members(row: ExactJson, specs: readonly TensorSpec[]): ReadonlyMap<string, ExactJson> | undefined {
  if (isExactObject(row) && !isBase64(row)) return row;
  const [only] = specs;
  return only !== undefined && specs.length === 1 ? new Map([[only.name, row]]) : undefined;
}

const sameNames = (row: ReadonlyMap<string, ExactJson>, specs: readonly TensorSpec[]): boolean =>
  row.size === specs.length && specs.every(({ name }) => row.has(name));

function answers({ outputs }: GoldenCase, specs: readonly TensorSpec[], rows: Rows): string[] {
  return [...outputs].flatMap(([name, value]) => {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) return [`output ${name} is not in the signature, which has ${named(specs)}`];
    return problem('output', spec, misfit(value, spec, rows));
  });
}

const problem = (role: string, { name }: TensorSpec, what: string | undefined): string[] =>
  what === undefined ? [] : [`${role} ${name} ${what}`];
