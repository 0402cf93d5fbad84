import type { UnpackLimits } from './limits.ts';
import { refusal } from './refusal.ts';

/** What came out so far of an archive and of the archives inside it, held against the limits together. */
export type Budget = {
  readonly limits: UnpackLimits;
  /** `count` files and folders more. */
  entries(count: number): void;
  /** Throws when so many bytes more would not be allowed; takes no account of them. */
  expect(bytes: number, inflatedBytes?: number): void;
  /** Bytes that were written to a file. */
  wrote(bytes: number): void;
  /** Bytes that came out of compressed data, whatever for. */
  inflated(bytes: number): void;
  readonly total: () => { entries: number; bytes: number };
};

/** Below this much output a high ratio is nothing: a small text may shrink to a thousandth. */
const RATIO_FROM = 2 ** 20;

/** `size`: bytes of the outermost archive, whose name the refusals tell. */
export function unpackBudget(archive: string, size: number, limits: UnpackLimits): Budget {
  let entries = 0;
  let written = 0;
  let inflated = 0;
  const checkBytes = (bytes: number) => {
    if (bytes > limits.bytes)
      throw refusal(archive, `holds more than the ${limits.bytes} bytes that are allowed; ${LESS}`);
  };
  const checkRatio = (bytes: number) => {
    if (bytes > RATIO_FROM && bytes > limits.ratio * size)
      throw refusal(archive, `grows to more than ${limits.ratio} times its ${size} bytes, as ${BOMB}`);
  };
  return {
    limits,
    entries(count) {
      entries += count;
      if (entries > limits.entries)
        throw refusal(archive, `holds more than the ${limits.entries} files and folders that are allowed; ${LESS}`);
    },
    expect(bytes, inflatedBytes = 0) {
      checkBytes(written + bytes);
      checkRatio(inflated + inflatedBytes);
    },
    wrote(bytes) {
      written += bytes;
      checkBytes(written);
    },
    inflated(bytes) {
      inflated += bytes;
      checkRatio(inflated);
    },
    total: () => ({ entries, bytes: written }),
  };
}

const LESS = 'leave out what is no part of the model, or allow more';
const BOMB = 'an archive does that is made to fill disks; pack the model again, less compressed, or allow more';
