import { dirname } from 'node:path';
import type { Checkpoint } from './checkpoints.ts';
import { filesOf, type FoundFile, isKin } from './find.ts';
import { type ByteSource, hashOf, printBefore } from './source.ts';

/** A file as long as it holds what it held: see {@link Checkpoint}. */
export type Incarnation = {
  checkpoint: Checkpoint;
  /** Where a name leads to it. */
  file: FoundFile | undefined;
  source: ByteSource | undefined;
  /** Stamp of the file when it was last read to its end. */
  tried: string | undefined;
  /** When it is to be read, and since when there is something to read; monotonic ms. */
  due: number;
  behindSince: number | undefined;
  /** Bytes that are there, as last seen. */
  size: number;
  /** When it last changed, monotonic ms. */
  changedAt: number;
  /** No name leads to it and nothing is written any more. */
  isLast: boolean;
  /** Scans since it was lost sight of. */
  missed: number;
  /** Whether there is a checkpoint on disk. */
  isSaved: boolean;
  usedAt: number;
};

export const incarnation = (checkpoint: Checkpoint, isSaved: boolean): Incarnation => ({
  checkpoint,
  file: undefined,
  source: undefined,
  tried: undefined,
  due: Number.POSITIVE_INFINITY,
  behindSince: undefined,
  size: checkpoint.offset,
  changedAt: 0,
  isLast: false,
  missed: 0,
  isSaved,
  usedAt: 0,
});

/** It can be read: by name, or because it is open. */
export const isLive = ({ checkpoint, file, source }: Incarnation): boolean =>
  checkpoint.ended === undefined && (file !== undefined || source !== undefined);

type Head = Checkpoint['head'];

export const isSameHead = (a: Head, b: Head): boolean => a.bytes === b.bytes && a.print === b.print;

/** Whether a file still holds what was read of it: its head, and the bytes before the offset. */
export async function holds(source: ByteSource, { head, offset, print }: Checkpoint): Promise<boolean> {
  const start = await source.read(0, head.bytes);
  if (start.length < head.bytes || hashOf(start) !== head.print) return false;
  return (await printBefore(source, offset)) === print;
}

export type Recognition =
  /** The rest of one that is known: it was renamed, replaced by a longer copy, copied before it was truncated, or compressed. */
  | { readonly kind: 'same'; readonly of: Incarnation }
  /** A copy of one that is still there. */
  | { readonly kind: 'copy'; readonly of: Incarnation }
  /** A copy of what is recorded already, and shorter. */
  | { readonly kind: 'old' }
  | { readonly kind: 'new' };

/**
 * What a file is that was not seen before, by its head and what is known. A live one is compared through `open`, which
 * answers undefined when it cannot be read or is not what it was any more.
 */
export async function recognise(
  found: { readonly file: FoundFile; readonly source: ByteSource; readonly head: Head },
  known: readonly Incarnation[],
  open: (incarnation: Incarnation) => Promise<ByteSource | undefined>,
): Promise<Recognition> {
  const { file, source, head } = found;
  const alike = known
    .filter(({ checkpoint }) => isSameHead(checkpoint.head, head) && mayBe(file, checkpoint))
    .sort((a, b) => b.checkpoint.offset - a.checkpoint.offset);
  let isOld = false;
  for (const one of alike) {
    const { checkpoint } = one;
    if (isLive(one) && one.file !== undefined) {
      const original = await open(one);
      if (original !== undefined && (await isCopy(found, original))) return { kind: 'copy', of: one };
    }
    // By now it may have turned out to be truncated.
    if (isLive(one) && one.file !== undefined) continue;
    if (checkpoint.key === file.key && one.checkpoint.ended !== undefined) continue;
    if ((await printBefore(source, checkpoint.offset)) === checkpoint.print) return { kind: 'same', of: one };
    const isCopied = one.checkpoint.ended === 'truncated' && checkpoint.path !== file.path;
    if (isCopied && (await source.read(checkpoint.offset, 1)).length === 0) isOld = true;
  }
  return { kind: isOld ? 'old' : 'new' };
}

const mayBe = (file: FoundFile, { path, key }: Checkpoint): boolean =>
  isKin(file.path, path) || key.split(':')[1] === file.inode;

const COMPARED_BYTES = 4096;

async function isCopy({ source }: { readonly source: ByteSource }, original: ByteSource): Promise<boolean> {
  if (source.isGzip || original.isGzip) return source.isGzip !== original.isGzip;
  const { size } = await source.facts();
  const from = Math.max(0, size - COMPARED_BYTES);
  const [copied, there] = await Promise.all([source.read(from, size - from), original.read(from, size - from)]);
  return copied.equals(there);
}

/** What the same file held before it was truncated (that may be read on from a copy by now), else one with such a name. */
export function before(file: FoundFile, known: readonly Incarnation[]): Checkpoint | undefined {
  const same = known.findLast(({ checkpoint: { born, key } }) => born === file.key || key === file.key);
  return (same ?? known.findLast(({ checkpoint }) => isKin(file.path, checkpoint.path)))?.checkpoint;
}

/** For so many scans copies and new names of a lost file are looked for beside it, then only where the patterns lead. */
export const LOOKOUT_SCANS = 60;

/** Files beside those that were lost sight of: their new names and copies may not match the patterns. */
export async function besideLost(known: readonly Incarnation[]): Promise<FoundFile[]> {
  const lost = known.filter((one) => !isLive(one) && one.checkpoint.ended !== 'gone' && one.missed <= LOOKOUT_SCANS);
  const folders = new Set(lost.map(({ checkpoint }) => dirname(checkpoint.path)));
  const files = (await Promise.all([...folders].map(filesOf))).flat();
  const taken = new Set(known.filter(isLive).map(({ checkpoint }) => checkpoint.key));
  return files.filter((file) => !taken.has(file.key) && lost.some(({ checkpoint }) => mayBe(file, checkpoint)));
}
