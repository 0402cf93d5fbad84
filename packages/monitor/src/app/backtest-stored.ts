import { type Baseline, type Clock, FairwayError, iso, type Verdict, type Window } from '@fairway/core';
import { inapplicable } from '../policy/applies.ts';
import { unknownChannels } from '../policy/channels.ts';
import type { Policy } from '../policy/schema.ts';
import type { JudgeStore } from '../ports.ts';
import { type Backtest, backtest, type PastWindow } from './backtest.ts';
import { type FalseAlarms, falseAlarms } from './chance.ts';
import { notDrawn } from './chance-predictions.ts';
import { yardstick } from './first-good.ts';
import { periodAt } from './periods.ts';
import { oftenUnanswered } from './unanswered.ts';
import type { References } from './references.ts';
import type { WindowStarts } from './windows.ts';

/** A policy to try on what is stored. `since`: windows that ended after this moment. */
export type BacktestAsked = { readonly model: string; readonly policy: string; readonly since: string | undefined };

export type StoredBacktest = Backtest & {
  readonly since: string | null;
  /** How often the policy speaks without a reason at the usual size of a window; null without a baseline. */
  readonly chance: FalseAlarms | null;
  /** The answer in sentences. */
  readonly summary: string;
};

type Needs = {
  readonly starts: WindowStarts;
  readonly store: Pick<JudgeStore, 'counts' | 'firstStarts' | 'verdicts'>;
  readonly references: References;
  readonly parsePolicy: (text: string, model: string) => Policy;
  /** Names of the monitor's channels to people. */
  readonly channels: readonly string[];
  readonly clock: Clock;
};

/** More windows than these are left out, the oldest first: each is a few milliseconds of the database and of a core. */
const MOST_WINDOWS = 1000;
const SIMULATED = 400;

/** Replays a policy over the stored windows that have ended and had their labels' delay. Throws `policy.invalid` in sentences. */
export const storedBacktest =
  (needs: Needs) =>
  async ({ model, policy: text, since }: BacktestAsked): Promise<StoredBacktest> => {
    const policy = needs.parsePolicy(text, model);
    const unknown = unknownChannels(policy, needs.channels);
    const past = await pastWindows(needs, policy, since);
    if (past.length === 0) {
      throw new FairwayError(
        'model.unknown',
        [
          `There is no ended window of ${model} to test on${since === undefined ? '' : ` since ${since}`}; check the name and --since.`,
          ...unknown,
        ].join(' '),
      );
    }
    const result = backtest(policy, past);
    const newest = past.findLast(({ baseline }) => baseline !== undefined)?.baseline;
    const rows = middle(result.windows.map((window) => window.rows));
    const chance = newest === undefined || rows === 0 ? null : falseAlarms(policy, newest, rows, SIMULATED, 1);
    const sentences = [
      ...summaryOf(result),
      ...chanceOf(chance, policy, newest),
      ...oftenUnanswered(result.windows),
      ...silent(policy, newest),
    ];
    return {
      ...result,
      problems: [...result.problems, ...unknown],
      since: since ?? null,
      chance,
      summary: sentences.join(' '),
    };
  };

/** Rules that this version's inputs leave nothing to say. */
const silent = ({ rules }: Policy, baseline: Baseline | undefined): string[] =>
  rules.map((rule) => inapplicable(rule, baseline)).filter((sentence) => sentence !== undefined);

async function pastWindows(
  { starts, store, references, clock }: Needs,
  policy: Policy,
  since: string | undefined,
): Promise<PastWindow[]> {
  const { model, period } = policy;
  const verdicts = new Map((await store.verdicts({ model })).map((verdict) => [keyOf(verdict.window), verdict]));
  const found = await starts({ model, environment: undefined, every: period.every, last: MOST_WINDOWS });
  const past: PastWindow[] = [];
  for (const { version, environment, start } of found.toReversed()) {
    const window = { model, version, environment, ...periodAt(period.every, start) };
    const isClosed = Date.parse(window.end) + (period.labelDelay ?? 0) <= clock.now();
    if (!isClosed || (since !== undefined && window.end <= since)) continue;
    const verdict: Verdict | undefined = verdicts.get(keyOf(window));
    const baseline = await yardstick(store, window, (await references(model, version))?.baseline, policy);
    past.push({ window, counts: await store.counts(window), baseline, verdict });
  }
  return past;
}

const keyOf = ({ version, environment, start, end }: Window): string =>
  JSON.stringify([version, environment, iso(Date.parse(start)), iso(Date.parse(end))]);

/** The middle one, as it is: of an even number the upper. */
const middle = (sizes: readonly number[]): number => sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)] ?? 0;

function summaryOf({ windows, counts, changed, pullRequests, every }: Backtest): string[] {
  const periods = new Set(windows.map(({ start }) => start)).size;
  const judged = windows.filter(({ before }) => before !== null).length;
  return [
    `This policy would have opened ${many(pullRequests, 'pull request')} over ${many(periods, every)}.`,
    `Of ${many(windows.length, 'window')}: ${counts.alert} alert, ${counts.warning} warning, ${counts.healthy} healthy, ${counts.insufficient} insufficient; ${changed} of ${judged} judged ones would have been told otherwise.`,
  ];
}

function chanceOf(chance: FalseAlarms | null, policy: Policy, baseline: Baseline | undefined): string[] {
  if (chance === null) return [];
  const left = notSimulated(policy, baseline);
  const how = `${chance.windows} simulated${left === undefined ? '' : `, without ${left}`}`;
  return [
    `Without any change, at ${many(chance.rows, 'row')}, it would alert in ${percent(chance.alert)} of windows and warn in ${percent(chance.warning)} (${how}).`,
  ];
}

/** Rules that the simulation has nothing for. */
function notSimulated({ rules, segments = [] }: Policy, baseline: Baseline | undefined): string | undefined {
  const metrics = rules.map(({ metric }) => metric);
  const left = [
    baseline === undefined ? undefined : notDrawn(metrics, baseline),
    segments.length === 0 ? undefined : 'segments',
  ].filter((one) => one !== undefined);
  return left.length === 0 ? undefined : `the rules on ${left.join(' and on ')}`;
}

const many = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
