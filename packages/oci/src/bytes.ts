import { createHash } from 'node:crypto';
import { sha256 } from '@fairway/core';
import { imageError } from './errors.ts';
import { MAX_JSON_BYTES } from './schema.ts';

export const digestOf = (bytes: Uint8Array): string => `sha256:${sha256(bytes)}`;

/** Passes the bytes on and fails at their end when they are not what `digest` says. `what` begins the sentence. */
export async function* checked(bytes: AsyncIterable<Uint8Array>, digest: string, what: string): AsyncIterable<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield asBuffer(chunk);
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest) throw imageError(`${what} is damaged: its bytes are ${found}. Write the image again.`);
}

/** A whole small blob; what is larger than any configuration is refused before it fills the memory. */
export async function collected(bytes: AsyncIterable<Buffer>, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw imageError(`${what} is larger than ${MAX_JSON_BYTES / 2 ** 20} MiB.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const asBuffer = (chunk: Uint8Array): Buffer =>
  Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
