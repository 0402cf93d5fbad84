import fc from 'fast-check';
import { atLeast, atMost, type Result } from '../bench/result.ts';

/** How a campaign is run. `path` (of a case that failed) runs that one alone. */
export type Order = {
  readonly rounds: number;
  readonly seed: number;
  readonly path?: string;
  /** Called after each case: who waits knows that it goes on. */
  readonly progress?: (cases: number) => void;
};
export type Campaign = (order: Order) => Promise<Result[]>;

/** What a case must hold: answers undefined, or a sentence that says what does not. A throw says it as well. */
export type Attempt<T> = (one: T) => Promise<string | undefined>;

export type Plan<T> = {
  readonly cases: fc.Arbitrary<T>;
  /** Makes what all cases need. */
  readonly open: () => Promise<{ readonly attempt: Attempt<T>; readonly close: () => Promise<void> }>;
  /** The longest that one case may take; generous, since machines are shared. */
  readonly capMs: number;
  readonly rssMb: number;
};

/**
 * A campaign of that many cases, the same for the same seed. A case that breaks an invariant is made as small as it can be, and
 * is told with the seed and the path that bring it back.
 */
export const campaign =
  <T>(name: string, { cases, open, capMs, rssMb }: Plan<T>): Campaign =>
  async ({ rounds, seed, path, progress }) => {
    const { attempt, close } = await open();
    let ran = 0;
    let slowest = 0;
    let largest = 0;
    const property = fc.asyncProperty(cases, async (one) => {
      const startedAt = performance.now();
      const wrong = await attempt(one);
      slowest = Math.max(slowest, performance.now() - startedAt);
      largest = Math.max(largest, process.memoryUsage.rss() / 2 ** 20);
      ran++;
      progress?.(ran);
      if (wrong !== undefined) throw new Error(wrong);
    });
    try {
      const told = await fc.check(property, { numRuns: rounds, seed, ...(path === undefined ? {} : { path }) });
      const note = told.failed ? failure(seed, told as Failed) : `seed ${seed}`;
      return [
        atMost(`${name}-broken`, told.failed ? 1 : 0, 'cases', 0, note),
        atLeast(`${name}-cases`, ran, 'cases', path === undefined ? rounds : 1),
        atMost(`${name}-slowest`, Math.round(slowest), 'ms', capMs),
        atMost(`${name}-memory`, Math.round(largest), 'MB', rssMb),
      ];
    } finally {
      await close();
    }
  };

type Failed = Pick<fc.RunDetailsFailureProperty<unknown>, 'errorInstance' | 'counterexamplePath' | 'counterexample'>;

function failure(seed: number, { errorInstance, counterexamplePath, counterexample }: Failed): string {
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const cut = (text: string) => (text.length > 600 ? `${text.slice(0, 600)}…` : text);
  return `${cut(why)} (--seed ${seed} --path ${counterexamplePath}) ${cut(fc.stringify(counterexample))}`;
}
