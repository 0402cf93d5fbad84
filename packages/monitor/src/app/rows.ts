import type { ModelVersion } from '@fairway/core';
import { type Json, type JsonObject, put } from './read-json.ts';

/** Named values of one instance, as the body holds them. */
export type Cells = JsonObject;

/** One instance: what was asked and what was answered. */
export type Pair = readonly [inputs: Cells, outputs: Cells];

/**
 * The instances of a predict exchange in row or columnar form (capture reference §2.2), or the reason why there are none:
 * `no_predictions`, or `lengths_differ` when questions and answers cannot be paired.
 */
export function predictPairs(
  request: JsonObject,
  response: JsonObject,
  known: ModelVersion | undefined,
): readonly Pair[] | string {
  const signature = namesOf(request, known);
  const { instances, inputs } = request;
  if (instances !== undefined) {
    const { predictions } = response;
    if (!isList(instances) || predictions === undefined || !isList(predictions)) return 'no_predictions';
    if (instances.length !== predictions.length) return 'lengths_differ';
    return instances.map((row, index) => [
      named(row, signature.input),
      named(predictions[index] as Json, signature.output),
    ]);
  }
  const { outputs } = response;
  if (inputs === undefined || outputs === undefined) return 'no_predictions';
  return byColumn(wanted(named(inputs, signature.input), signature.inputs), named(outputs, signature.output));
}

type Names = { readonly input: string; readonly output: string; readonly inputs: readonly string[] };

/** A tensor without a name gets that of the signature, where the call is for the signature that we know. */
function namesOf(request: JsonObject, known: ModelVersion | undefined): Names {
  const wants = request['signature_name'];
  const signature = known?.signature;
  const isOther = typeof wants === 'string' && wants !== '' && wants !== (signature?.name ?? '');
  if (signature === undefined || isOther) return { input: 'input', output: 'output', inputs: [] };
  return {
    input: soleName(signature.inputs) ?? 'input',
    output: soleName(signature.outputs) ?? 'output',
    inputs: signature.inputs.map(({ name }) => name),
  };
}

const soleName = (specs: ReadonlyArray<{ readonly name: string }>): string | undefined =>
  specs.length === 1 ? specs[0]?.name : undefined;

const named = (value: Json, soleName: string): Cells =>
  isObject(value) && !isBytes(value) ? value : { [soleName]: value };

/** TF Serving ignores columns that the signature does not name; so does the record. */
function wanted(columns: Cells, names: readonly string[]): Cells {
  if (names.length === 0 || !names.every((name) => Object.hasOwn(columns, name))) return columns;
  if (Object.keys(columns).length === names.length) return columns;
  return Object.fromEntries(names.map((name) => [name, columns[name] as Json]));
}

/** A row for each position of the 0th dimension when all columns share it; one row when there is no list at all. */
function byColumn(inputs: Cells, outputs: Cells): readonly Pair[] | string {
  const columns = [...Object.values(inputs), ...Object.values(outputs)];
  const lists = columns.filter(isList);
  if (lists.length === 0) return [[inputs, outputs]];
  const length = lists[0]?.length ?? 0;
  if (lists.length < columns.length || lists.some((list) => list.length !== length)) return 'lengths_differ';
  return Array.from({ length }, (_, index) => [rowAt(inputs, index), rowAt(outputs, index)]);
}

function rowAt(columns: Cells, index: number): Cells {
  const row: Record<string, Json> = {};
  for (const [name, column] of Object.entries(columns)) put(row, name, (column as readonly Json[])[index] as Json);
  return row;
}

// `Array.isArray` does not narrow readonly arrays.
export const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

export const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === 'object' && !isList(value);

/** `{"b64": "…"}` is a value: bytes. */
export const isBytes = (value: JsonObject): value is { readonly b64: string } =>
  typeof value['b64'] === 'string' && Object.keys(value).length === 1;
