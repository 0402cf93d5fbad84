import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { ObjectFormat } from './objects.ts';
import type { ObjectType } from './reader.ts';
import type { TreeEdit } from './tree.ts';

/** An object as it goes into a pack: whole, or as a difference to one that the repository (or the pack) has. */
export type PackObject =
  | { readonly type: ObjectType; readonly bytes: Buffer }
  | { readonly base: string; readonly delta: Buffer };

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const REF_DELTA = 7;
/** The most that one copy instruction takes (gitformat-pack: size 0 means 0x10000). */
const MAX_COPY = 0x10000;
const MAX_INSERT = 127;

/** A version 2 pack for `git index-pack --fix-thin`, which checks every byte of it (gitformat-pack(5)). */
export function packFile(format: ObjectFormat, objects: readonly PackObject[]): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK', 'latin1');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts = [head, ...objects.flatMap(packed)];
  const hash = createHash(format);
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

function packed(object: PackObject): Buffer[] {
  if ('base' in object) {
    const { base, delta } = object;
    return [objectHead(REF_DELTA, delta.length), Buffer.from(base, 'hex'), deflated(delta)];
  }
  return [objectHead(TYPES[object.type], object.bytes.length), deflated(object.bytes)];
}

/** In a buffer of its size: zlib's own has 16 KB, whatever is in it, and a batch has thousands of small objects. */
const deflated = (bytes: Buffer): Buffer => deflateSync(bytes, { chunkSize: Math.min(16_384, bytes.length + 64) });

function objectHead(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 0x0f)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes);
}

/** The instructions that make a new object of the old one's bytes. */
export function deltaOf(oldLength: number, { length, pieces }: TreeEdit): Buffer {
  const parts: Buffer[] = [sizeBytes(oldLength), sizeBytes(length)];
  for (const piece of pieces) {
    if ('bytes' in piece) {
      for (let at = 0; at < piece.bytes.length; at += MAX_INSERT) {
        const some = piece.bytes.subarray(at, at + MAX_INSERT);
        parts.push(Buffer.from([some.length]), some);
      }
    } else {
      for (let at = piece.from; at < piece.to; at += MAX_COPY) parts.push(copy(at, Math.min(MAX_COPY, piece.to - at)));
    }
  }
  return Buffer.concat(parts);
}

function sizeBytes(size: number): Buffer {
  const bytes: number[] = [];
  let rest = size;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Offset and size little-endian, only the bytes that are not zero, named by the bits of the first. */
function copy(offset: number, size: number): Buffer {
  let bits = 0x80;
  const bytes: number[] = [];
  for (let i = 0; i < 4; i++) {
    const byte = (offset >>> (8 * i)) & 0xff;
    if (byte === 0) continue;
    bits |= 1 << i;
    bytes.push(byte);
  }
  const written = size === MAX_COPY ? 0 : size;
  for (let i = 0; i < 3; i++) {
    const byte = (written >>> (8 * i)) & 0xff;
    if (byte === 0) continue;
    bits |= 0x10 << i;
    bytes.push(byte);
  }
  return Buffer.from([bits, ...bytes]);
}
