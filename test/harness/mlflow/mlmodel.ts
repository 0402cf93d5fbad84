/** A field of a signature, as MLflow writes it. */
export type Field =
  | { readonly name?: string; readonly type: string; readonly required?: boolean }
  | {
      readonly name?: string;
      readonly type: 'tensor';
      readonly 'tensor-spec': { readonly dtype: string; readonly shape: readonly number[] };
    };

export const tensor = (name: string | undefined, dtype: string, shape: readonly number[]): Field => ({
  ...(name === undefined ? {} : { name }),
  type: 'tensor',
  'tensor-spec': { dtype, shape },
});

/** HAND-MADE after files of mlflow.tensorflow (2.9) and mlflow.keras (3.4): flavours, and the signature as JSON in strings. */
export function mlmodelFile(flavors: string, inputs?: readonly Field[], outputs?: readonly Field[]): Buffer {
  const signature =
    inputs === undefined
      ? ''
      : `signature:\n  inputs: '${list(inputs)}'\n  outputs: ${outputs === undefined ? 'null' : `'${list(outputs)}'`}\n  params: null\n`;
  return Buffer.from(
    `artifact_path: model\nflavors:\n${flavors}  python_function:\n    data: data\n    env:\n      conda: conda.yaml\n    loader_module: mlflow.tensorflow\n    python_version: 3.11.4\nmlflow_version: 2.9.2\nmodel_size_bytes: 302144\nmodel_uuid: 6f1d3a4b5c6d4e7f8091a2b3c4d5e6f7\nrun_id: 00000000000000000000000000000001\n${signature}utc_time_created: '2026-03-01 10:11:12.131415'\n`,
  );
}

const list = (fields: readonly Field[]): string => JSON.stringify(fields).replaceAll("'", "''");

/** Where the SavedModel is, by flavour. */
export const FLAVORS = {
  keras:
    '  tensorflow:\n    code: null\n    data: data\n    keras_version: 2.15.0\n    model_type: keras\n    save_format: tf\n',
  module: '  tensorflow:\n    code: null\n    model_type: tf2-module\n    saved_model_dir: tf2model\n',
  estimator:
    '  tensorflow:\n    code: null\n    meta_graph_tags:\n    - serve\n    saved_model_dir: tfmodel\n    signature_def_key: serving_default\n',
  exported:
    '  keras:\n    data: data\n    keras_backend: tensorflow\n    keras_version: 3.5.0\n    save_exported_model: true\n',
  sklearn: '  sklearn:\n    code: null\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n',
} as const;
