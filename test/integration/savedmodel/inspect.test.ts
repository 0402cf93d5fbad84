import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectSavedModel, servingGraph } from '@fairway/savedmodel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maskedCrc, message } from '../../harness/protobuf.ts';
import { attrs, type MadeGraph, node, savedModel, shape, signature, tensorInfo } from './made.ts';

const EXPORTS = fileURLToPath(new URL('golden/exports/', import.meta.url));
const INDEX = 'variables/variables.index';
const WARMUP = 'assets.extra/tf_serving_warmup_requests';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-inspect-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const put = (file: string, bytes: Uint8Array | string) => {
  mkdirSync(dirname(join(dir, file)), { recursive: true });
  writeFileSync(join(dir, file), bytes);
};
const made = (...graphs: MadeGraph[]) => {
  put('saved_model.pb', savedModel(...graphs));
  return inspectSavedModel(dir);
};
const exported = (name: string) => cpSync(join(EXPORTS, name), dir, { recursive: true });

describe('the graph', () => {
  test('is the one tagged "serve" alone; without it the tags that are there are named', async () => {
    expect(await made({ tags: ['serve', 'tpu'] }, { tags: ['serve'] })).toMatchObject({ serving: 1, problems: [] });
    const report = await made({ tags: ['train'] }, { tags: ['serve', 'gpu'] });
    expect(report.serving).toBeUndefined();
    expect(report.problems).toEqual([
      'no graph is tagged "serve" alone (tags: [train] [gpu, serve]): export the model for serving',
    ]);
  });

  test('needs the default signature, with outputs', async () => {
    expect((await made({ signatures: {} })).problems[0]).toMatch(/no signature "serving_default" \(signatures: none\)/);
    const mute = { serving_default: signature({ x: tensorInfo('x') }, {}) };
    expect((await made({ signatures: mute })).problems).toEqual(['signature serving_default has no outputs']);
  });

  test('tells tensors that cannot be carried: sparse, ragged, of unknown rank or type', async () => {
    const inputs = {
      ragged: message([5, message([1, ''])], [2, 1], [3, shape(-1)]),
      sparse: message([4, message([1, 'v:0'])], [2, 1], [3, shape(-1, 5)]),
      rankless: tensorInfo('r', 1, message([3, 1])),
      later: tensorInfo('l', 77),
      old: tensorInfo('o', 101),
    };
    const report = await made({ signatures: { serving_default: signature(inputs, { y: tensorInfo('y') }) } });
    expect(servingGraph(report)?.signatures[0]?.inputs.map(({ dtype, encoding }) => `${dtype} ${encoding}`)).toEqual([
      'data type 77 dense',
      'DT_FLOAT_REF dense',
      'DT_FLOAT composite',
      'DT_FLOAT dense',
      'DT_FLOAT sparse',
    ]);
    expect(report.problems).toHaveLength(5);
    expect(report.problems).toContainEqual(expect.stringMatching(/^input rankless has a shape of unknown rank/));
  });

  test('counts the ops of functions that are called, and only remarks on those that are not', async () => {
    const call = (name: string) => node('StatefulPartitionedCall', name, [], { f: attrs.func(name) });
    const report = await made({
      nodes: [call('outer'), node('legacy', 'l'), node('MatMul')],
      functions: {
        outer: [call('inner'), node('MatMul')],
        inner: [node('PyFunc'), call('outer')],
        legacy: [node('MatMul')],
        training: [node('Addons>Rrelu'), node('EagerPyFunc')],
      },
    });
    expect(servingGraph(report)?.ops).toEqual([
      { op: 'Addons>Rrelu', verdict: 'custom', count: 0, unused: 1 },
      { op: 'EagerPyFunc', verdict: 'python', count: 0, unused: 1 },
      { op: 'MatMul', verdict: 'tensorflow', count: 3, unused: 0 },
      { op: 'PyFunc', verdict: 'python', count: 1, unused: 0 },
      { op: 'StatefulPartitionedCall', verdict: 'tensorflow', count: 3, unused: 0 },
    ]);
    expect(report.problems).toEqual([expect.stringMatching(/^it calls Python \(PyFunc\)/)]);
    expect(report.remarks).toEqual([expect.stringMatching(/nothing calls use Addons>Rrelu, EagerPyFunc/)]);
  });

  test('with a custom op cannot be served, one that a newer TensorFlow may have is remarked on', async () => {
    const nodes = [node('BankScore'), node('TFText>NgramsStringJoin')];
    expect((await made({ nodes })).problems).toEqual([expect.stringMatching(/^it needs BankScore, which TensorFlow/)]);
    const newer = await made({ nodes, version: '2.40.0' });
    expect(newer.problems).toEqual([]);
    expect(newer.remarks).toEqual([expect.stringMatching(/^BankScore may be new in TensorFlow 2.40.0/)]);
  });

  // TensorFlow 1 wrote ParseExample with a constant for each key, and tf.parse_single_example has them as attributes.
  test('tells the features that older parsers read', async () => {
    const inputs = { examples: tensorInfo('examples', 7) };
    const keys = ['s0', 'd0', 'd1'].map((key) => node('Const', key, [], { value: attrs.constant(key.toUpperCase()) }));
    const parser = node('ParseExample', 'parse', ['examples', 'names', 's0', 'd0', 'd1:output:0', 'd0', 'd1'], {
      Nsparse: attrs.int(1),
      Ndense: attrs.int(2),
      sparse_types: attrs.types(7),
      Tdense: attrs.types(1, 9),
      dense_shapes: attrs.shapes(shape(1), shape(4, 2)),
    });
    const single = node('ParseSingleExample', 'single', ['examples'], {
      dense_keys: attrs.texts('E0'),
      Tdense: attrs.types(1),
      dense_shapes: attrs.shapes(shape()),
    });
    const signatures = { serving_default: signature(inputs, { y: tensorInfo('y') }) };
    const report = await made({ nodes: [...keys, parser, single], signatures });
    expect(servingGraph(report)).toMatchObject({
      signatures: [{ takesExamples: true }],
      features: [
        { name: 'D0', kind: 'dense', dtype: 'DT_FLOAT', shape: [1] },
        { name: 'D1', kind: 'dense', dtype: 'DT_INT64', shape: [4, 2] },
        { name: 'E0', kind: 'dense', dtype: 'DT_FLOAT', shape: [] },
        { name: 'S0', kind: 'sparse', dtype: 'DT_STRING', shape: null },
      ],
    });
  });

  test('has its assets beside it', async () => {
    put('assets/words.txt', 'a');
    const { problems, graphs } = await made({ assets: ['words.txt', 'more.txt', '../../etc/passwd'] });
    expect(graphs[0]?.assets).toHaveLength(3);
    expect(problems).toEqual(['assets/../../etc/passwd, assets/more.txt is missing: copy or export the model whole']);
  });

  test('with variables needs them', async () => {
    expect((await made({ nodes: [node('VarHandleOp')] })).problems).toEqual([
      expect.stringMatching(/^its graph has variables \(VarHandleOp\), but variables\/variables.index is missing/),
    ]);
  });
});

describe('variables', () => {
  const broken = async () => {
    const { variables, problems } = await inspectSavedModel(dir);
    expect(variables.state).toBe('broken');
    expect(problems).toEqual([variables.reason]);
    return variables.reason;
  };

  test('need every shard whole, and their index', async () => {
    exported('examples');
    const second = 'variables/variables.data-00001-of-00003';
    truncateSync(join(dir, second), 400);
    expect(await broken()).toMatch(new RegExp(`^${second} ends after 400 bytes, in the middle of a variable`));
    rmSync(join(dir, second));
    rmSync(join(dir, 'variables/variables.data-00002-of-00003'));
    expect(await broken()).toMatch(new RegExp(`^${second} is missing \\(and 1 more of this kind\\)`));
    rmSync(join(dir, INDEX));
    expect(await broken()).toMatch(/^variables\/variables.index is missing beside variables\/variables.data-00000/);
  });

  test.each<[string, (index: Buffer) => Uint8Array, RegExp]>([
    ['cut', (index) => index.subarray(0, 300), /is no checkpoint index, or only its beginning/],
    ['empty', () => Buffer.alloc(0), /is no checkpoint index/],
    ['with one bit wrong', (index) => flipped(index, 20), /block at byte 0 is damaged: the checksum differs/],
    ['with a footer that points nowhere', (index) => flipped(index, index.length - 45), /./],
  ])('an index that is %s is told', async (_, change, reason) => {
    exported('examples');
    put(INDEX, change(readFileSync(join(dir, INDEX))));
    expect(await broken()).toMatch(/^variables\/variables.index cannot be read: .*; copy or export the model again$/);
    expect(await broken()).toMatch(reason);
  });

  test('under a compressed index are not checked, and that is said', async () => {
    exported('examples');
    const index = readFileSync(join(dir, INDEX));
    // The first block ends where its restart points do: its kind stands before the four bytes of its checksum.
    const size = index.indexOf(Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])) + 8;
    index[size] = 1;
    index.writeUInt32LE(maskedCrc(index.subarray(0, size + 1)), size + 1);
    put(INDEX, index);
    const { variables, problems, remarks } = await inspectSavedModel(dir);
    expect(variables.state).toBe('unread');
    expect(problems).toEqual([]);
    expect(remarks).toEqual([expect.stringMatching(/is compressed with snappy, so its shards cannot be checked/)]);
  });
});

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
};

describe('warm-up requests', () => {
  const record = (data: Uint8Array): Buffer => {
    const head = Buffer.alloc(12);
    head.writeBigUInt64LE(BigInt(data.length));
    head.writeUInt32LE(maskedCrc(head.subarray(0, 8)), 8);
    const tail = Buffer.alloc(4);
    tail.writeUInt32LE(maskedCrc(data));
    return Buffer.concat([head, data, tail]);
  };
  const predict = record(message([6, message([1, 'x'])]));
  const classify = record(message([2, '']));
  const warmup = async (...records: Uint8Array[]) => {
    put(WARMUP, Buffer.concat(records));
    const { warmup: found, problems } = await made({});
    expect(problems).toHaveLength(found?.problem === undefined ? 0 : 1);
    return found;
  };

  test('are counted by kind', async () => {
    expect(await warmup(predict, classify, predict)).toMatchObject({ records: 3, kinds: { predict: 2, classify: 1 } });
    expect(await warmup()).toMatchObject({ records: 0, bytes: 0 });
  });

  test.each<[string, Uint8Array[], RegExp]>([
    ['a record that is cut', [predict, predict.subarray(0, -1)], /^record 2 is cut off$/],
    ['a head that is cut', [predict.subarray(0, 7)], /^record 1 is cut off$/],
    ['a wrong length', [flipped(predict, 0)], /^record 1 is damaged: the checksum of its length differs$/],
    ['wrong data', [predict, flipped(predict, 13)], /^record 2 is damaged: its checksum differs$/],
    ['something else', [record(Buffer.from('hello'))], /^record 1 is no PredictionLog with a request$/],
    ['too many', Array<Buffer>(1001).fill(classify), /has 1001 records, and TensorFlow Serving takes 1000 at most/],
  ])('%s is told', async (_, records, problem) => {
    expect((await warmup(...records))?.problem).toMatch(problem);
  });
});

describe('what is no SavedModel', () => {
  const deep = (levels: number): Uint8Array => {
    let attr = attrs.func('f');
    for (let level = 0; level < levels; level++)
      attr = message([10, message([1, 'f'], [2, message([1, 'a'], [2, attr])])]);
    return savedModel({ nodes: [node('Call', 'c', [], { f: attr })] });
  };

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /it has no graph/],
    ['text', Buffer.from('no protobuf at all'), /./],
    ['a length of 2 GiB', Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x07]), /names 2147483647 bytes where 0 are left/],
    [
      'a name that is no UTF-8',
      savedModel({ tags: ['\xff\xfe'] }).map((byte) => (byte === 0xc3 ? 0xff : byte)),
      /no UTF-8/,
    ],
    ['deep nesting', deep(200), /nested deeper than 100/],
    [
      'a tensor of 300 dimensions',
      savedModel({ signatures: { s: signature({ x: tensorInfo('x', 1, shape(...Array<number>(300).fill(1))) }, {}) } }),
      /dimension/,
    ],
    [
      'a dimension of -2',
      savedModel({ signatures: { s: signature({ x: tensorInfo('x', 1, shape(-2)) }, {}) } }),
      /dimension -2/,
    ],
    [
      'a name of 100 kB',
      savedModel({ signatures: { ['n'.repeat(100_000)]: new Uint8Array() } }),
      /a name of 100000 bytes/,
    ],
    [
      'many graphs',
      message(...Array.from({ length: 101 }, () => [2, new Uint8Array()] as const)),
      /more than 100 graphs/,
    ],
  ])('%s: one sentence', async (_, bytes, reason) => {
    put('saved_model.pb', bytes);
    const error = await inspectSavedModel(dir).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'model.invalid',
      message: expect.stringMatching(
        /^saved_model.pb is not a TensorFlow SavedModel \(.*\); export the model again.$/,
      ) as string,
    });
    expect((error as Error).message).toMatch(reason);
  });

  test('nesting within the limit is read', async () => {
    put('saved_model.pb', deep(40));
    expect((await inspectSavedModel(dir)).graphs).toHaveLength(1);
  });

  test('a file that is too large is not even read', async () => {
    put('saved_model.pb', '');
    truncateSync(join(dir, 'saved_model.pb'), 2 ** 33);
    expect(statSync(join(dir, 'saved_model.pb')).size).toBe(2 ** 33);
    await expect(inspectSavedModel(dir)).rejects.toThrow(/it has 8589934592 bytes, and 268435456 are allowed/);
  });

  test('more names than a model can have are refused before they fill the memory', async () => {
    const long = 'n'.repeat(15_000);
    put('saved_model.pb', savedModel({ nodes: Array.from({ length: 3600 }, (_, i) => node(`${long}${i}`, 'n')) }));
    await expect(inspectSavedModel(dir)).rejects.toThrow(/more names than a model can have/);
  });
});
