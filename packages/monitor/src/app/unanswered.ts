import type { Baseline, Unanswered } from '@fairway/core';
import { isAboutEvents } from '../metrics/class-counts.ts';
import { totals } from '../metrics/counts.ts';
import type { Evaluation, Metric } from '../metrics/metric.ts';
import type { Policy, Rule } from '../policy/schema.ts';
import type { WindowCounts } from '../ports.ts';

/** Why one rule cannot be evaluated. */
export type Lack = Pick<Unanswered, 'lacks' | 'reason'>;

export const isLack = (one: object): one is Lack => 'lacks' in one;

/** The window has too few rows for any rule. */
export function tooFewRows(counts: WindowCounts, { minimum }: Policy): Lack {
  const rows = many(totals(counts).predictions, 'row');
  return {
    lacks: 'rows',
    reason: `The window has ${rows}, and the policy judges nothing below ${count(Math.max(1, minimum.rows))}.`,
  };
}

/** The window's performance is not known well enough for a rule that rests on labels. */
export function tooFewLabels(counts: WindowCounts, { minimum, period }: Policy): Lack {
  const { predictions, labelled, events } = totals(counts);
  return { lacks: 'labels', reason: reason() };

  function reason(): string {
    if (labelled === 0) return 'No row of the window is labelled.';
    if (labelled < period.coverageFloor * predictions) {
      const [share, floor] = [
        Math.floor((100 * labelled) / predictions),
        Number((100 * period.coverageFloor).toFixed(2)),
      ];
      return `${share} % of the rows are labelled, below the ${floor} % that the policy asks for.`;
    }
    const [known, what] = isAboutEvents(counts) ? [events, 'event'] : [labelled, 'labelled row'];
    if (known < minimum.events)
      return `The window has ${many(known, what)}, and the policy asks for ${count(minimum.events)}.`;
    const nonEvents = many(labelled - events, 'non-event');
    return `The window has ${nonEvents}, and the policy asks for ${count(minimum.events)} before it judges how events rank among them.`;
  }
}

/** The counts give no value of the metric. */
export function noFigure({ title, needsLabels, scope }: Metric, baseline: Baseline | undefined): Lack {
  const from = needsLabels
    ? 'the labelled rows hold one class only, or no scores'
    : scope === 'each-input'
      ? 'no input has values on both sides that it can be taken from'
      : 'the window or the baseline has nothing that it can be taken from';
  const reason = `There is no ${title}: ${baseline === undefined ? 'the version has no baseline' : from}.`;
  return { lacks: 'figure', reason };
}

/** A histogram of so many bins says nothing of so few rows. */
export function binsTooThin({ title }: Metric, { sample }: Evaluation, least: number): Lack {
  return {
    lacks: 'figure',
    reason: `There is no ${title}: it rests on ${many(sample, 'row')}, and its bins ask for ${count(least)}.`,
  };
}

/** Nothing says how well the model once did. */
export function noReference({ title }: Metric): Lack {
  const reason = `No loss of ${title} can be told: the baseline has no held-out figure of it, and no window so far was good enough to stand in for it.`;
  return { lacks: 'reference', reason };
}

/** A share of nothing: how much of it was lost has no answer. */
export function nothingToLose({ title }: Metric, { metric }: Rule, before: number, from: string | undefined): Lack {
  const where = from === undefined ? "of the baseline's held-out rows" : `of ${from}, its first good window`;
  const reason = `No share of ${title} can be lost: the reference figure, ${where}, is ${before.toFixed(3)}, and a share is of what lies above 0. Use compare: absolute-decay, or a limit on ${metric} itself.`;
  return { lacks: 'reference', reason };
}

/** Each rule is about inputs of a kind that the version does not have (policy/applies.ts). */
export const noneApplies = ({ rules }: Policy): Unanswered => ({
  rules: rules.map(({ id }) => id),
  lacks: 'figure',
  reason: 'No rule of the policy applies to the inputs of this version.',
});

/** The same reason once, with all its rules. */
export function unanswered(lacks: ReadonlyArray<readonly [rule: string, lack: Lack]>): Unanswered[] {
  const found = new Map<string, { readonly lack: Lack; readonly rules: string[] }>();
  for (const [rule, lack] of lacks) {
    const known = found.get(lack.reason);
    if (known === undefined) found.set(lack.reason, { lack, rules: [rule] });
    else known.rules.push(rule);
  }
  return [...found.values()].map(({ lack: { lacks: what, reason }, rules }) => ({ rules, lacks: what, reason }));
}

/** In a sentence that names the rules: for who reads it without the policy beside it. */
export const unansweredSentence = ({ rules, reason }: Unanswered): string =>
  `${rules.join(', ')} could not be evaluated. ${reason}`;

/** What some of these windows, oldest first, could not answer: in how many of them, with the newest reason. */
export function oftenUnanswered(windows: ReadonlyArray<{ readonly unanswered?: readonly Unanswered[] }>): string[] {
  const found = new Map<string, { readonly times: number; readonly lack: Lack }>();
  for (const one of windows.flatMap((window) => window.unanswered ?? [])) {
    for (const rule of one.rules) found.set(rule, { times: (found.get(rule)?.times ?? 0) + 1, lack: one });
  }
  return [...new Set([...found.values()].map(({ times }) => times))].flatMap((times) => {
    const alike = [...found].flatMap(([rule, { lack, ...of }]) => (of.times === times ? [[rule, lack] as const] : []));
    const where = `In ${count(times)} of ${many(windows.length, 'window')}`;
    return unanswered(alike).map((one) => `${where}: ${unansweredSentence(one)}`);
  });
}

const count = (n: number): string => n.toLocaleString('en-US');
const many = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? '' : 's'}`;
