import type { Baseline, VariableBaseline } from '@fairway/core';
import type { Policy } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';
import { predictionsOf } from './chance-predictions.ts';
import { cells, type Random, redrawn, seeded, windowCells } from './draw.ts';
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
 * anew too, because it was a sample itself. Inputs are drawn independently of each other and of what is predicted. The same seed gives the same answer.
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

function sampler(world: Baseline, random: Random): Sampler {
  // One cell more than there are bins: missing values.
  const inputs = world.variables.map((variable) => ({
    variable,
    draw: cells([...variable.counts, variable.missing], random),
  }));
  const predictions = predictionsOf(world, random);
  return {
    baseline: () => ({
      ...world,
      variables: inputs.map(({ variable, draw }) => redrawn(variable, draw(variable.n + variable.missing))),
      ...predictions.baseline(),
    }),
    window: (rows, baseline) => {
      const drawn = inputs.map(({ draw }, index) => {
        const variable = baseline.variables[index] as VariableBaseline;
        return [variable.name, windowCells(variable, draw(rows), random)] as const;
      });
      const { variables, scores } = predictions.window(rows, baseline);
      return { variables: { ...Object.fromEntries(drawn), ...variables }, scores };
    },
  };
}
