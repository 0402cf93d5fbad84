import { message, type Part } from '../../harness/protobuf.ts';

/** Parts of a SavedModel made by hand after TensorFlow's .proto files: what no exporter at hand writes. */

const entry = (id: number, key: string, value: Uint8Array): Part => [id, message([1, key], [2, value])];

export const shape = (...dims: number[]): Uint8Array => message(...dims.map((size): Part => [2, message([1, size])]));

/** TensorInfo; dtype 1 is DT_FLOAT, 7 DT_STRING. */
export const tensorInfo = (node: string, dtype = 1, dims: Uint8Array = shape(-1)): Uint8Array =>
  message([1, `${node}:0`], [2, dtype], [3, dims]);

export type Tensors = Readonly<Record<string, Uint8Array>>;

export const signature = (inputs: Tensors, outputs: Tensors, method = 'tensorflow/serving/predict'): Uint8Array =>
  message(
    ...Object.entries(inputs).map(([name, info]) => entry(1, name, info)),
    ...Object.entries(outputs).map(([name, info]) => entry(2, name, info)),
    [3, method],
  );

/** NodeDef. */
export const node = (op: string, name = op, inputs: string[] = [], attrs: Tensors = {}): Uint8Array =>
  message(
    [1, name],
    [2, op],
    ...inputs.map((input): Part => [3, input]),
    ...Object.entries(attrs).map(([key, value]) => entry(5, key, value)),
  );

/** AttrValues: a function's name, a whole number, a list of types, a constant of texts. */
export const attrs = {
  func: (name: string) => message([10, message([1, name])]),
  int: (value: number) => message([3, value]),
  types: (...types: number[]) => message([1, message(...types.map((type): Part => [6, type]))]),
  shapes: (...shapes: Uint8Array[]) => message([1, message(...shapes.map((one): Part => [7, one]))]),
  texts: (...texts: string[]) => message([1, message(...texts.map((text): Part => [2, text]))]),
  constant: (...texts: string[]) => message([8, message([1, 7], ...texts.map((text): Part => [8, text]))]),
} as const;

export type MadeGraph = {
  readonly tags?: readonly string[];
  readonly nodes?: readonly Uint8Array[];
  readonly functions?: Readonly<Record<string, readonly Uint8Array[]>>;
  readonly signatures?: Tensors;
  readonly assets?: readonly string[];
  readonly version?: string;
};

/** x in, y out. */
export const PLAIN = { serving_default: signature({ x: tensorInfo('x') }, { y: tensorInfo('y') }) };

/** SavedModel of schema 1. */
export const savedModel = (...graphs: readonly MadeGraph[]): Uint8Array =>
  message([1, 1], ...graphs.map((graph): Part => [2, metaGraph(graph)]));

function metaGraph({
  tags = ['serve'],
  nodes = [],
  functions = {},
  signatures = PLAIN,
  assets = [],
  version = '2.11.0',
}: MadeGraph) {
  const library = Object.entries(functions).map(
    ([name, body]): Part => [1, message([1, message([1, name])], ...body.map((one): Part => [3, one]))],
  );
  return message(
    [1, message(...tags.map((tag): Part => [4, tag]), [5, version])],
    [2, message(...nodes.map((one): Part => [1, one]), [2, message(...library)])],
    ...Object.entries(signatures).map(([name, value]) => entry(5, name, value)),
    ...assets.map((file): Part => [6, message([1, tensorInfo('asset', 7, shape())], [2, file])]),
  );
}
