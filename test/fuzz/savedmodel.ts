import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { FairwayError } from '@fairway/core';
import { inspectSavedModel, readSavedModel, type SavedModelReport } from '@fairway/savedmodel';
import fc from 'fast-check';
import { maskedCrc } from '../harness/protobuf.ts';
import { type Attempt, campaign } from './campaign.ts';
import { mutated, type Mutation, mutations } from './mutations.ts';

const EXPORTS = fileURLToPath(new URL('../integration/savedmodel/golden/exports/', import.meta.url));
const FILES = {
  'saved_model.pb': ['estimator', 'keras3', 'examples', 'python'],
  'variables/variables.index': ['estimator', 'keras3', 'examples', 'python'],
  'assets.extra/tf_serving_warmup_requests': ['keras3'],
  'fingerprint.pb': ['keras3', 'examples'],
} as const;
type File = keyof typeof FILES;

/** `sealed`: the checksums are right again, so that what lies behind them is reached. */
type Case = {
  readonly file: File;
  readonly model: string;
  readonly changes: readonly Mutation[];
  readonly sealed: boolean;
};

const oneOf = (file: File): fc.Arbitrary<Case> =>
  fc.record({
    file: fc.constant(file),
    model: fc.constantFrom(...FILES[file]),
    changes: mutations,
    sealed: fc.boolean(),
  });

const cases: fc.Arbitrary<Case> = fc.oneof(
  { weight: 6, arbitrary: oneOf('saved_model.pb') },
  { weight: 5, arbitrary: oneOf('variables/variables.index') },
  { weight: 2, arbitrary: oneOf('assets.extra/tf_serving_warmup_requests') },
  { weight: 1, arbitrary: oneOf('fingerprint.pb') },
);

/** SavedModels of TensorFlow and Keras, damaged: a report or one sentence, and no damage under a checksum goes unseen. */
export const savedModel = campaign<Case>('savedmodel', { cases, open, capMs: 10_000, rssMb: 512 });

async function open(): Promise<{ attempt: Attempt<Case>; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'fairway-fuzz-savedmodel-'));
  await cp(EXPORTS, folder, { recursive: true });
  const whole = new Map<string, SavedModelReport>();
  for (const model of FILES['saved_model.pb']) whole.set(model, await inspectSavedModel(join(folder, model)));
  const attempt: Attempt<Case> = async (one) => {
    const path = join(folder, one.model, one.file);
    const before = await readFile(path);
    const damaged = mutated(before, one.changes);
    const after = one.sealed ? sealed(one.file, damaged) : damaged;
    try {
      await writeFile(path, after);
      const report = await looked(join(folder, one.model));
      return typeof report === 'string' ? report : judged(one, report, whole.get(one.model), after.equals(before));
    } finally {
      await writeFile(path, before);
    }
  };
  return { attempt, close: () => rm(folder, { recursive: true, force: true }) };
}

/** The report, undefined when it was refused in a sentence, or what was wrong with the refusal. */
async function looked(dir: string): Promise<SavedModelReport | undefined | string> {
  await refusal(readSavedModel(dir));
  const answer = await inspectSavedModel(dir).catch((error: unknown) => error);
  if (!(answer instanceof Error)) return answer as SavedModelReport;
  return sentenced(answer);
}

async function refusal(reading: Promise<unknown>): Promise<void> {
  const wrong = await reading.then(() => undefined, sentenced);
  if (wrong !== undefined) throw new Error(wrong);
}

function sentenced(error: unknown): string | undefined {
  if (!(error instanceof FairwayError) || error.code !== 'model.invalid') return `thrown: ${String(error)}`;
  return /^[^\n]{20,400}\.$/.test(error.message) ? undefined : `no sentence: ${error.message}`;
}

function judged(
  { file, changes, sealed: isSealed }: Case,
  report: SavedModelReport | undefined,
  whole: SavedModelReport | undefined,
  same: boolean,
): string | undefined {
  if (same) return isDeepStrictEqual(report, whole) ? undefined : 'the same bytes gave another report';
  if (report === undefined) return file === 'saved_model.pb' ? undefined : `${file} alone made it no SavedModel`;
  const long = [...report.problems, ...report.remarks].find((text) => text === '' || text.length > 90_000);
  if (long !== undefined) return `a problem of ${long.length} characters`;
  // One wrong bit: it is told, or it stood where nothing depends on it.
  if (isSealed || changes.length !== 1 || changes[0]?.kind !== 'flip') return undefined;
  if (file === 'variables/variables.index' && report.variables.state === 'complete')
    return isDeepStrictEqual(report.variables, whole?.variables) ? undefined : 'a wrong bit of the index went unseen';
  if (file.startsWith('assets.extra') && report.warmup?.problem === undefined) return 'a wrong warm-up bit went unseen';
  return undefined;
}

function sealed(file: File, bytes: Buffer): Buffer {
  if (file === 'variables/variables.index') return sealedIndex(bytes);
  return file.startsWith('assets.extra') ? sealedRecords(bytes) : bytes;
}

/** A table's blocks end in restart points, their number and a kind; wherever that may be, the checksum is made right. */
function sealedIndex(bytes: Buffer): Buffer {
  let start = 0;
  for (let at = 8; at + 5 <= bytes.length - 40; at++) {
    if (bytes.readUInt32LE(at - 4) !== 1 || bytes.readUInt32LE(at - 8) !== 0) continue;
    bytes.writeUInt32LE(maskedCrc(bytes.subarray(start, at + 1)), at + 1);
    start = at + 5;
    at = start + 7;
  }
  return bytes;
}

function sealedRecords(bytes: Buffer): Buffer {
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    bytes.writeUInt32LE(maskedCrc(bytes.subarray(at, at + 8)), at + 8);
    const end = at + 12 + length;
    if (end + 4 > bytes.length) break;
    bytes.writeUInt32LE(maskedCrc(bytes.subarray(at + 12, end)), end);
    at = end + 4;
  }
  return bytes;
}
