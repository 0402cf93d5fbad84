import { ABOVE_BIN, BELOW_BIN, MISSING_BIN, type VariableBaseline } from '@fairway/core';

/** Numbers in [0, 1). */
export type Random = () => number;

/** Draws rows into cells by their weights (alias method: Walker 1977, Vose 1991); answers the count of each cell. */
export function cells(weights: readonly number[], random: Random): (rows: number) => number[] {
  const size = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const share = weights.map((weight) => (total === 0 ? 1 : (weight * size) / total));
  const alias = weights.map((_, index) => index);
  const small = share.flatMap((one, index) => (one < 1 ? [index] : []));
  const large = share.flatMap((one, index) => (one < 1 ? [] : [index]));
  for (let low = small.pop(); low !== undefined && large.length > 0; low = small.pop()) {
    const high = large.at(-1) as number;
    alias[low] = high;
    share[high] = (share[high] as number) - (1 - (share[low] as number));
    if (share[high] < 1) small.push(large.pop() as number);
  }
  return (rows) => {
    const counts = weights.map(() => 0);
    for (let row = size === 0 ? rows : 0; row < rows; row++) {
      const cell = Math.floor(random() * size);
      const taken = random() < (share[cell] as number) ? cell : (alias[cell] as number);
      counts[taken] = (counts[taken] as number) + 1;
    }
    return counts;
  };
}

/** Deterministic numbers in [0, 1): mulberry32. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A reference as another sample of the same size would have given it; the last of `drawn` are missing values. */
export function redrawn<T extends VariableBaseline>(variable: T, drawn: readonly number[]): T {
  const counts = drawn.slice(0, -1);
  const missing = drawn.at(-1) ?? 0;
  return { ...variable, counts, missing, n: counts.reduce((sum, count) => sum + count, 0) };
}

/** Counts of a window in the reference's bins, those beyond its range beside them. */
export function windowCells(
  variable: VariableBaseline,
  drawn: readonly number[],
  random: Random,
): Array<[number, number]> {
  const found = drawn.slice(0, -1).map((count, bin): [number, number] => [bin, count]);
  const missing = drawn.at(-1) ?? 0;
  const guards: Array<[number, number]> =
    variable.kind === 'numeric' && variable.n > 0
      ? [ABOVE_BIN, BELOW_BIN].map((bin) => [bin, beyond(drawn, variable.n, random)])
      : [];
  return [...guards, [MISSING_BIN, missing], ...found];
}

/** Of new values, those beyond the outermost of `n` old ones: a share that is itself exponential with mean 1/n. */
function beyond(drawn: readonly number[], n: number, random: Random): number {
  const values = drawn.slice(0, -1).reduce((sum, count) => sum + count, 0);
  const mean = (values * -Math.log(1 - random())) / n;
  let count = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) count++;
  return count;
}
