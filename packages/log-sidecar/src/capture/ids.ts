import { randomFillSync } from 'node:crypto';
import type { Clock } from '@fairway/core';

const POOL_BYTES = 4096;
const TAIL_DIGITS = 16;
/** First digit of the tail: the two bits of the variant, and two of chance. */
const VARIANTS = ['8', '9', 'a', 'b'] as const;

/**
 * Time-ordered unique ids: a UUID version 7 (RFC 9562) without hyphens, 32 hex digits. The 12 bits behind the
 * milliseconds count up within one, so the ids of one process sort in the order they were given.
 */
export function createIds(clock: Clock): () => string {
  const bytes = Buffer.allocUnsafe(POOL_BYTES);
  let pool = '';
  let used = 0;
  let last = 0;
  let prefix = '';
  let count = 0;
  return () => {
    const now = clock.now();
    count = now > last ? 0 : count + 1;
    if (now > last || count > 0xfff) {
      // A clock that stands, or went back, or 4,096 ids in one millisecond: go on from the last one.
      last = now > last ? now : last + 1;
      count = 0;
      prefix = last.toString(16).padStart(12, '0');
    }
    if (used + TAIL_DIGITS > pool.length) {
      pool = randomFillSync(bytes).toString('hex');
      used = 0;
    }
    const variant = VARIANTS[pool.charCodeAt(used) & 3] as string;
    const tail = pool.slice(used + 1, (used += TAIL_DIGITS));
    return prefix + (0x7000 | count).toString(16) + variant + tail;
  };
}
