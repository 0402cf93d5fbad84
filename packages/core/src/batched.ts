import { pause } from './clock.ts';

export type BatchOutcome<O> = { readonly value: O } | { readonly error: unknown };

export type Batched<I, O> = (item: I) => Promise<O>;

/**
 * `lingerMs`: after several at once more are on their way, and wait for each other; who comes alone never waits. `burstMs`: after
 * `BURST` at once they wait as long as each third of it brings more, at most so long.
 */
export type BatchLimits = { readonly max: number; readonly lingerMs?: number; readonly burstMs?: number };

const BURST = 16;

/**
 * Group commit: what arrives while one batch runs waits for the next one. `run` answers one outcome for each item, in
 * order; what it throws is everybody's answer.
 */
export function batched<I, O>(
  { max, lingerMs = 0, burstMs = lingerMs }: BatchLimits,
  run: (items: readonly I[]) => Promise<ReadonlyArray<BatchOutcome<O>>>,
): Batched<I, O> {
  type Waiting = { item: I; resolve: (value: O) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let running = false;

  const runOne = async (batch: readonly Waiting[]) => {
    try {
      const outcomes = await run(batch.map(({ item }) => item));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined) reject(new Error('a batch left an item without an answer'));
        else if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.value);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  const linger = async (size: number) => {
    if (size < BURST) return pause(lingerMs);
    for (let third = 0; third < 3 && waiting.length < max; third++) {
      const before = waiting.length;
      await pause(burstMs / 3);
      if (waiting.length === before) return;
    }
  };
  const drain = async () => {
    // Callers that were woken by the same event come in the same turn of the loop: they go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, max);
      waiting = waiting.slice(max);
      await runOne(batch);
      if (batch.length > 1 && lingerMs > 0) await linger(batch.length);
    }
    running = false;
  };
  return (item) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running) return;
      running = true;
      void drain();
    });
}
