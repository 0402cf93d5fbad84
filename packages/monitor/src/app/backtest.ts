import type { Baseline, Finding, Unanswered, Verdict, VerdictState, Window } from '@fairway/core';
import { totals } from '../metrics/counts.ts';
import { misfits } from '../policy/fit.ts';
import type { Policy } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';
import { assess } from './judge.ts';
import { lookBack } from './judge-rule.ts';

/** A stored window as a policy would see it. `verdict`: the newest that was made of the same period, where there is one. */
export type PastWindow = {
  readonly window: Window;
  readonly counts: WindowCounts;
  readonly baseline: Baseline | undefined;
  readonly verdict: Pick<Verdict, 'state' | 'policy'> | undefined;
};

export type BacktestWindow = Window & {
  readonly rows: number;
  readonly state: VerdictState;
  readonly findings: readonly Finding[];
  /** Absent where every rule could be evaluated. */
  readonly unanswered?: readonly Unanswered[];
  /** What was said at its time; null where nothing was. */
  readonly before: VerdictState | null;
  /** Would a retrain pull request have been opened, or was one open. */
  readonly retrain: 'opened' | 'open' | null;
};

export type Backtest = {
  readonly model: string;
  readonly every: Policy['period']['every'];
  readonly windows: readonly BacktestWindow[];
  readonly counts: Readonly<Record<VerdictState, number>>;
  /** Windows whose state differs from the one of their stored verdict. */
  readonly changed: number;
  readonly pullRequests: number;
  /** What the policy asks for that a version, whose windows are left out, or the monitor lacks, a sentence each. */
  readonly problems: readonly string[];
};

/**
 * What a policy would have said of stored windows: pure, like the verdicts themselves. Windows of each version and environment
 * follow one another; labels are taken as they are known today, so early verdicts may have known fewer.
 */
export function backtest(policy: Policy, past: readonly PastWindow[]): Backtest {
  const problems = new Set<string>();
  const lines = new Map<string, PastWindow[]>();
  for (const one of past.toSorted(byTime)) {
    const unfit = one.baseline === undefined ? [] : misfits(policy, one.baseline);
    unfit.forEach((problem) => problems.add(problem));
    const line = JSON.stringify([one.window.environment, one.window.version]);
    if (unfit.length === 0) lines.set(line, [...(lines.get(line) ?? []), one]);
  }
  const judged = [...lines.values()]
    .flatMap((line) => judgeLine(policy, line))
    .sort((a, b) => byTime({ window: a }, { window: b }));
  const windows = withRetrains(policy, judged);
  const count = (state: VerdictState) => windows.filter((one) => one.state === state).length;
  return {
    model: policy.model,
    every: policy.period.every,
    windows,
    counts: {
      healthy: count('healthy'),
      warning: count('warning'),
      alert: count('alert'),
      insufficient: count('insufficient'),
    },
    changed: windows.filter(({ state, before }) => before !== null && before !== state).length,
    pullRequests: windows.filter(({ retrain }) => retrain === 'opened').length,
    problems: [...problems],
  };
}

type Timed = { readonly window: Pick<Window, 'start' | 'environment' | 'version'> };

function byTime({ window: a }: Timed, { window: b }: Timed): number {
  const [x, y] = [a, b].map(({ start, environment, version }) => [start, environment, version].join('\n')) as [
    string,
    string,
  ];
  return x < y ? -1 : x > y ? 1 : 0;
}

type Judged = Omit<BacktestWindow, 'retrain'>;

/** The windows of one version in one environment, oldest first. */
function judgeLine(policy: Policy, line: readonly PastWindow[]): Judged[] {
  const back = lookBack(policy);
  return line.map(({ window, counts, baseline, verdict }, index) => {
    const earlier = line
      .slice(Math.max(0, index - back), index)
      .map((one) => one.counts)
      .reverse();
    const { state, findings, unanswered } = assess({ counts, earlier, baseline, policy });
    const said = { state, findings, ...(unanswered === undefined ? {} : { unanswered }) };
    return { ...window, rows: totals(counts).predictions, ...said, before: verdict?.state ?? null };
  });
}

/**
 * When pull requests would have been opened: on an alert while none is open, the cool-down after the last one has passed and
 * nothing is snoozed. It is taken to stay open until a window of the model recovers or another version's window comes; what
 * people would have done with it nobody can know.
 */
function withRetrains({ retrain, period }: Policy, windows: readonly Judged[]): BacktestWindow[] {
  let open: Judged | undefined;
  let quietUntil = retrain?.snoozeUntil === undefined ? 0 : Date.parse(retrain.snoozeUntil);
  return windows.map((window): BacktestWindow => {
    const now = Date.parse(window.end) + (period.labelDelay ?? 0);
    if (retrain === undefined) return { ...window, retrain: null };
    const isSame = open?.environment === window.environment;
    if (open !== undefined && isSame && (window.state === 'healthy' || open.version !== window.version)) {
      quietUntil = Math.max(quietUntil, now + retrain.cooldown);
      open = undefined;
    }
    if (window.state !== 'alert') return { ...window, retrain: null };
    if (open !== undefined) return { ...window, retrain: 'open' };
    if (now < quietUntil) return { ...window, retrain: null };
    open = window;
    return { ...window, retrain: 'opened' };
  });
}
