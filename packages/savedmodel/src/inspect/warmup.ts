import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../digest.ts';
import { maskedCrc32c } from './crc32c.ts';
import type { WarmupReport } from './report.ts';
import { eachField } from '@fairway/core';

const WARMUP = 'assets.extra/tf_serving_warmup_requests';
/** TensorFlow Serving refuses to load a version with more (WarmupConsts::kMaxNumRecords). */
const MAX_RECORDS = 1000;
const MAX_BYTES = 64 * 2 ** 20;

/** The requests of a PredictionLog (tensorflow_serving/apis/prediction_log.proto). */
const KINDS: Readonly<Record<number, string>> = {
  2: 'classify',
  3: 'regress',
  4: 'multi-inference',
  5: 'session-run',
  6: 'predict',
  7: 'predict-streamed',
};

/** Counts the warm-up requests and holds every record against its checksums; undefined when the model has none. */
export async function readWarmup(dir: string, files: readonly Member[]): Promise<WarmupReport | undefined> {
  const file = files.find(({ path }) => path === WARMUP);
  if (file === undefined) return undefined;
  const report = { records: 0, kinds: {}, bytes: file.size };
  if (file.size > MAX_BYTES)
    return { ...report, problem: `it has ${file.size} bytes, and more than ${MAX_BYTES} would delay every start` };
  return { ...report, ...readRecords(await readFile(join(dir, WARMUP))) };
}

/** TFRecord: length (8 bytes), its checksum (4), the data, its checksum (4); little endian. */
function readRecords(bytes: Buffer): Pick<WarmupReport, 'records' | 'kinds' | 'problem'> {
  const kinds: Record<string, number> = {};
  let [at, records] = [0, 0];
  let problem: string | undefined;
  while (at < bytes.length && problem === undefined) {
    const end = recordEnd(bytes, at);
    if (typeof end === 'string') problem = `record ${records + 1} ${end}`;
    else {
      const kind = kindOf(bytes, at + 12, end);
      if (kind === undefined) problem = `record ${records + 1} is no PredictionLog with a request`;
      else kinds[kind] = (kinds[kind] ?? 0) + 1;
      records++;
      at = end + 4;
    }
  }
  if (problem === undefined && records > MAX_RECORDS)
    problem = `it has ${records} records, and TensorFlow Serving takes ${MAX_RECORDS} at most`;
  return { records, kinds, ...(problem === undefined ? {} : { problem }) };
}

/** Where the data of the record at `at` ends, or what is wrong with it. */
function recordEnd(bytes: Buffer, at: number): number | string {
  if (bytes.length - at < 16) return 'is cut off';
  if (maskedCrc32c(bytes, at, at + 8) !== bytes.readUInt32LE(at + 8))
    return 'is damaged: the checksum of its length differs';
  const length = Number(bytes.readBigUInt64LE(at));
  if (length > bytes.length - at - 16) return 'is cut off';
  const end = at + 12 + length;
  if (maskedCrc32c(bytes, at + 12, end) !== bytes.readUInt32LE(end)) return 'is damaged: its checksum differs';
  return end;
}

/** Which request a PredictionLog holds; undefined when it is none. */
function kindOf(bytes: Buffer, start: number, end: number): string | undefined {
  let kind: string | undefined;
  try {
    eachField(bytes, start, end, (id) => {
      kind = KINDS[id] ?? kind;
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
  return kind;
}
