import type { FileHandle } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Read and written at once. Above it speed no longer grew, and some of these lie in memory together. */
export const CHUNK = 2 ** 20;

/** Archive bytes from `start` on. With `buffers` a chunk stays as it is only until the next but one is asked for. */
export async function* readChunks(
  handle: FileHandle,
  { start, size, signal, buffers }: { start: number; size: number; signal: AbortSignal | undefined; buffers?: Buffers },
): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0, turn = 0; at < size; turn++) {
    signal?.throwIfAborted();
    const room = buffers?.[turn % 2] ?? Buffer.allocUnsafeSlow(Math.min(CHUNK / 4, size - at));
    const { bytesRead } = await handle.read(room, 0, Math.min(room.length, size - at), start + at);
    if (bytesRead === 0) throw new Error('it became shorter while it was read');
    at += bytesRead;
    yield room.subarray(0, bytesRead);
  }
}

/** Two, so that one is read into while the other is written: 1 GiB in fresh buffers would grow memory faster than it is freed. */
export type Buffers = readonly [Buffer, Buffer];
export function twoBuffers(size: number): Buffers {
  const room = Math.min(CHUNK, Math.max(1, size));
  return [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(room)];
}

/** Exactly these bytes; throws when the file ends before. */
export async function readExactly(handle: FileHandle, start: number, size: number): Promise<Buffer> {
  const into = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(into, at, size - at, start + at);
    if (bytesRead === 0) throw new Error('it ends too early');
    at += bytesRead;
  }
  return into;
}

/** Takes chunks one after the other. A chunk must stay as it is until the next call, or `done`, has resolved. */
export type Write = (chunk: Buffer) => Promise<void>;

/** Writes behind: while a chunk goes to disk the next one is read, inflated and summed. */
export function fileSink(handle: FileHandle): { readonly write: Write; readonly done: () => Promise<void> } {
  let pending: Promise<void> = Promise.resolve();
  return {
    write: async (chunk) => {
      await pending;
      pending = writeAll(handle, chunk);
      // Awaited with the next chunk; until then a failure must not count as unhandled.
      pending.catch(() => {});
    },
    done: () => pending,
  };
}

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}

/**
 * Sends chunks through `engine` to `use`, and ends when `use` has ended: a pipeline that breaks does not wait for who takes from it,
 * which would go on to write into a folder that is being removed. Throws what `use` threw rather than that it was broken off.
 */
export async function through(
  chunks: AsyncIterable<Buffer>,
  engine: Transform,
  use: (out: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  let used: Promise<void> = Promise.resolve();
  try {
    await pipeline(chunks, engine, (out: AsyncIterable<Buffer>) => {
      used = use(out);
      return used;
    });
  } finally {
    await used;
  }
}
