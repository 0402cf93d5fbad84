import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../digest.ts';
import { dtypeName, dtypeWidth } from './dtypes.ts';
import type { Shard, VariablesReport } from './report.ts';
import { eachEntry } from './table.ts';
import { readShape } from './tensor-info.ts';
import { BYTES, eachField, VARINT } from '@fairway/core';

const INDEX = 'variables/variables.index';
/** A million variables take 60 MB. */
const MAX_INDEX = 128 * 2 ** 20;
const MAX_SHARDS = 99_999;

/** The object graph of TensorFlow 2 lies among the variables, and is none. */
const OBJECT_GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH';

type Entry = {
  dtype: number;
  shape: readonly number[] | null;
  shard: number;
  offset: number;
  size: number;
  slices: number;
};

const NONE: VariablesReport = { state: 'none', count: 0, bytes: 0, shards: [] };

/**
 * Holds variables/variables.index (a tensor bundle: tensorflow/core/util/tensor_bundle) against its shard files: all there, and
 * long enough for every tensor. The bytes of the tensors themselves are not read.
 */
export async function readVariables(dir: string, files: readonly Member[]): Promise<VariablesReport> {
  const index = files.find(({ path }) => path === INDEX);
  if (index === undefined) {
    const left = files.filter(({ path }) => path.startsWith('variables/'));
    if (left.length === 0) return NONE;
    return {
      ...NONE,
      state: 'broken',
      reason: `${INDEX} is missing beside ${left[0]?.path ?? ''}; export the model again`,
    };
  }
  if (index.size > MAX_INDEX) return broken(`${INDEX} has ${index.size} bytes, more than any checkpoint needs`);
  try {
    return checkBundle(
      await readWhole(join(dir, INDEX), index.size),
      new Map(files.map(({ path, size }) => [path, size])),
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return broken(`${INDEX} cannot be read: ${error.message}; copy or export the model again`);
  }
}

const broken = (reason: string): VariablesReport => ({ ...NONE, state: 'broken', reason });

/** A file by the size that it had; one that has grown since is cut, and told by the digest. */
async function readWhole(path: string, size: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const shardName = (i: number, of: number): string =>
  `variables/variables.data-${String(i).padStart(5, '0')}-of-${String(of).padStart(5, '0')}`;

function checkBundle(bytes: Buffer, sizes: ReadonlyMap<string, number>): VariablesReport {
  let shards: number | undefined;
  let [count, total] = [0, 0];
  const needed = new Map<number, number>();
  const problems: string[] = [];
  const readable = eachEntry(bytes, (key, start, end) => {
    if (key.length === 0) {
      shards = readShards(bytes, start, end);
      return;
    }
    if (shards === undefined) throw new RangeError('its header is missing');
    const entry = readBundleEntry(bytes, start, end);
    const name = key.toString('utf8');
    const problem = entry.slices > 0 ? undefined : fault(entry, shards);
    if (problem !== undefined && problems.push(`variable ${name} ${problem}`) > 20) throw new RangeError(problems[0]);
    needed.set(entry.shard, Math.max(needed.get(entry.shard) ?? 0, entry.offset + entry.size));
    // A key that begins with 0 is a slice of a variable that has an entry of its own.
    if (key[0] !== 0 && name !== OBJECT_GRAPH) count++;
    if (name !== OBJECT_GRAPH) total += entry.size;
  });
  if (!readable)
    return {
      ...NONE,
      state: 'unread',
      reason: `${INDEX} is compressed with snappy, so its shards cannot be checked here`,
    };
  if (shards === undefined) throw new RangeError('its header is missing');
  const files = Array.from({ length: shards }, (_, i): Shard => {
    const file = shardName(i, shards as number);
    const size = sizes.get(file);
    return { file, bytes: size ?? 0, complete: size !== undefined && size >= (needed.get(i) ?? 0) };
  });
  problems.unshift(...files.filter(({ complete }) => !complete).map((shard) => incomplete(shard, sizes)));
  return {
    state: problems.length === 0 ? 'complete' : 'broken',
    count,
    bytes: total,
    shards: files,
    ...reasonOf(problems),
  };
}

function reasonOf(problems: readonly string[]): { reason?: string } {
  const [first, ...more] = problems;
  if (first === undefined) return {};
  const others = more.length === 0 ? '' : ` (and ${more.length} more of this kind)`;
  return { reason: `${first}${others}; copy or export the model again` };
}

const incomplete = ({ file, bytes }: Shard, sizes: ReadonlyMap<string, number>): string =>
  sizes.has(file) ? `${file} ends after ${bytes} bytes, in the middle of a variable` : `${file} is missing`;

function fault({ dtype, shape, shard, offset, size }: Entry, shards: number): string | undefined {
  if (shard < 0 || shard >= shards) return `lies in shard ${shard} of ${shards}`;
  if (offset < 0 || size < 0) return `lies at byte ${offset} with ${size} bytes`;
  const width = dtypeWidth(dtype);
  if (width === undefined || shape === null) return undefined;
  const expected = shape.reduce((product, dim) => product * dim, width);
  return expected === size ? undefined : `has ${size} bytes for ${dtypeName(dtype)} [${shape.join(', ')}]`;
}

/** BundleHeaderProto: number of shards (1), byte order (2, 1 = big endian). */
function readShards(bytes: Buffer, start: number, end: number): number {
  let [shards, big] = [0, false];
  eachField(bytes, start, end, (id, wire, value) => {
    if (id === 1 && wire === VARINT) shards = value;
    if (id === 2 && wire === VARINT) big = value === 1;
  });
  if (big) throw new RangeError('it was written on a big endian machine, which TensorFlow Serving cannot read');
  if (shards < 1 || shards > MAX_SHARDS) throw new RangeError(`it names ${shards} shards`);
  return shards;
}

/** BundleEntryProto: dtype (1), shape (2), shard (3), offset (4), size (5), slices (7). */
function readBundleEntry(bytes: Buffer, start: number, end: number): Entry {
  const entry: Entry = { dtype: 0, shape: [], shard: 0, offset: 0, size: 0, slices: 0 };
  eachField(bytes, start, end, (id, wire, value, to) => {
    if (wire === BYTES && id === 2) entry.shape = readShape(bytes, value, to);
    if (wire === BYTES && id === 7) entry.slices++;
    if (wire !== VARINT) return;
    if (id === 1) entry.dtype = value;
    if (id === 3) entry.shard = value;
    if (id === 4) entry.offset = value;
    if (id === 5) entry.size = value;
  });
  return entry;
}
