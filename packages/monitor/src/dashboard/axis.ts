/** Where an axis begins and ends, and its ticks with their texts. */
export type Axis = {
  readonly from: number;
  readonly to: number;
  readonly ticks: ReadonlyArray<readonly [value: number, text: string]>;
};

const MOST_STEPS = 5;
const SMALLEST_SHARE_STEP = 0.01;
const LARGE = 10_000;

/**
 * An axis for these values, in about five steps of 1, 2 or 5 times a power of ten; `least` and `most` are what a value can be at
 * all. Finite values only; without any, from 0 to 1.
 */
export function axisOf(values: readonly number[], [least, most]: readonly [least: number, most: number]): Axis {
  const [low, high] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const isShare = least === 0 && most === 1;
  const step = stepOf(high - low, isShare ? SMALLEST_SHARE_STEP : smallestStep(low, high));
  const first = Math.max(Math.ceil(least / step), Math.floor(low / step - 0.2));
  const last = Math.min(Math.floor(most / step), Math.ceil(high / step + 0.2));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const isLarge = Math.max(...ticks.map(Math.abs)) >= LARGE;
  return {
    from: first * step,
    to: last * step,
    ticks: ticks.map((tick) => [tick, textOf(tick, step, isLarge)] as const),
  };
}

/** Values that are all the same still get an axis around them. */
const smallestStep = (low: number, high: number): number =>
  10 ** (Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high)) || 1)) - 2);

function stepOf(spread: number, smallest: number): number {
  const power = 10 ** Math.floor(Math.log10(smallest));
  for (let unit = power; ; unit *= 10)
    for (const times of [1, 2, 5])
      if (times * unit >= smallest && spread / (times * unit) <= MOST_STEPS) return times * unit;
}

function textOf(tick: number, step: number, isLarge: boolean): string {
  if (isLarge) return tick.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: 4 });
  return tick.toFixed(step >= 1 ? 0 : Math.max(2, -Math.floor(Math.log10(step))));
}
