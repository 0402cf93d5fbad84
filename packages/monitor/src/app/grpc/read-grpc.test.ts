import { deflateSync, gzipSync } from 'node:zlib';
import type { Exchange, ExchangeHead } from '@fairway/core';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { splitExchange } from '../split.ts';
import { readGrpc } from './read-grpc.ts';
import { readTensor } from './tensor.ts';
import { halfFloat, shortFloat } from './values.ts';

/** The messages as TensorFlow Serving has them (tensorflow_serving/apis, tensorflow/core), as far as they are read. */
const PROTO = `syntax = "proto3";
message Dim { int64 size = 1; string name = 2; }
message Shape { repeated Dim dim = 2; bool unknown_rank = 3; }
message Tensor {
  int32 dtype = 1; Shape tensor_shape = 2; int32 version_number = 3; bytes tensor_content = 4;
  repeated float float_val = 5; repeated double double_val = 6; repeated int32 int_val = 7; repeated bytes string_val = 8;
  repeated float scomplex_val = 9; repeated int64 int64_val = 10; repeated bool bool_val = 11;
  repeated double dcomplex_val = 12; repeated int32 half_val = 13; repeated uint32 uint32_val = 16; repeated uint64 uint64_val = 17;
}
message Unpacked { int32 dtype = 1; Shape tensor_shape = 2; repeated float float_val = 5 [packed = false]; repeated int64 int64_val = 10 [packed = false]; }
message Version { int64 value = 1; }
message Spec { string name = 1; Version version = 2; string signature_name = 3; string version_label = 4; }
message PredictRequest { Spec model_spec = 1; map<string, Tensor> inputs = 2; repeated string output_filter = 3; }
message PredictResponse { map<string, Tensor> outputs = 1; Spec model_spec = 2; }
message BytesList { repeated bytes value = 1; }
message FloatList { repeated float value = 1; }
message Int64List { repeated int64 value = 1; }
message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
message Features { map<string, Feature> feature = 1; }
message Example { Features features = 1; }
message ExampleList { repeated Example examples = 1; }
message ExampleListWithContext { repeated Example examples = 1; Example context = 2; }
message Input { oneof kind { ExampleList example_list = 1; ExampleListWithContext example_list_with_context = 2; } }
message Asked { Spec model_spec = 1; Input input = 2; }
message Class { string label = 1; float score = 2; }
message Classifications { repeated Class classes = 1; }
message ClassificationResult { repeated Classifications classifications = 1; }
message Classified { ClassificationResult result = 1; Spec model_spec = 2; }
message Regression { float value = 1; }
message RegressionResult { repeated Regression regressions = 1; }
message Regressed { RegressionResult result = 1; Spec model_spec = 2; }`;

const { root } = protobuf.parse(PROTO, { keepCase: true });
const encode = (name: string, value: object): Uint8Array =>
  root.lookupType(name).encode(root.lookupType(name).fromObject(value)).finish();

const shape = (...dims: number[]) => ({ dim: dims.map((size) => ({ size })) });
const tensorOf = (value: object, type = 'Tensor') => {
  const bytes = Buffer.from(encode(type, value));
  return readTensor({ bytes, sanitised: false }, 0, bytes.length);
};

const SERVICE = '/tensorflow.serving.PredictionService/';
const PREDICT = `${SERVICE}Predict`;
function exchange(
  target: string,
  request: Uint8Array,
  response: Uint8Array,
  more: Partial<ExchangeHead> = {},
): Exchange {
  return {
    head: {
      v: 1,
      id: 'x',
      seq: 1,
      time: '2026-01-01T00:00:00.000Z',
      model: 'm',
      version: '7',
      versionSource: 'answer',
      environment: 'dev',
      method: 'POST',
      target,
      status: 200,
      grpcStatus: 0,
      protocol: 'grpc',
      latencyMs: 1,
      outcome: 'complete',
      requestLength: request.length,
      responseLength: response.length,
      ...more,
    },
    request,
    response,
  };
}

const rows = (one: Exchange) => {
  const split = splitExchange(one, undefined);
  return 'reason' in split ? split : split.records.map(({ inputs, outputs }) => [inputs, outputs]);
};

test.each<[string, object, unknown]>([
  ['DT_FLOAT', { dtype: 1, float_val: [0.1, -2.5] }, [0.1, -2.5]],
  ['DT_DOUBLE', { dtype: 2, double_val: [0.1, 1e300] }, [0.1, 1e300]],
  ['DT_INT32', { dtype: 3, int_val: [-1, 2147483647] }, [-1, 2147483647]],
  ['DT_UINT8', { dtype: 4, int_val: [0, 255] }, [0, 255]],
  ['DT_INT16', { dtype: 5, int_val: [-32768, 1] }, [-32768, 1]],
  ['DT_INT8', { dtype: 6, int_val: [-128, 1] }, [-128, 1]],
  ['DT_STRING', { dtype: 7, string_val: [Buffer.from('é'), Buffer.from([0xff])] }, ['é', { b64: '/w==' }]],
  [
    'DT_COMPLEX64',
    { dtype: 8, scomplex_val: [1, 2, 3, 4] },
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    'DT_INT64',
    { dtype: 9, int64_val: ['9007199254740993', '-9223372036854775808'] },
    [9007199254740993n, -(2n ** 63n)],
  ],
  ['DT_BOOL', { dtype: 10, bool_val: [true, false] }, [true, false]],
  ['DT_BFLOAT16', { dtype: 14, half_val: [0x3f80, 0xc000] }, [1, -2]],
  ['DT_UINT16', { dtype: 17, int_val: [65535, 1] }, [65535, 1]],
  [
    'DT_COMPLEX128',
    { dtype: 18, dcomplex_val: [1, 2] },
    [
      [1, 2],
      [1, 2],
    ],
  ],
  ['DT_HALF', { dtype: 19, half_val: [0x3c00, 0x2e66] }, [1, 0.099975586]],
  ['DT_UINT32', { dtype: 22, uint32_val: [4294967295, 0] }, [4294967295, 0]],
  ['DT_UINT64', { dtype: 23, uint64_val: ['18446744073709551615', '1'] }, [2n ** 64n - 1n, 1]],
])('%s in its list', (_, values, wanted) => {
  expect(tensorOf({ ...values, tensor_shape: shape(2) })).toEqual(wanted);
});

const content = (dtype: number, hex: string, ...dims: number[]) => ({
  dtype,
  tensor_shape: shape(...dims),
  tensor_content: Buffer.from(hex, 'hex'),
});

test.each<[string, object, unknown]>([
  ['DT_FLOAT', content(1, 'cdcccc3d0000c07f', 2), [0.1, Number.NaN]],
  ['DT_DOUBLE', content(2, '9a9999999999b93f', 1), [0.1]],
  ['DT_INT32', content(3, 'ffffffff', 1, 1), [[-1]]],
  ['DT_INT16', content(5, '0080', 1), [-32768]],
  ['DT_STRING', content(7, '0301616263ff', 2), ['abc', { b64: '/w==' }]],
  ['DT_INT64', content(9, '0100000000002000', 1), [9007199254740993n]],
  ['DT_BOOL', content(10, '0100', 2), [true, false]],
  ['DT_BFLOAT16', content(14, '803f', 1), [1]],
  ['DT_HALF', content(19, '0100007c00fc', 3), [5.9604645e-8, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['DT_COMPLEX64', content(8, '0000803f00000040', 1), [[1, 2]]],
  ['DT_UINT64', content(23, 'ffffffffffffffff', 1), [2n ** 64n - 1n]],
])('%s in tensor_content', (_, values, wanted) => {
  expect(tensorOf(values)).toEqual(wanted);
});

test('a list that is too short repeats its last value, an empty one is zeros, and more is left out', () => {
  expect(tensorOf({ dtype: 1, tensor_shape: shape(2, 2), float_val: [1, 2] })).toEqual([
    [1, 2],
    [2, 2],
  ]);
  expect(tensorOf({ dtype: 7, tensor_shape: shape(2) })).toEqual(['', '']);
  expect(tensorOf({ dtype: 10, tensor_shape: shape(1) })).toEqual([false]);
  expect(tensorOf({ dtype: 3, tensor_shape: shape(1), int_val: [1, 2, 3] })).toEqual([1]);
});

test('a tensor without dimensions is its value; one without values is empty', () => {
  expect(tensorOf({ dtype: 3, int_val: [5] })).toBe(5);
  expect(tensorOf({ dtype: 3, tensor_shape: shape(2, 0) })).toEqual([[], []]);
});

test('values that stand one by one are read like packed ones', () => {
  const values = { tensor_shape: shape(3) };
  expect(tensorOf({ ...values, dtype: 1, float_val: [1, 2, 3] }, 'Unpacked')).toEqual([1, 2, 3]);
  const big = ['-1', '9007199254740993', '300'];
  expect(tensorOf({ ...values, dtype: 9, int64_val: big }, 'Unpacked')).toEqual([-1, 9007199254740993n, 300]);
});

test.each<[string, object]>([
  ['more values than bytes could tell', { dtype: 1, tensor_shape: shape(1_000_000_000), float_val: [1] }],
  ['more empty rows than bytes could tell', { dtype: 1, tensor_shape: shape(1_000_000_000, 0) }],
  ['a negative dimension', { dtype: 1, tensor_shape: shape(-1), float_val: [1] }],
  ['no known rank', { dtype: 1, tensor_shape: { unknown_rank: true } }],
  ['101 dimensions', { dtype: 1, tensor_shape: shape(...Array<number>(101).fill(1)) }],
  ['other bytes than its shape wants', content(1, '00', 1)],
  ['texts that are cut off', content(7, '7f61', 1)],
  ['a resource', { dtype: 20, tensor_shape: shape(1) }],
])('a tensor of %s is refused', (_, value) => {
  expect(() => tensorOf(value)).toThrow(RangeError);
});

test('floats come as the shortest decimal that is the same float', () => {
  fc.assert(
    fc.property(fc.float(), (float) => {
      const short = shortFloat(float);
      expect(Math.fround(short)).toBe(float);
      expect(String(short).length).toBeLessThanOrEqual(String(float).length);
    }),
  );
  expect([0.1, 1 / 3, 16_777_216, 1e10].map((value) => shortFloat(Math.fround(value)))).toEqual([
    0.1, 0.33333334, 16_777_216, 1e10,
  ]);
  expect([0x7bff, 0x0001, 0x8000, 0x7e00].map(halfFloat)).toEqual([65_504, 2 ** -24, -0, Number.NaN]);
});

const column = (...values: number[]) => ({ dtype: 1, tensor_shape: shape(values.length, 1), float_val: values });
const names = (...values: string[]) => ({
  dtype: 7,
  tensor_shape: shape(values.length),
  string_val: values.map((text) => Buffer.from(text)),
});
const ASKED = encode('PredictRequest', {
  model_spec: { name: 'm' },
  inputs: { LOAN: column(1000, 2500.5), JOB: names('Mgr', 'S\0hne') },
});
const TOLD = encode('PredictResponse', {
  model_spec: { name: 'm', version: { value: 7 } },
  outputs: { P: column(0.25, 0.1) },
});
const ROWS = [
  [{ LOAN: 1000, JOB: 'Mgr' }, { P: 0.25 }],
  [{ LOAN: 2500.5, JOB: 'S\uFFFDhne' }, { P: 0.1 }],
];

test('a record for each instance, with the values that REST would have given', () => {
  expect(rows(exchange(PREDICT, ASKED, TOLD))).toEqual(ROWS);
});

test.each<[string, Partial<ExchangeHead>, Uint8Array, Uint8Array]>([
  ['a gzip request', { requestEncoding: 'gzip' }, gzipSync(ASKED), TOLD],
  ['a deflated request', { requestEncoding: 'deflate' }, deflateSync(ASKED), TOLD],
  ['a gzip answer', {}, ASKED, gzipSync(TOLD)],
])('%s is inflated', (_, head, request, response) => {
  expect(rows(exchange(PREDICT, request, response, head))).toEqual(ROWS);
});

test('tensors that do not share their 0th dimension stay one exchange', () => {
  const told = encode('PredictResponse', { outputs: { P: column(0.25) } });
  expect(rows(exchange(PREDICT, ASKED, told))).toEqual({ reason: 'lengths_differ', as: 'whole' });
});

const example = (features: object) => ({ features: { feature: features } });
const float = (...value: number[]) => ({ float_list: { value } });
const input = {
  example_list_with_context: {
    context: example({ REGION: { bytes_list: { value: [Buffer.from('north')] } } }),
    examples: [
      example({ LOAN: float(1000.1), AGE: { int64_list: { value: ['9007199254740993'] } } }),
      example({ LOAN: float(1, 2), AGE: {} }),
    ],
  },
};
const EXAMPLES = [
  { REGION: 'north', LOAN: 1000.1, AGE: '9007199254740993' },
  { REGION: 'north', LOAN: '[1,2]', AGE: null },
];

test('regress: a record for each example, context and all', () => {
  const told = encode('Regressed', { result: { regressions: [{ value: 0.1 }, {}] } });
  const one = exchange(`${SERVICE}Regress`, encode('Asked', { input }), told);
  expect(rows(one)).toEqual([
    [EXAMPLES[0], { value: 0.1 }],
    [EXAMPLES[1], { value: 0 }],
  ]);
});

test('classify: a record for each example, a score for each label', () => {
  const classes = [
    { label: 'yes', score: 0.9 },
    { label: 'no', score: 0.1 },
  ];
  const told = encode('Classified', { result: { classifications: [{ classes }, { classes }] } });
  const asked = encode('Asked', {
    input: { example_list: { examples: [example({ A: float(1) }), example({ A: float(2) })] } },
  });
  const scores = { label: 'yes', yes: 0.9, no: 0.1 };
  expect(rows(exchange(`${SERVICE}Classify`, asked, told))).toEqual([
    [{ A: 1 }, scores],
    [{ A: 2 }, scores],
  ]);
});

test.each<[string, Exchange, string]>([
  ['a request that is no message', exchange(PREDICT, Buffer.from([0xff]), TOLD), 'request_unreadable'],
  ['an answer that is no message', exchange(PREDICT, ASKED, Buffer.from([0x0a, 5])), 'response_unreadable'],
  ['an unknown encoding', exchange(PREDICT, ASKED, TOLD, { requestEncoding: 'snappy' }), 'undecodable'],
  ['gzip that is none', exchange(PREDICT, ASKED, TOLD, { requestEncoding: 'gzip' }), 'undecodable'],
  ['another method', exchange('/grpc.health.v1.Health/Check', ASKED, TOLD), 'not_a_prediction'],
  ['several inferences in one', exchange(`${SERVICE}MultiInference`, ASKED, TOLD), 'unsupported_multiinference'],
])('%s says so', (_, one, reason) => {
  expect(rows(one)).toMatchObject({ reason });
});

test('damaged messages give rows or a reason, and nothing else', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
  const damaged = (bytes: Uint8Array, changes: ReadonlyArray<readonly [number, number]>) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of changes) copy[at % copy.length] = value;
    return copy;
  };
  fc.assert(
    fc.property(damage, damage, (asked, told) => {
      const read = readGrpc(exchange(PREDICT, damaged(ASKED, asked), damaged(TOLD, told)));
      expect(typeof read === 'string' || typeof read.request.root === 'object').toBe(true);
    }),
    { numRuns: 500 },
  );
});
