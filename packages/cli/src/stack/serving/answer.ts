import type { TensorSpec } from '@fairway/core';
import type { SavedModel, Tensor } from '@fairway/savedmodel';
import { refuse } from '../web/http.ts';
import type { Form } from './request.ts';

type Named = readonly [name: string, tensor: Tensor];

/**
 * Output tensors as a predict answer: `predictions` (row form) or `outputs` (columnar). With one output its name is
 * left out. Row form refuses outputs whose 0th dimensions differ.
 */
export function writePredictAnswer(outputs: Readonly<Record<string, Tensor>>, form: Form): string {
  const named: Named[] = Object.entries(outputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return form === 'row' ? `{"predictions": ${rows(named)}}` : `{"outputs": ${columns(named)}}`;
}

function rows(outputs: readonly Named[]): string {
  const count = outputs[0]?.[1].shape[0];
  for (const [name, { shape }] of outputs) {
    if (shape[0] === undefined) refuse(400, `Tensor name: ${name} has no shape information `);
    if (shape[0] !== count)
      refuse(400, `Tensor name: ${name} has inconsistent batch size: ${shape[0]} expecting: ${count}`);
  }
  const writers = outputs.map(([name, tensor]) => [name, rowWriter(name, tensor)] as const);
  const written = Array.from({ length: count ?? 0 }, (_, row) =>
    writers.length === 1 ? writers[0]?.[1](row) : object(writers.map(([name, write]) => [name, write(row)])),
  );
  return `[${written.join(', ')}]`;
}

function columns(outputs: readonly Named[]): string {
  const written = outputs.map(([name, tensor]) => [name, nested(name, tensor, 0, tensor.shape)] as const);
  return written.length === 1 ? (written[0]?.[1] as string) : object(written);
}

const object = (members: ReadonlyArray<readonly [string, string]>): string =>
  `{${members.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(', ')}}`;

/** Writes one row of a tensor: the value, or a nested list of the rest of its dimensions. */
function rowWriter(name: string, tensor: Tensor): (row: number) => string {
  const rest = tensor.shape.slice(1);
  const width = rest.reduce((size, dim) => size * dim, 1);
  return (row) => nested(name, tensor, row * width, rest);
}

function nested(name: string, tensor: Tensor, from: number, shape: readonly number[]): string {
  const [dim, ...rest] = shape;
  if (dim === undefined) return scalar(name, tensor, from);
  const width = rest.reduce((size, inner) => size * inner, 1);
  const items = Array.from({ length: dim }, (_, i) => nested(name, tensor, from + i * width, rest));
  return `[${items.join(', ')}]`;
}

function scalar(name: string, tensor: Tensor, at: number): string {
  if (tensor.dtype === 'DT_STRING') {
    const text = tensor.values[at] ?? '';
    return name.endsWith('_bytes') ? `{"b64": "${Buffer.from(text).toString('base64')}"}` : JSON.stringify(text);
  }
  const number = tensor.values[at] ?? Number.NaN;
  if (tensor.dtype === 'DT_BOOL') return String(number !== 0);
  return tensor.dtype === 'DT_FLOAT' || tensor.dtype === 'DT_DOUBLE' ? decimal(number, tensor.dtype) : String(number);
}

/** Shortest text that round-trips in the type's precision; whole numbers get `.0`; NaN and infinities are bare words. */
function decimal(number: number, dtype: 'DT_FLOAT' | 'DT_DOUBLE'): string {
  if (!Number.isFinite(number)) return String(number);
  const text = Object.is(number, -0) ? '-0' : String(dtype === 'DT_FLOAT' ? shortest(number) : number);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function shortest(float: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(float.toPrecision(digits));
    if (Math.fround(candidate) === float) return candidate;
  }
  return Number(float.toPrecision(9));
}

/** The metadata answer of one version; sizes and the version are strings, as protobuf's JSON writes 64-bit integers. */
export function metadataAnswer(model: string, version: string, { signatures, bindings }: SavedModel): string {
  const definitions = signatures.map(({ name, method, inputs, outputs }) => [
    name,
    {
      inputs: tensorInfos(inputs, bindings[name]?.inputs),
      outputs: tensorInfos(outputs, bindings[name]?.outputs),
      method_name: method,
    },
  ]);
  return JSON.stringify({
    model_spec: { name: model, signature_name: '', version },
    metadata: { signature_def: { signature_def: Object.fromEntries(definitions) } },
  });
}

function tensorInfos(specs: readonly TensorSpec[], names: Readonly<Record<string, string>> = {}): object {
  const shapeOf = (shape: readonly number[]) => ({
    dim: shape.map((size) => ({ size: String(size), name: '' })),
    unknown_rank: false,
  });
  const infos = specs.map(({ name, dtype, shape }) => [
    name,
    { dtype, tensor_shape: shapeOf(shape), name: names[name] },
  ]);
  return Object.fromEntries(infos);
}
