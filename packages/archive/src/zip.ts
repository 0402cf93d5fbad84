import { crc32, createInflateRaw } from 'node:zlib';
import { FairwayError } from '@fairway/core';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { CHUNK, readChunks, readExactly, through } from './bytes.ts';
import { damage, refusal } from './refusal.ts';
import type { Place, Source, Target } from './work.ts';
import { DESCRIPTOR_BYTES, hasDescriptor, isDescriptor, wrongEntry, wrongLocal } from './zip-entry.ts';
import { readZipTail, type ZipTail } from './zip-tail.ts';

/** An entry, where it goes and where its bytes are. */
type Member = { readonly entry: Entry; readonly place: Place; readonly start: number };

/** Unpacks a zip. All of its names, types and sizes are checked before anything is written. */
export async function unzip(source: Source, target: Target): Promise<void> {
  const members = await readMembers(source, target);
  const files = members.filter(({ place }) => !place.folder && !place.junk);
  const total = files.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
  target.budget.expect(total, total);
  await target.folders();
  for (const member of files) await extract(source, target, member);
}

async function readMembers(source: Source, target: Target): Promise<Member[]> {
  const tail = await readZipTail(source.handle, source.size).catch((error) => {
    throw damage(source.name, error);
  });
  if (typeof tail === 'string') throw refusal(source.name, tail);
  if (tail.entries > target.budget.limits.entries) target.budget.entries(tail.entries);
  const zip = await fromFdPromise(source.handle.fd, OURS).catch((error) => {
    throw damage(source.name, error);
  });
  const listed = await readDirectory(source, target, zip, tail);
  const starts = await readLocals(source, zip, listed, tail);
  return listed.map((one) => ({ ...one, start: starts.get(one.entry) ?? 0 }));
}

/** Names and sizes are for us to judge, and the file is ours to close. */
const OURS = { decodeStrings: false, validateEntrySizes: false, autoClose: false };

type Listed = { readonly entry: Entry; readonly place: Place };

async function readDirectory(source: Source, target: Target, zip: ZipFile, tail: ZipTail): Promise<Listed[]> {
  const listed: Listed[] = [];
  let cursor = tail.start;
  try {
    for await (const entry of zip.eachEntry()) {
      source.signal?.throwIfAborted();
      cursor += 46 + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
      if (cursor > tail.end) break;
      const wrong = wrongEntry(entry);
      if (wrong !== undefined) throw refusal(source.name, wrong, entry.fileNameRaw.toString('utf8'));
      listed.push({ entry, place: target.place(entry.fileNameRaw) });
    }
  } catch (error) {
    // yauzl refuses strong encryption by itself, before we see the entry.
    if (!(error instanceof FairwayError) && /encryption/.test(String(error)))
      throw refusal(source.name, 'is encrypted; pack it without a password');
    throw damage(source.name, error);
  }
  if (cursor !== tail.end)
    throw refusal(source.name, 'has a directory that is longer or shorter than it says; pack the model again');
  return listed;
}

/**
 * Checks the header before each entry's data and answers where the data starts. The entries must lie one behind the other from
 * the first byte to the directory: overlapping ones make a bomb of a small file (Fifield 2019, "A better zip bomb"), and what
 * lies between them is seen by some readers and not by others.
 */
async function readLocals(
  source: Source,
  zip: ZipFile,
  listed: readonly Listed[],
  tail: ZipTail,
): Promise<ReadonlyMap<Entry, number>> {
  const starts = new Map<Entry, number>();
  const order = listed
    .map(({ entry }) => entry)
    .sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let free = 0;
  for (const [turn, entry] of order.entries()) {
    const at = entry.relativeOffsetOfLocalHeader;
    const next = order[turn + 1]?.relativeOffsetOfLocalHeader ?? tail.start;
    const name = entry.fileNameRaw.toString('utf8');
    source.signal?.throwIfAborted();
    if (at < free) throw refusal(source.name, 'shares its bytes with another one; pack the model again', name);
    if (at > free || next > tail.start) throw refusal(source.name, STRAY);
    const start = await localStart(source, zip, entry, name);
    starts.set(entry, start);
    free = await endOf(source, entry, start + entry.compressedSize, next);
  }
  if (free !== tail.start) throw refusal(source.name, STRAY);
  return starts;
}

const STRAY = 'has bytes that belong to none of its entries; pack the model again';

async function localStart(source: Source, zip: ZipFile, entry: Entry, name: string): Promise<number> {
  try {
    const local = await zip.readLocalFileHeaderPromise(entry);
    const wrong = wrongLocal(entry, local);
    if (wrong !== undefined) throw refusal(source.name, wrong, name);
    return local.fileDataStart;
  } catch (error) {
    throw damage(source.name, error, name);
  }
}

/** Where an entry ends: with its data, or with the descriptor behind it when that fills the room up to what is next. */
async function endOf({ handle }: Source, entry: Entry, dataEnd: number, next: number): Promise<number> {
  const room = next - dataEnd;
  if (!hasDescriptor(entry) || !DESCRIPTOR_BYTES.includes(room)) return dataEnd;
  return isDescriptor(await readExactly(handle, dataEnd, room), entry) ? next : dataEnd;
}

async function extract(source: Source, target: Target, { entry, place, start }: Member): Promise<void> {
  const { handle, signal, buffers } = source;
  const { compressedSize: size, uncompressedSize, compressionMethod } = entry;
  const differs = () =>
    refusal(source.name, 'is not the file that was packed: length or checksum differ; transfer it again', place.path);
  await target.file(place, async (write) => {
    let sum = 0;
    let seen = 0;
    const take = async (chunk: Buffer) => {
      seen += chunk.length;
      // Here, not at the end: what says that it is small must not fill the disk.
      if (seen > uncompressedSize) throw differs();
      target.budget.inflated(chunk.length);
      sum = crc32(chunk, sum);
      await write(chunk);
    };
    const chunks = { start, size, signal };
    if (compressionMethod === 0)
      for await (const chunk of readChunks(handle, { ...chunks, buffers })) await take(chunk);
    else
      await inflate(readChunks(handle, chunks), size, uncompressedSize, take).catch((error) => {
        throw damage(source.name, error, place.path);
      });
    if (seen !== uncompressedSize || sum !== entry.crc32) throw differs();
  });
}

async function inflate(
  chunks: AsyncIterable<Buffer>,
  size: number,
  expected: number,
  take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  // Room for two chunks of output: the thread that inflates goes on while one is written.
  const chunkSize = Math.min(CHUNK, Math.max(1024, expected));
  const inflater = createInflateRaw({ chunkSize, readableHighWaterMark: 2 * chunkSize } as object);
  await through(chunks, inflater, async (out) => {
    for await (const chunk of out) await take(chunk);
  });
  if (inflater.bytesWritten !== size) throw new Error('its compressed data ends before its end');
}
