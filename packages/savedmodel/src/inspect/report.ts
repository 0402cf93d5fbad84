import type { OpVerdict } from './ops.ts';

/** `shape`: -1 for a dimension that is not known before execution, `null` when not even their number is. */
export type TensorReport = {
  readonly name: string;
  /** In the graph, `node:output`. */
  readonly tensor: string;
  /** TensorFlow's name of the data type, e.g. `DT_HALF`. */
  readonly dtype: string;
  readonly shape: readonly number[] | null;
  /** `sparse` and `composite` (ragged) are made of several tensors, which TensorFlow Serving's JSON cannot carry. */
  readonly encoding: 'dense' | 'sparse' | 'composite';
};

export type SignatureReport = {
  readonly name: string;
  readonly kind: 'predict' | 'classify' | 'regress' | 'init' | 'train' | 'other';
  /** The method name as it is written, e.g. `tensorflow/serving/predict`. */
  readonly method: string;
  readonly inputs: readonly TensorReport[];
  readonly outputs: readonly TensorReport[];
  /** True: its one input takes serialized tf.Example messages, and what they have to hold is in the graph's `features`. */
  readonly takesExamples: boolean;
};

/** A feature that the graph reads out of tf.Example messages. `shape`: of one example, `null` when it may have any length. */
export type FeatureReport = {
  readonly name: string;
  readonly kind: 'dense' | 'sparse' | 'ragged';
  readonly dtype: string;
  readonly shape: readonly number[] | null;
};

export type OpReport = {
  readonly op: string;
  readonly verdict: OpVerdict;
  /** In the graph and in the functions that it calls. */
  readonly count: number;
  /** In functions that nothing calls: left over from training, never executed. */
  readonly unused: number;
};

export type GraphReport = {
  readonly tags: readonly string[];
  /** The TensorFlow that wrote it. */
  readonly tensorflow?: string;
  readonly tensorflowGit?: string;
  readonly signatures: readonly SignatureReport[];
  readonly nodes: number;
  readonly functions: number;
  readonly ops: readonly OpReport[];
  /** The ops that the graph says it needs (stripped_op_list), sorted. */
  readonly declaredOps?: readonly string[];
  /** Read from the constants of ParseExample ops. */
  readonly features: readonly FeatureReport[];
  readonly assets: readonly string[];
};

export type Shard = { readonly file: string; readonly bytes: number; readonly complete: boolean };

/** `state`: `none` (weights stand in the graph, or nowhere), `complete`, `broken`, or `unread`, where `reason` says why. */
export type VariablesReport = {
  readonly state: 'none' | 'complete' | 'broken' | 'unread';
  readonly count: number;
  readonly bytes: number;
  readonly shards: readonly Shard[];
  readonly reason?: string;
};

/** `problem`: half a sentence. `kinds`: what is asked, e.g. `{predict: 3}`. */
export type WarmupReport = {
  readonly records: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly problem?: string;
};

/** fingerprint.pb (TensorFlow 2.12 and newer); `uuid`: another one for every export. */
export type Fingerprint = { readonly uuid?: string };

/** What is inside a SavedModel folder. Plain data, the same for the same bytes. */
export type SavedModelReport = {
  readonly definition: 1;
  /** `sha256:<hex>` over the sorted tree, as an approval binds it. */
  readonly digest: string;
  readonly bytes: number;
  readonly files: ReadonlyArray<{ readonly path: string; readonly bytes: number }>;
  readonly schemaVersion: number;
  readonly graphs: readonly GraphReport[];
  /** Index in `graphs` of the one that TensorFlow Serving loads: tagged `serve` and nothing else. */
  readonly serving?: number;
  readonly variables: VariablesReport;
  readonly warmup?: WarmupReport;
  readonly fingerprint?: Fingerprint;
  /** Keras' version, where keras_metadata.pb (Keras 2) tells it. */
  readonly keras?: string;
  /** Why TensorFlow Serving, or Fairway with it, cannot serve this model: half a sentence each, with the mend. Empty: it can. */
  readonly problems: readonly string[];
  /** What is odd, and no reason against it. */
  readonly remarks: readonly string[];
};
