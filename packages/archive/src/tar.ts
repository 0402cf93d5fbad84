import { createGunzip } from 'node:zlib';
import { CHUNK, readChunks, through } from './bytes.ts';
import { damage, refusal } from './refusal.ts';
import { parsePax, parseTarHeader, type TarHeader } from './tar-header.ts';
import { type Tape, tape } from './tape.ts';
import type { Source, Target } from './work.ts';

/** Unpacks a tar; entries are checked as they come, since nothing tells before what will. */
export async function untar(source: Source, target: Target): Promise<void> {
  const { handle, size, signal, buffers } = source;
  await walk(source, target, tape(readChunks(handle, { start: 0, size, signal, buffers })));
}

/** Unpacks a tar that gzip compressed. */
export async function untarGzip(source: Source, target: Target): Promise<void> {
  const { handle, size, signal } = source;
  const gunzip = createGunzip({ chunkSize: CHUNK, readableHighWaterMark: 2 * CHUNK } as object);
  const counted = async function* (out: AsyncIterable<Buffer>) {
    for await (const chunk of out) {
      target.budget.inflated(chunk.length);
      yield chunk;
    }
  };
  await through(readChunks(handle, { start: 0, size, signal }), gunzip, (out) =>
    walk(source, target, tape(counted(out))),
  ).catch((error: unknown) => {
    throw damage(source.name, error);
  });
  // Node stops at the first byte behind a member that begins no other one.
  if (gunzip.bytesWritten !== size) throw refusal(source.name, 'has other bytes after its end; transfer it again');
}

/** What headers before an entry say about it. */
type Said = { name?: Buffer; size?: number };

const AGAIN = 'pack the model again';
/** Attributes and access lists are in these headers as well; more than a MiB is no model's. */
const EXTENDED_BYTES = 2 ** 20;

async function walk(source: Source, target: Target, from: Tape): Promise<void> {
  let said: Said = {};
  for (;;) {
    source.signal?.throwIfAborted();
    const block = await from.take(512);
    if (block === undefined)
      throw refusal(source.name, 'is cut off: the empty blocks that a tar ends with are missing; transfer it again');
    const header = parseTarHeader(block);
    if (header === 'end') break;
    if (typeof header === 'string') throw refusal(source.name, `${header}; it is damaged: transfer it again`);
    if ('xgLK'.includes(header.type)) said = await extended(source, from, header, said);
    else {
      await entry(source, target, from, { ...header, ...said });
      said = {};
    }
  }
  if (said.name !== undefined || said.size !== undefined)
    throw refusal(source.name, `ends with a header that belongs to no entry; ${AGAIN}`);
  if (!(await from.onlyZeros())) throw refusal(source.name, `has other bytes after its end; ${AGAIN}`);
}

async function extended(source: Source, from: Tape, { type, size }: TarHeader, said: Said): Promise<Said> {
  if (size > EXTENDED_BYTES)
    throw refusal(source.name, `has a header of ${size} bytes; ${AGAIN} without extended attributes`);
  const body = await whole(source, from, size);
  // The target of a link; the entry it belongs to is refused by its type.
  if (type === 'K') return said;
  if (type === 'L') return { ...said, name: body.subarray(0, indexOrEnd(body, 0)) };
  const records = parsePax(body);
  if (records === undefined) throw refusal(source.name, `has a damaged pax header; ${AGAIN}`);
  if ([...records.keys()].some((key) => key.startsWith('GNU.sparse.')))
    throw refusal(source.name, `has sparse files; ${AGAIN} without --sparse`);
  const [path, length] = [records.get('path'), records.get('size')];
  // A comment, as `git archive` writes it, is harmless; one name or size for all entries is not.
  if (type === 'g' && (path !== undefined || length !== undefined))
    throw refusal(source.name, `has one name or size for all its entries; ${AGAIN}`);
  return {
    ...said,
    ...(path === undefined || path.length === 0 ? {} : { name: path }),
    ...(length === undefined || length.length === 0 ? {} : { size: decimal(source, length) }),
  };
}

function decimal({ name }: Source, digits: Buffer): number {
  const value = /^\d{1,15}$/.test(digits.toString('latin1')) ? Number(digits.toString('latin1')) : undefined;
  if (value === undefined) throw refusal(name, `has a pax header whose size is no number; ${AGAIN}`);
  return value;
}

const TYPES: Readonly<Record<string, string>> = {
  1: 'a hard link; pack it as a file of its own (tar --hard-dereference)',
  2: 'a symbolic link; pack the file itself (tar --dereference)',
  3: 'a device; leave it out',
  4: 'a device; leave it out',
  6: 'a pipe; leave it out',
  S: 'a sparse file; pack it without --sparse',
};

async function entry(source: Source, target: Target, from: Tape, { name, size, type }: TarHeader): Promise<void> {
  const named = name.toString('utf8');
  // 7, a contiguous file, is a file to everybody else.
  if (!'057'.includes(type))
    throw refusal(source.name, `is ${TYPES[type] ?? 'of an unknown type; leave it out'}`, named);
  const place = target.place(name, type === '5');
  if (place.folder && size > 0) throw refusal(source.name, `is a folder that has bytes of its own; ${AGAIN}`, named);
  await target.folders();
  if (place.folder) return;
  target.budget.expect(size);
  const cut = () => refusal(source.name, 'is cut off inside of it; transfer it again', named);
  if (place.junk) await from.pass(size, cut, async () => {});
  else
    await target.file(place, async (write) => {
      await from.pass(size, cut, (chunk) => write(chunk));
    });
  await from.pass(padding(size), cut, async () => {});
}

async function whole({ name }: Source, from: Tape, size: number): Promise<Buffer> {
  const padded = await from.take(size + padding(size));
  if (padded === undefined) throw refusal(name, 'is cut off inside of a header; transfer it again');
  return padded.subarray(0, size);
}

const padding = (size: number): number => (512 - (size % 512)) % 512;
const indexOrEnd = (body: Buffer, byte: number): number => (body.includes(byte) ? body.indexOf(byte) : body.length);
