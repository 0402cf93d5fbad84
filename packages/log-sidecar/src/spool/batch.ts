import { crc32 } from 'node:zlib';
import { FRAME_HEADER, type FrameContent, KIND } from './frame.ts';

const SMALLEST = 64 * 1024;
/** A larger piece of memory is not kept for the next batch. */
const LARGEST_KEPT = 1536 * 1024;

/**
 * Frames one behind the other in one piece of memory, as one write takes them. What is collected makes no object for each
 * exchange: those would live until their pack is settled, a second at least, and cost more than all the rest.
 */
export class Batch {
  private bytes: Buffer;
  /** Where frames start; behind `count` those of an earlier batch. */
  private readonly starts: number[] = [];
  private count = 0;
  length = 0;

  constructor(size = SMALLEST) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Copies the payload. */
  add({ kind, ordinal, seq, payload }: FrameContent): void {
    const start = this.length;
    const end = start + FRAME_HEADER + payload.length;
    if (end > this.bytes.length) this.grow(end);
    const { bytes } = this;
    bytes.writeUInt32BE(payload.length, start);
    bytes[start + 8] = kind;
    bytes.writeUInt32BE(ordinal, start + 9);
    bytes.writeUIntBE(seq, start + 13, 6);
    bytes.set(payload, start + FRAME_HEADER);
    this.starts[this.count++] = start;
    this.length = end;
  }

  /** The frames with their checksums, the exchanges among them under `ordinal` where there is one; valid until the next `add` or `clear`. */
  sealed(ordinal?: number): Buffer {
    const { bytes, starts, count, length } = this;
    // A plain view of it takes 0.05 µs less than a part of a Buffer (measured).
    const memory = bytes.buffer;
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      const end = i + 1 < count ? (starts[i + 1] as number) : length;
      const checked = new Uint8Array(memory, start + 8, end - start - 8);
      if (ordinal !== undefined && bytes[start + 8] === KIND.exchange) bytes.writeUInt32BE(ordinal, start + 9);
      bytes.writeUInt32BE(crc32(checked), start + 4);
    }
    return bytes.subarray(0, length);
  }

  /** The payloads of the exchanges one behind the other, in a part of `bytes`, which are as many as this at least. Before anything else is added. */
  payloads(bytes: Buffer): Buffer {
    const { starts, count, length } = this;
    bytes.set(this.bytes.subarray(0, length));
    let end = 0;
    // In place: each part of a buffer that is copied from elsewhere would be an object.
    for (let i = 0; i < count; i++) {
      const from = (starts[i] as number) + FRAME_HEADER;
      const to = i + 1 < count ? (starts[i + 1] as number) : length;
      bytes.copyWithin(end, from, to);
      end += to - from;
    }
    return bytes.subarray(0, end);
  }

  clear(): void {
    this.count = 0;
    this.length = 0;
    if (this.bytes.length > LARGEST_KEPT) this.bytes = Buffer.allocUnsafeSlow(SMALLEST);
  }

  private grow(wanted: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/** Frames as bytes of their own. */
export function framed(frames: readonly FrameContent[]): Buffer {
  const batch = new Batch(frames.reduce((sum, { payload }) => sum + FRAME_HEADER + payload.length, 0));
  for (const frame of frames) batch.add(frame);
  return batch.sealed();
}
