import type { Signature, TensorSpec } from '@fairway/core';
import type { Tensor } from '@fairway/savedmodel';
import { numberTensor, stringTensor } from '@fairway/savedmodel';
import { refuse } from '../web/http.ts';
import { isArray, isObject, type Json, JsonNumber, type JsonObject, parseJson, quoted, typeName } from './json.ts';

export type Form = 'row' | 'columnar';
export type PredictRequest = { readonly form: Form; readonly inputs: Readonly<Record<string, Tensor>> };

/**
 * A predict body as tensors of the signature that `find` answers for its `signature_name` (undefined = the default).
 * Row form: element shapes must agree and object keys must be exactly the input names. Columnar form: extra keys are
 * ignored. Refuses with status 400 in TensorFlow Serving's words (tensorflow_serving/util/json_tensor.cc).
 */
export function readPredictRequest(text: string, find: (name: string | undefined) => Signature): PredictRequest {
  const root = parseJson(text);
  if (!isObject(root)) refuse(400, `JSON Value: ${quoted(root)} Is not object`);
  const name = root.get('signature_name');
  if (name !== undefined && typeof name !== 'string') {
    refuse(400, `JSON Value: ${quoted(root)} not formatted correctly. 'signature_name' key must be a string value.`);
  }
  const { inputs } = find(name);
  const [instances, columns] = [root.get('instances'), root.get('inputs')];
  if (instances === undefined && columns === undefined) refuse(400, "Missing 'inputs' or 'instances' key");
  if (instances !== undefined && columns !== undefined) {
    refuse(
      400,
      `JSON Value: ${quoted(root)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist `,
    );
  }
  if (columns !== undefined) return { form: 'columnar', inputs: columnar(columns, inputs) };
  if (!isArray(instances)) refuse(400, `JSON Value: ${quoted(root)} Excepting 'instances' to be an list/array`);
  if (instances.length === 0) refuse(400, `JSON Value: ${quoted(root)} No values in 'instances' array`);
  return { form: 'row', inputs: rows(instances, inputs) };
}

const isBase64 = (json: Json | undefined): json is JsonObject =>
  isObject(json) && json.size === 1 && typeof json.get('b64') === 'string';
const isNamed = (json: Json | undefined): json is JsonObject => isObject(json) && !isBase64(json);

function rows(instances: readonly Json[], specs: readonly TensorSpec[]): Record<string, Tensor> {
  const named = isNamed(instances[0]);
  if (!isObject(instances[0]) && specs.length > 1) {
    refuse(
      400,
      'instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map',
    );
  }
  const columns = new Map(specs.map((spec) => [spec.name, [] as Json[]]));
  for (const [index, element] of instances.entries()) {
    if (named !== isNamed(element)) {
      const got = named ? 'object but got list' : 'value/list but got object';
      refuse(400, `Expecting ${got} at item ${index} of input list`);
    }
    if (!named) columns.get((specs[0] as TensorSpec).name)?.push(element);
    else spread(element as JsonObject, index, columns);
  }
  return Object.fromEntries(specs.map((spec) => [spec.name, tensor(spec, columns.get(spec.name) as Json[])]));
}

/** Puts an instance's members into their columns; its key set must be the input names exactly. */
function spread(element: JsonObject, index: number, columns: ReadonlyMap<string, Json[]>): void {
  for (const [name, member] of element) {
    const column = columns.get(name);
    if (column === undefined) {
      refuse(
        400,
        `Failed to process element: ${index} key: ${name} of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: ${name}`,
      );
    }
    column.push(member);
  }
  if (element.size !== columns.size) {
    const wanted = [...columns.keys()].join(',');
    refuse(
      400,
      `Failed to process element: ${index} of 'instances' list. JSON object: ${quoted(element)} keys must be equal to: ${wanted}`,
    );
  }
}

function columnar(columns: Json, specs: readonly TensorSpec[]): Record<string, Tensor> {
  if (!isNamed(columns)) {
    if (specs.length > 1) {
      refuse(
        400,
        'inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map',
      );
    }
    const [spec] = specs as readonly [TensorSpec];
    return { [spec.name]: tensor(spec, columns) };
  }
  return Object.fromEntries(
    specs.map((spec) => {
      const column = columns.get(spec.name);
      if (column === undefined) refuse(400, `Missing named input: ${spec.name} in 'inputs' object.`);
      return [spec.name, tensor(spec, column)];
    }),
  );
}

/** Nested lists as a dense tensor; the shape is that of the first elements, and must fit the signature's. */
function tensor(spec: TensorSpec, json: Json): Tensor {
  const shape: number[] = [];
  for (let level: Json | undefined = json; isArray(level); level = level[0]) shape.push(level.length);
  const leaves: Json[] = [];
  collect(json, shape, 0, leaves);
  const fits = shape.length === spec.shape.length && spec.shape.every((dim, axis) => dim < 0 || dim === shape[axis]);
  if (!fits) {
    refuse(
      400,
      `Tensor ${spec.name} has shape [${shape.join(',')}], but the signature wants [${spec.shape.join(',')}]`,
    );
  }
  if (spec.dtype === 'DT_STRING')
    return stringTensor(
      shape,
      leaves.map((leaf) => textOf(leaf)),
    );
  const { dtype } = spec;
  return numberTensor(
    dtype,
    shape,
    leaves.map((leaf) => numberOf(leaf, dtype)),
  );
}

function collect(json: Json, shape: readonly number[], level: number, leaves: Json[]): void {
  if (!isArray(json)) {
    if (level !== shape.length) {
      refuse(
        400,
        `JSON Value: ${quoted(json)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${shape.length}`,
      );
    }
    leaves.push(json);
    return;
  }
  if (level >= shape.length) refuse(400, `Encountered list at unexpected level: ${level} expected < ${shape.length}`);
  if (json.length !== shape[level]) {
    refuse(
      400,
      `Encountered list at unexpected size: ${json.length} at level: ${level} expected size: ${shape[level]}`,
    );
  }
  for (const item of json) collect(item, shape, level + 1, leaves);
}

function textOf(json: Json): string {
  if (typeof json === 'string') return json;
  if (!isObject(json)) return typeError(json, 'string');
  if (!isBase64(json)) refuse(400, `JSON Value: ${quoted(json)} not formatted correctly for base64 data`);
  const text = json.get('b64') as string;
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) refuse(400, 'Unable to base64 decode');
  return Buffer.from(text, 'base64').toString('utf8');
}

/** TensorFlow's names of the types in its messages. */
const TYPES = {
  DT_FLOAT: 'float',
  DT_DOUBLE: 'double',
  DT_INT32: 'int32',
  DT_INT64: 'int64',
  DT_BOOL: 'bool',
} as const;

function numberOf(json: Json, dtype: keyof typeof TYPES): number {
  if (dtype === 'DT_BOOL') return typeof json === 'boolean' ? Number(json) : typeError(json, 'bool');
  if (!(json instanceof JsonNumber)) return typeError(json, TYPES[dtype]);
  const whole = dtype === 'DT_INT32' || dtype === 'DT_INT64';
  const limit = dtype === 'DT_INT32' ? 2 ** 31 : 2 ** 63;
  if (whole && !(json.integer && json.value >= -limit && json.value < limit)) return typeError(json, TYPES[dtype]);
  if (dtype === 'DT_FLOAT' && Number.isFinite(json.value)) checkFloat(json);
  return json.value;
}

/** Integers beyond 24 bits and values beyond float's range are refused rather than rounded. */
function checkFloat(json: JsonNumber): void {
  const size = Math.abs(json.value);
  if (size > 3.402_823_466_385_288_6e38 || (json.integer && size > 2 ** 24 - 1)) {
    refuse(400, `Cannot convert JSON value: ${quoted(json)} to float without loss of precision.`);
  }
}

function typeError(json: Json, wanted: string): never {
  return refuse(400, `JSON Value: ${quoted(json)} Type: ${typeName(json)} is not of expected type: ${wanted}`);
}
