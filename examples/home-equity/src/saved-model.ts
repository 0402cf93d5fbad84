import type { BoundSignature, BoundTensor, GraphDef, SavedModel, Tensor } from '@fairway/savedmodel';
import { attr, constantOf, graphBuilder, numberTensor, stringTensor } from '@fairway/savedmodel';
import type { InputName, Loan } from './columns.ts';
import { CATEGORICAL, INPUTS, NUMERIC } from './columns.ts';
import type { Scaling } from './features.ts';
import { CLIP, FLAGS, WIDTH } from './features.ts';
import type { Dense } from './network.ts';

/** What a home-equity model consists of. */
export type Weights = { readonly scaling: Scaling; readonly layers: readonly Dense[] };

const T = { T: attr.type('DT_FLOAT') };
const isText = (name: InputName): boolean => (CATEGORICAL as readonly string[]).includes(name);
const dtypeOf = (name: InputName) => (isText(name) ? 'DT_STRING' : 'DT_FLOAT');
const placeholder = (name: InputName): string => `serving_default_${name}`;

type Graph = ReturnType<typeof graphBuilder>;
const scalar = (g: Graph, name: string, value: number): string =>
  g.constant(name, numberTensor('DT_FLOAT', [], [value]));

/**
 * The graph that computes the model from raw inputs, in ops of TensorFlow itself: NaN = missing number, '' = missing
 * text. Inputs `[-1]` by name; outputs P_BAD1, P_BAD0 (DT_FLOAT) and the class I_BAD (DT_INT64), all `[-1]`.
 */
export function toGraph({ scaling, layers }: Weights): {
  graph: GraphDef;
  signatures: Record<string, BoundSignature>;
} {
  const g = graphBuilder();
  for (const name of INPUTS) g.placeholder(placeholder(name), dtypeOf(name), [-1]);
  const axis = g.constant('features/axis', numberTensor('DT_INT32', [], [1]));
  const joined = g.op('ConcatV2', 'features', [...numericFeatures(g, scaling), textFeatures(g), axis], {
    ...T,
    N: attr.int(3),
    Tidx: attr.type('DT_INT32'),
  });
  const logits = layers.reduce((input, layer, index) => dense(g, input, layer, index, layers.length), joined);
  const flat = g.op('Squeeze', 'logit', [logits], { ...T, squeeze_dims: attr.ints([1]) });
  const event = g.op('Sigmoid', 'P_BAD1', [flat], T);
  const other = g.op('Sub', 'P_BAD0', [scalar(g, 'one', 1), event], T);
  const yes = g.op('GreaterEqual', 'is_event', [event, scalar(g, 'threshold', 0.5)], T);
  const klass = g.op('Cast', 'I_BAD', [yes], {
    SrcT: attr.type('DT_BOOL'),
    DstT: attr.type('DT_INT64'),
    Truncate: attr.bool(false),
  });
  const bound = (node: string, dtype: BoundTensor['dtype']): BoundTensor => ({ node, dtype, shape: [-1] });
  return {
    graph: g.build(),
    signatures: {
      serving_default: {
        inputs: Object.fromEntries(INPUTS.map((name) => [name, bound(placeholder(name), dtypeOf(name))])),
        outputs: {
          P_BAD1: bound(event, 'DT_FLOAT'),
          P_BAD0: bound(other, 'DT_FLOAT'),
          I_BAD: bound(klass, 'DT_INT64'),
        },
      },
    },
  };
}

/** Two `[n, 10]` blocks: scaled numbers with the mean in place of missing ones, and the missing flags. */
function numericFeatures(g: Graph, { mean, std }: Scaling): string[] {
  const raw = g.op('Pack', 'numbers', NUMERIC.map(placeholder), {
    ...T,
    N: attr.int(NUMERIC.length),
    axis: attr.int(1),
  });
  const missing = g.op('IsNan', 'missing', [raw], T);
  const means = g.constant('mean', numberTensor('DT_FLOAT', [mean.length], mean));
  const stds = g.constant('std', numberTensor('DT_FLOAT', [std.length], std));
  const logged = g.op('Log1p', 'logged', [g.op('Relu', 'positive', [raw], T)], T);
  const filled = g.op('SelectV2', 'filled', [missing, means, logged], T);
  const scaled = g.op('RealDiv', 'scaled', [g.op('Sub', 'centred', [filled, means], T), stds], T);
  const bounds = [scalar(g, 'low', -CLIP), scalar(g, 'high', CLIP)];
  return [g.op('ClipByValue', 'clipped', [scaled, ...bounds], T), toFloat(g, 'missing_flags', missing)];
}

/** One `[n, flags]` block: which category, or missing, each text is. Blanks around a category do not matter. */
function textFeatures(g: Graph): string {
  for (const name of CATEGORICAL) g.op('StringStrip', `${name}/text`, [placeholder(name)], {});
  const flags = FLAGS.map(({ column, category }, index) => {
    const value = g.constant(`${column}/category_${index}`, stringTensor([], [category]));
    return g.op('Equal', `${column}/is_${index}`, [`${column}/text`, value], {
      T: attr.type('DT_STRING'),
      incompatible_shape_error: attr.bool(true),
    });
  });
  const packed = g.op('Pack', 'texts', flags, {
    T: attr.type('DT_BOOL'),
    N: attr.int(flags.length),
    axis: attr.int(1),
  });
  return toFloat(g, 'text_flags', packed);
}

const toFloat = (g: Graph, name: string, bools: string): string =>
  g.op('Cast', name, [bools], {
    SrcT: attr.type('DT_BOOL'),
    DstT: attr.type('DT_FLOAT'),
    Truncate: attr.bool(false),
  });

function dense(g: Graph, input: string, layer: Dense, index: number, count: number): string {
  const name = `dense_${index}`;
  const kernel = g.constant(`${name}/kernel`, numberTensor('DT_FLOAT', [layer.inputs, layer.units], layer.kernel));
  const bias = g.constant(`${name}/bias`, numberTensor('DT_FLOAT', [layer.units], layer.bias));
  const product = g.op('MatMul', `${name}/product`, [input, kernel], {
    ...T,
    transpose_a: attr.bool(false),
    transpose_b: attr.bool(false),
  });
  const sum = g.op('BiasAdd', `${name}/sum`, [product, bias], { ...T, data_format: attr.text('NHWC') });
  return index === count - 1 ? sum : g.op('Relu', `${name}/relu`, [sum], T);
}

/** The weights of a SavedModel that {@link toGraph} made; undefined for any other model. */
export function weightsOf(model: SavedModel): Weights | undefined {
  const [mean, std] = [floats(constantOf(model, 'mean')), floats(constantOf(model, 'std'))];
  const layers: Dense[] = [];
  for (let index = 0; ; index++) {
    const kernel = constantOf(model, `dense_${index}/kernel`);
    const [inputs = 0, units = 0] = kernel?.shape ?? [];
    const [values, bias] = [floats(kernel), floats(constantOf(model, `dense_${index}/bias`))];
    if (values === undefined || bias === undefined) break;
    layers.push({ inputs, units, kernel: values, bias });
  }
  const fits = mean?.length === NUMERIC.length && std?.length === NUMERIC.length && layers[0]?.inputs === WIDTH;
  return fits ? { scaling: { mean, std }, layers } : undefined;
}

const floats = (tensor: Tensor | undefined): Float32Array | undefined =>
  tensor?.values instanceof Float32Array ? tensor.values : undefined;

/** Loans as the tensors of the signature. */
export const tensorsOf = (loans: readonly Loan[]): Record<string, Tensor> =>
  Object.fromEntries(
    INPUTS.map((name) => [
      name,
      isText(name)
        ? stringTensor(
            [loans.length],
            loans.map((loan) => (loan[name] as string | null) ?? ''),
          )
        : numberTensor(
            'DT_FLOAT',
            [loans.length],
            loans.map((loan) => (loan[name] as number | null) ?? Number.NaN),
          ),
    ]),
  );
