import { ABOVE_BIN, auc, type Baseline, BELOW_BIN, ksClasses, MISSING_BIN, type VariableBaseline } from '@fairway/core';
import type { Policy } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';
import { assess } from './judge.ts';
import { lookBack } from './judge-rule.ts';

/** How often a policy speaks when nothing has changed: shares of windows, by the number of rows in each. */
export type FalseAlarms = {
  readonly rows: number;
  readonly windows: number;
  readonly alert: number;
  readonly warning: number;
  readonly insufficient: number;
};

/** Windows that share one draw of the baseline. */
const PER_BASELINE = 25;

/**
 * Simulates windows of `rows` labelled predictions in a world that never changes: that of the baseline, whose own rows are drawn
 * anew too, because it was a sample itself. Inputs are drawn independently of each other. The same seed gives the same answer.
 */
export function falseAlarms(policy: Policy, world: Baseline, rows: number, windows: number, seed: number): FalseAlarms {
  const random = seeded(seed);
  const draw = sampler(world, random);
  const back = lookBack(policy);
  const seen = { alert: 0, warning: 0, healthy: 0, insufficient: 0 };
  let [baseline, earlier] = [world, [] as WindowCounts[]];
  for (let at = 0; at < windows; at++) {
    if (at % PER_BASELINE === 0) [baseline, earlier] = [draw.baseline(), []];
    const counts = draw.window(rows, baseline);
    seen[assess({ counts, earlier, baseline, policy }).state]++;
    earlier = back === 0 ? [] : [counts, ...earlier].slice(0, back);
  }
  const { alert, warning, insufficient } = seen;
  return {
    rows,
    windows,
    alert: alert / windows,
    warning: warning / windows,
    insufficient: insufficient / windows,
  };
}

type Sampler = { baseline(): Baseline; window(rows: number, baseline: Baseline): WindowCounts };

function sampler(world: Baseline, random: () => number): Sampler {
  // One cell more than there are bins: missing values.
  const inputs = world.variables.map((variable) => ({
    variable,
    draw: cells([...variable.counts, variable.missing], random),
  }));
  const scores = cells(
    world.scores.flatMap(([, nonEvents, events]) => [nonEvents, events]),
    random,
  );
  const bins = world.scores.map(([bin]) => bin);
  const scored = (rows: number) => {
    const drawn = scores(rows);
    return bins
      .map((bin, index) => [bin, drawn[2 * index] ?? 0, drawn[2 * index + 1] ?? 0] as const)
      .filter(([, nonEvents, events]) => nonEvents + events > 0);
  };
  const heldOut = world.scores.reduce((sum, [, nonEvents, events]) => sum + nonEvents + events, 0);
  return {
    baseline: () => {
      const drawn = scored(heldOut);
      const events = drawn.reduce((sum, [, , positive]) => sum + positive, 0);
      return {
        ...world,
        variables: inputs.map(({ variable, draw }) => redrawn(variable, draw(variable.n + variable.missing))),
        performance: { auc: auc(drawn) ?? 0, ks: ksClasses(drawn) ?? 0, rows: heldOut, events },
        scores: drawn,
      };
    },
    window: (rows, baseline) => ({
      variables: Object.fromEntries(
        inputs.map(({ draw }, index) => [
          baseline.variables[index]?.name ?? '',
          windowCells(baseline.variables[index] as VariableBaseline, draw(rows), random),
        ]),
      ),
      scores:
        bins.length === 0
          ? [[-1, rows, 0, 0]]
          : scored(rows).map(([bin, nonEvents, events]) => [bin, 0, nonEvents, events]),
    }),
  };
}

function redrawn(variable: VariableBaseline, drawn: readonly number[]): VariableBaseline {
  const counts = drawn.slice(0, -1);
  const missing = drawn.at(-1) ?? 0;
  return { ...variable, counts, missing, n: counts.reduce((sum, count) => sum + count, 0) };
}

function windowCells(
  variable: VariableBaseline,
  drawn: readonly number[],
  random: () => number,
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
function beyond(drawn: readonly number[], n: number, random: () => number): number {
  const values = drawn.slice(0, -1).reduce((sum, count) => sum + count, 0);
  const mean = (values * -Math.log(1 - random())) / n;
  let count = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) count++;
  return count;
}

/** Draws rows into cells by their weights (alias method: Walker 1977, Vose 1991); answers the count of each cell. */
function cells(weights: readonly number[], random: () => number): (rows: number) => number[] {
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
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
