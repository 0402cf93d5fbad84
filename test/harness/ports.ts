import { randomInt } from 'node:crypto';
import { isFree } from '../../packages/cli/src/stack/ports.ts';

/** Below the ports that a stack takes for itself, and those of outgoing connections. */
const LOWEST = 10_000;
const WORKERS = 10;
const SLICE = 1_000;

const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
let next = randomInt(SLICE);

/**
 * A port on 127.0.0.1 that was free a moment ago. Nobody listens on it yet: so that no other test is given the same meanwhile, each
 * worker of the runner has a slice of its own, and goes through it in order.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + worker * SLICE + (next++ % SLICE);
    if (await isFree(port)) return port;
  }
}
