import { readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * How far an epoch has counted, in a file of its own beside its segments: two doubles and their CRC-32, big endian,
 * overwritten in place. The forwarding thread writes it, so it is true however far the capture thread is behind.
 */
export type HighWater = {
  /** No higher number has been given. */
  readonly high: number;
  /** Up to here the capture thread had taken everything over. */
  readonly taken: number;
};

export const HIGH_SUFFIX = '.high';
const LENGTH = 20;

export const highFile = (directory: string, epoch: string): string => join(directory, `${epoch}${HIGH_SUFFIX}`);

export function encodeHigh({ high, taken }: HighWater): Buffer {
  const bytes = Buffer.alloc(LENGTH);
  bytes.writeDoubleBE(high, 0);
  bytes.writeDoubleBE(taken, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 16)), 16);
  return bytes;
}

/** undefined: there is none, or it is damaged. */
export function readHigh(directory: string, epoch: string): HighWater | undefined {
  try {
    const bytes = readFileSync(highFile(directory, epoch));
    if (bytes.length !== LENGTH || crc32(bytes.subarray(0, 16)) !== bytes.readUInt32BE(16)) return undefined;
    return { high: bytes.readDoubleBE(0), taken: bytes.readDoubleBE(8) };
  } catch {
    return undefined;
  }
}

export function removeHigh(directory: string, epoch: string): void {
  try {
    unlinkSync(highFile(directory, epoch));
  } catch {
    // There was none, or the disk takes nothing: a later start finds it.
  }
}
