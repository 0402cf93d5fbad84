import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What the file system says of a file. `key` is device and inode; `stamp` changes when its bytes do. */
export type FileFacts = {
  readonly key: string;
  readonly inode: string;
  readonly size: number;
  readonly links: number;
  readonly stamp: string;
};

/** An open file as the tail reads it; of a gzip file the bytes inside. It stays the same file whatever happens to its name. */
export type ByteSource = {
  readonly isGzip: boolean;
  facts(): Promise<FileFacts>;
  /** Up to `length` bytes from `position`; fewer only where the file ends. */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
};

/** Bytes before an offset by which a file is known again. */
const PRINT_BYTES = 1024;
const CHUNK = 64 * 1024;

/** Opens a file for reading; its name says whether it is gzip'd. */
export async function openSource(path: string): Promise<ByteSource> {
  const handle = await open(path);
  const facts = async () => factsOf(await handle.stat({ bigint: true }));
  const isGzip = path.endsWith('.gz');
  const read = (position: number, length: number) => readFully(handle, position, length);
  if (!isGzip) return { isGzip, facts, read, close: () => handle.close() };
  const inflated = new Inflated(handle);
  return { isGzip, facts, read: (position, length) => inflated.read(position, length), close: () => inflated.close() };
}

type BigStats = {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly nlink: bigint;
  readonly mtimeNs: bigint;
};

export const factsOf = ({ dev, ino, size, nlink, mtimeNs }: BigStats): FileFacts => ({
  key: `${dev}:${ino}`,
  inode: String(ino),
  size: Number(size),
  links: Number(nlink),
  stamp: `${size}:${mtimeNs}`,
});

async function readFully(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** A gzip file read forward; a step back begins it again. */
class Inflated {
  private readonly handle: FileHandle;
  private stream: AsyncIterator<Buffer> | undefined;
  private abort: (() => void) | undefined;
  private rest: Buffer = Buffer.alloc(0);
  /** Position of `rest`. */
  private at = 0;

  constructor(handle: FileHandle) {
    this.handle = handle;
  }

  async read(position: number, length: number): Promise<Buffer> {
    if (this.stream === undefined || position < this.at) this.begin();
    const parts: Buffer[] = [];
    let wanted = length;
    while (wanted > 0) {
      if (this.rest.length === 0 && !(await this.fill())) break;
      const skipped = Math.min(this.rest.length, Math.max(0, position - this.at));
      const part = this.rest.subarray(skipped, skipped + (position > this.at + skipped ? 0 : wanted));
      this.at += skipped + part.length;
      this.rest = this.rest.subarray(skipped + part.length);
      wanted -= part.length;
      if (part.length > 0) parts.push(part);
      position = Math.max(position, this.at);
    }
    return Buffer.concat(parts);
  }

  async close(): Promise<void> {
    this.abort?.();
    await this.handle.close();
  }

  private begin(): void {
    this.abort?.();
    const gunzip = createGunzip({ chunkSize: CHUNK });
    const file = Readable.from(chunks(this.handle));
    file.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
    this.abort = () => {
      file.destroy();
      gunzip.destroy();
    };
    this.stream = (gunzip as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.rest = Buffer.alloc(0);
    this.at = 0;
  }

  private async fill(): Promise<boolean> {
    const next = await this.stream?.next();
    if (next === undefined || next.done === true) return false;
    this.rest = next.value;
    return true;
  }
}

// A stream made from the handle itself would keep it from being closed.
async function* chunks(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const chunk = await readFully(handle, position, CHUNK);
    if (chunk.length === 0) return;
    position += chunk.length;
    yield chunk;
  }
}

/** Hash of the bytes just before an offset, or undefined when the file is not that long. */
export async function printBefore(source: ByteSource, offset: number): Promise<string | undefined> {
  const from = Math.max(0, offset - PRINT_BYTES);
  const bytes = await source.read(from, offset - from);
  return bytes.length < offset - from ? undefined : hashOf(bytes);
}

export const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);
