/** MiB that an agent's container may hold where nothing else is said. */
export const AGENT_MEMORY_MIB = 256;

/**
 * What an agent's process is told of its memory, wherever it is started (measured: docs/day-two.md). Half of the limit for the heap of
 * a thread: bodies and frames live outside it, and the process itself needs about 45 MiB. Two
 * arenas of the C library, not eight for each core: one alone would have the forwarding thread wait for a lock that the capture
 * thread, which yields to it, holds. Pieces of 64 KiB and more go back to the system at once: without a word glibc raises that bound to
 * the largest piece that was ever freed, and keeps what a deflate or a whole pack needed for a moment.
 */
export const agentMemory = (limitMib: number): Readonly<Record<string, string>> => ({
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
  NODE_OPTIONS: `--max-old-space-size=${Math.floor(limitMib / 2)}`,
});
