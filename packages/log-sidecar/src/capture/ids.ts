import { randomFillSync } from 'node:crypto';
import type { Clock } from '@fairway/core';

const POOL_BYTES = 4096;
const TAIL_BYTES = 8;

/**
 * Time-ordered unique ids: a UUID version 7 (RFC 9562) without hyphens, 32 hex digits. The 12 bits behind the
 * milliseconds count up within one, so the ids of one process sort in the order they were given.
 */
export function createIds(clock: Clock): () => string {
  const pool = Buffer.allocUnsafe(POOL_BYTES);
  let used = POOL_BYTES;
  let last = 0;
  let count = 0;
  return () => {
    const now = clock.now();
    count = now > last ? 0 : count + 1;
    // A clock that stands, or went back, or 4,096 ids in one millisecond: go on from the last one.
    last = now > last ? now : count > 0xfff ? last + 1 : last;
    if (count > 0xfff) count = 0;
    if (used + TAIL_BYTES > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    pool[used] = ((pool[used] as number) & 0x3f) | 0x80;
    const tail = pool.toString('hex', used, (used += TAIL_BYTES));
    return last.toString(16).padStart(12, '0') + (0x7000 | count).toString(16) + tail;
  };
}
