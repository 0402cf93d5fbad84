import { readFileSync } from 'node:fs';
import {
  auc,
  type Baseline,
  binOf,
  guardBinOf,
  ksClasses,
  MISSING_BIN,
  scoreBin,
  variableBaseline,
} from '@fairway/core';
import { generateQuarter, generateTraining, INPUTS, type Loan } from '../../../examples/home-equity/src/index.ts';
import { DEFAULT_POLICY } from '../../../packages/monitor/src/analyze/default-policy.ts';
import { falseAlarms } from '../../../packages/monitor/src/app/chance.ts';
import { assess } from '../../../packages/monitor/src/app/judge.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import type { WindowCounts } from '../../../packages/monitor/src/ports.ts';
import { atMost, type Result } from '../result.ts';

const WINDOWS = 10_000;
/** Little more than the 500 rows and 100 events of both policies: a fifth of these loans go bad. */
const ROWS = 650;
const EXAMPLE = new URL('../../../examples/home-equity/policy.yaml', import.meta.url);

const POLICIES = { example: readFileSync(EXAMPLE, 'utf8'), default: DEFAULT_POLICY };

/** How often the policies that Fairway brings alert without a reason, and whether they catch the drift of the demo's story. */
export function falseAlerts(): Result[] {
  const baseline = baselineOf(generateTraining(1));
  return Object.entries(POLICIES).flatMap(([name, text]) => {
    const policy = parsePolicy(text, undefined);
    const { alert, warning, insufficient } = falseAlarms(policy, baseline, ROWS, WINDOWS, 11);
    const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
    const note = `${WINDOWS} windows of ${ROWS} rows without drift; warnings ${percent(warning)}, insufficient ${percent(insufficient)}`;
    const states = [1, 2, 3, 4].map(
      (quarter) =>
        assess({ counts: countsOf(generateQuarter(1, quarter), baseline), earlier: [], baseline, policy }).state,
    );
    // The story's market turns in its third quarter: a window later is late, a window earlier is noise.
    const spoke = states.findIndex((state) => state !== 'healthy');
    return [
      atMost(`false-alerts-${name}`, Math.round(alert * 10_000) / 100, '%', 1, note),
      atMost(
        `drift-off-${name}`,
        Math.abs(spoke - 2),
        'windows',
        0,
        `quarters 1 to 4 of the story: ${states.join(', ')}`,
      ),
    ];
  });
}

/** The odds of the world before it changes, as a model that has learned them would give them. */
function scoreOf(loan: Loan): number {
  const risk =
    -4.55 +
    (loan.DEBTINC === null ? 3.9 : 0.09 * (loan.DEBTINC - 34) + (loan.DEBTINC > 43 ? 2.5 : 0)) +
    1.2 * Math.min(loan.DELINQ ?? 0, 4) +
    1.1 * Math.min(loan.DEROG ?? 0, 4) +
    0.25 * (loan.NINQ ?? 1) -
    0.007 * ((loan.CLAGE ?? 180) - 180) -
    0.03 * ((loan.YOJ ?? 9) - 9);
  return 1 / (1 + Math.exp(-risk));
}

/** Four fifths are the profile of the inputs, the last fifth is held out for performance. */
function baselineOf(loans: readonly Loan[]): Baseline {
  const [training, heldOut] = [loans.slice(0, loans.length * 0.8), loans.slice(loans.length * 0.8)];
  const scores = scoresOf(heldOut).map(([bin, , nonEvents, positive]) => [bin, nonEvents, positive] as const);
  const events = (rows: readonly Loan[]) => rows.filter(({ BAD }) => BAD === 1).length;
  return {
    definition: 1,
    model: 'home-equity',
    version: '1',
    rows: training.length,
    events: events(training),
    source: '',
    variables: INPUTS.map((name) =>
      variableBaseline(
        name,
        name === 'JOB' || name === 'REASON' ? 'category' : 'numeric',
        training.map((loan) => loan[name]),
      ),
    ),
    performance: { auc: auc(scores) ?? 0, ks: ksClasses(scores) ?? 0, rows: heldOut.length, events: events(heldOut) },
    scores,
  };
}

function scoresOf(loans: readonly Loan[]): Array<[bin: number, unlabelled: number, nonEvents: number, events: number]> {
  const found = new Map<number, [number, number, number, number]>();
  for (const loan of loans) {
    const bin = scoreBin(scoreOf(loan)) ?? MISSING_BIN;
    const cell = found.get(bin) ?? [bin, 0, 0, 0];
    cell[loan.BAD === 1 ? 3 : 2] += 1;
    found.set(bin, cell);
  }
  return [...found.values()].sort(([a], [b]) => a - b);
}

function countsOf(loans: readonly Loan[], baseline: Baseline): WindowCounts {
  const variables = baseline.variables.map((variable) => {
    const bins = new Map<number, number>();
    const bump = (bin: number) => bins.set(bin, (bins.get(bin) ?? 0) + 1);
    for (const loan of loans) {
      const value = loan[variable.name as keyof Loan];
      bump(binOf(variable, value));
      const guard = guardBinOf(variable, value);
      if (guard !== undefined) bump(guard);
    }
    return [variable.name, [...bins].sort(([a], [b]) => a - b)] as const;
  });
  return { variables: Object.fromEntries(variables), scores: scoresOf(loans) };
}
