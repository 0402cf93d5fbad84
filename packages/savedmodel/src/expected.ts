import type { Target, Variable } from '@fairway/core';

/**
 * One tensor as a registry describes it. `type`: in the registry's own word, for sentences; `dtypes`: what fits it, empty when the
 * registry does not say. `shape`: -1 fits any size; without it a number or text for each row is meant, `[-1]` or `[-1, 1]`.
 */
export type ExpectedTensor = {
  /** Absent: the only tensor of its role, whatever its name (MLflow). */
  readonly name?: string;
  readonly type: string;
  readonly dtypes: readonly string[];
  readonly shape?: readonly number[];
  /** May be missing. */
  readonly optional?: boolean;
};

/** What a registry says about the tensors of a model. `inputs` or `outputs` absent: it says nothing about them. */
export type Expected = {
  /** Where it is said, for sentences: `inputVar.json`, `the MLflow signature`. */
  readonly from: { readonly input: string; readonly output: string };
  readonly inputs?: readonly ExpectedTensor[];
  readonly outputs?: readonly ExpectedTensor[];
  readonly target?: Target;
};

/** What fits a `decimal`: anything that TensorFlow Serving's JSON writes as a number, and true or false. */
const DECIMAL = [
  'DT_FLOAT',
  'DT_DOUBLE',
  'DT_INT32',
  'DT_INT64',
  'DT_BOOL',
  'DT_HALF',
  'DT_BFLOAT16',
  'DT_INT8',
  'DT_INT16',
  'DT_UINT8',
  'DT_UINT16',
  'DT_UINT32',
  'DT_UINT64',
];

/** SAS Model Manager's variables: one value for each row, `decimal` or `string`. */
export function expectedOfVariables(variables: readonly Variable[], target?: Target): Expected {
  const of = (role: Variable['role']): ExpectedTensor[] =>
    variables
      .filter((variable) => variable.role === role)
      .map(({ name, type }) => ({ name, type, dtypes: type === 'string' ? ['DT_STRING'] : DECIMAL }));
  return {
    from: { input: 'inputVar.json', output: 'outputVar.json' },
    inputs: of('input'),
    outputs: of('output'),
    ...(target === undefined ? {} : { target }),
  };
}

/** As Variables, for what a ModelVersion says of itself; a tensor without a name is not among them. */
export function variablesOf({ inputs = [], outputs = [] }: Expected): Variable[] {
  const of = (role: Variable['role'], tensors: readonly ExpectedTensor[]): Variable[] =>
    tensors.flatMap(({ name, dtypes }) =>
      name === undefined
        ? []
        : [{ name, type: dtypes.includes('DT_STRING') ? ('string' as const) : ('decimal' as const), role }],
    );
  return [...of('input', inputs), ...of('output', outputs)];
}
