import { type Baseline, binOf, canonicalJson, variableBaseline } from '@fairway/core';
import { expect, test } from 'vitest';
import { segmentInputs, segmentsOf, segmentSets } from '../metrics/segment-counts.ts';
import { metricOf } from '../metrics/registry.ts';
import { binNames } from '../moved/bins.ts';
import { misfits } from '../policy/fit.ts';
import { parsePolicy } from '../policy/parse.ts';
import { evidenceOf, replay } from './evidence.ts';
import { judge } from './judge.ts';
import { lookBack } from './judge-rule.ts';
import { segmentCounts, segmentedBy } from './segment-bins.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.5 }
minimum: { rows: 100, events: 100, rowsPerBin: 10 }
rules:
  - { id: auc, metric: auc, op: '<', limit: 0.5, severity: alert }
segments:
  - { id: weak, metric: auc, pairs: true, limit: 0.1, minimum: { rows: 100, events: 20 }, guard: { p: 0.01 }, severity: warning }
notify: { on: [] }
`;
const window = {
  model: 'm',
  version: '1',
  environment: 'prod',
  period: '2025Q1',
  start: '2025-01-01T00:00:00.000Z',
  end: '2025-04-01T00:00:00.000Z',
};
const REASONS = ['Home', 'Debt', null] as const;
const rows = (broken: boolean) =>
  Array.from({ length: 3000 }, (_, row) => {
    const [reason, loan] = [REASONS[row % 3] ?? null, (row * 37) % 100];
    const score = ((row * 7919) % 1000) / 1000;
    const isBroken = broken && reason === null && loan < 50;
    const label = (row * 104_729) % 1000 < (isBroken ? 1 - score : score) * 1000 ? 1 : 0;
    return { model: 'm', version: '1', environment: 'prod', time: window.start, reason, loan, score, label };
  });
const baseline: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 3000,
  events: 1500,
  source: '',
  variables: [
    variableBaseline(
      'LOAN',
      'numeric',
      rows(false).map(({ loan }) => loan),
    ),
    variableBaseline(
      'REASON',
      'category',
      rows(false).map(({ reason }) => reason),
    ),
  ],
  performance: { auc: 0.8, ks: 0.5, rows: 3000, events: 1500 },
  scores: [],
  segments: ['REASON', 'LOAN'],
};
const inputs = segmentInputs(baseline);

/** Counts of a window, scores at 1e-4 beside those by segment. */
function countsOf(broken: boolean) {
  const all = rows(broken);
  const scores = new Map<number, [number, number]>();
  for (const { score, label } of all) {
    const bin = Math.floor(score * 10_000);
    const [no, yes] = scores.get(bin) ?? [0, 0];
    scores.set(bin, label === 1 ? [no, yes + 1] : [no + 1, yes]);
  }
  const segmented = all.map((row) => ({
    ...row,
    segmented: segmentedBy(JSON.stringify({ REASON: row.reason, LOAN: row.loan }), inputs),
  }));
  const variables: Record<string, Array<[number, number]>> = {};
  for (const { variable, bin, count } of segmentCounts(segmented)) (variables[variable] ??= []).push([bin, count]);
  return {
    variables,
    scores: [...scores].sort(([a], [b]) => a - b).map(([bin, [no, yes]]) => [bin, 0, no, yes] as const),
  };
}
const evidence = (broken: boolean, text = POLICY) => ({
  window,
  counts: countsOf(broken),
  earlier: [],
  baseline,
  policy: parsePolicy(text, 'm'),
  blob: 'b',
});

test('the broken pair is found with its rows, against what the same counts give for all, and replayed byte for byte', () => {
  const given = evidence(true);
  const judgement = judge(given);
  expect(judgement.state).toBe('warning');
  const [worst] = judgement.segments ?? [];
  expect(Object.keys(worst?.where ?? {})).toEqual(['REASON', 'LOAN']);
  expect(worst?.where['REASON']).toBe('missing');
  expect(worst?.value).toBeLessThan(0.4);
  expect(worst?.interval[1]).toBeLessThan(worst?.overall ?? 0);
  const finding = judgement.findings[0];
  expect(finding).toMatchObject({ rule: 'weak', metric: 'auc', op: '>=', limit: 0.1, severity: 'warning' });
  expect(finding?.variable).toMatch(/^REASON missing and LOAN /);
  expect(finding?.message).toMatch(
    /^AUC where REASON missing and LOAN .* below the 0\.\d{3} of all, limit 0\.100 \(\d+ labelled rows; p = /,
  );
  expect(judgement.segments?.length).toBe(judgement.findings.length);
  const policy = { blob: 'b', text: POLICY };
  const { counts, earlier } = given;
  expect(replay({ verdict: canonicalJson(judgement), counts, earlier, baseline, policy })).toMatchObject({
    equal: true,
  });
  expect(evidenceOf(given, policy).parts.size).toBe(3);
});

test('nothing broken: no segment, and without rules on segments the verdict is what it always was', () => {
  expect(judge(evidence(false))).toMatchObject({ state: 'healthy', segments: [], findings: [] });
  const without = POLICY.replace(/segments:\n.*\n/, '');
  expect(judge(evidence(true, without))).not.toHaveProperty('segments');
});

test('small segments, and those that chance explains, are left out', () => {
  expect(judge(evidence(true, POLICY.replace('rows: 100, events: 20', 'rows: 5000, events: 20'))).segments).toEqual([]);
  expect(judge(evidence(true, POLICY.replace('p: 0.01', 'p: 1.0e-300'))).segments).toEqual([]);
});

test('mean score against event rate, on either side', () => {
  const text = POLICY.replace('metric: auc, pairs', 'of: [LOAN], metric: calibration, pairs').replace(
    'limit: 0.1',
    'limit: 0.3',
  );
  expect(judge(evidence(false, text)).findings).toEqual([]);
  const shifted = evidence(false, text);
  const counts = { ...shifted.counts, variables: { ...shifted.counts.variables } };
  // Non-events with a score below a half become events, in the first tenth of LOAN (cell 1; missing is 0).
  counts.variables['$segment/1'] = (counts.variables['$segment/1'] ?? []).map(([bin, count]) => {
    const [cell, step, state] = [Math.floor(bin / 303), Math.floor(bin / 3) % 101, bin % 3];
    return cell === 1 && step < 50 && state === 1 ? [bin + 1, count] : [bin, count];
  });
  const [only, ...others] = judge({ ...shifted, counts }).segments ?? [];
  expect(others).toEqual([]);
  expect(only).toMatchObject({ metric: 'calibration', where: { LOAN: expect.stringMatching(/^≤/) } });
  const there = rows(false).filter(({ loan }) => binOf(inputs[1] as never, loan) === 0);
  const off = there.map(({ score, label }) => score - (score < 0.5 ? 1 : label));
  expect(only?.labelled).toBe(there.length);
  expect(only?.value).toBeCloseTo(off.reduce((sum, one) => sum + one, 0) / there.length, 2);
});

test('every set of inputs counts every row once, and its figures are those of its rows', () => {
  const counts = countsOf(true);
  for (const set of segmentSets(2)) {
    const { segments, whole } = segmentsOf(counts, inputs, set);
    expect(whole.scores.reduce((sum, [, none, no, yes]) => sum + none + no + yes, 0)).toBe(3000);
    expect(segments.flatMap(({ counts: { scores } }) => scores).reduce((sum, [, , no, yes]) => sum + no + yes, 0)).toBe(
      3000,
    );
  }
  const { segments } = segmentsOf(counts, inputs, [0]);
  const debt = segments.find(({ where }) => where['REASON'] === 'Debt');
  const mine = rows(true).filter(({ reason }) => reason === 'Debt');
  const value = (name: 'eventRate' | 'meanScore') =>
    metricOf(name).evaluate(debt?.counts as never, undefined, '')?.value;
  expect(value('eventRate')).toBe(mine.filter(({ label }) => label === 1).length / mine.length);
  expect(value('meanScore')).toBeCloseTo(mine.reduce((sum, { score }) => sum + score, 0) / mine.length, 2);
});

test('a rule over several windows speaks of a segment that is weak in n of them, and stands until it is mild again', () => {
  const lasting = (leave: number) =>
    POLICY.replace('guard: {', `periods: { n: 2, of: 3 }, leave: { limit: ${leave} }, guard: {`);
  const told = (leave: number, now: boolean, ...earlier: boolean[]) =>
    judge({ ...evidence(now, lasting(leave)), earlier: earlier.map((one) => countsOf(one)) }).findings;
  expect(told(0.099, true)).toEqual([]);
  expect(told(0.099, true, false)).toEqual([]);
  const [worst] = told(0.099, true, true);
  expect(worst?.variable).toMatch(/^REASON missing and LOAN /);
  expect(worst).not.toHaveProperty('leave');
  expect(told(0.099, true, false, true).map(({ variable }) => variable)).toContain(worst?.variable);
  expect(told(0.099, false, true, true)).toEqual([]);
  // Below the limit, and not below that for leaving: what stood stands on, in words that say so.
  const [held] = told(0.001, false, true, true);
  expect(held).toMatchObject({ leave: 0.001, limit: 0.1 });
  expect(held?.value).toBeLessThan(0.1);
  expect(held?.message).toContain('limit 0.100; it stands until below 0.001 (');
  const text = lasting(0.05);
  const policy = parsePolicy(text, 'm');
  expect(lookBack(policy)).toBe(24);
  const given = { ...evidence(true, text), earlier: [countsOf(true)] };
  const verdict = canonicalJson(judge(given));
  expect(
    replay({ verdict, counts: given.counts, earlier: given.earlier, baseline, policy: { blob: 'b', text } }).equal,
  ).toBe(true);
}, 30_000);

test.each([
  ['periods: { n: 3, of: 2 }, guard: {', 'asks for more windows (n) than periods (of)'],
  ['leave: { limit: 0.2 }, guard: {', 'must have a limit milder than 0.1'],
])('a lasting rule that cannot hold is refused: %s', (keys, sentence) => {
  expect(() => parsePolicy(POLICY.replace('guard: {', keys), 'm')).toThrow(sentence);
});

/** The same rows for a model of two names: right where the score says the label; and for one that predicts the score itself. */
function otherCounts(predicts: 'classes' | 'numbers') {
  const variables: Record<string, Array<[number, number]>> = {};
  const segmented = rows(true).map((row) => ({
    ...row,
    segmented: segmentedBy(JSON.stringify({ REASON: row.reason, LOAN: row.loan }), inputs),
    ...(predicts === 'classes'
      ? { classed: { k: 2, predicted: row.score >= 0.5 ? 1 : 0, probabilities: null } }
      : { isNumber: true }),
  }));
  for (const { variable, bin, count } of segmentCounts(segmented)) (variables[variable] ??= []).push([bin, count]);
  return variables;
}

test('of several classes accuracy, of numbers the mean absolute error: the figures of each segment are those of its rows', () => {
  const broken = rows(true).filter(({ reason, loan }) => reason === null && binOf(inputs[1] as never, loan) === 0);
  const rightOnes = broken.filter(({ score, label }) => (score >= 0.5 ? 1 : 0) === label).length;
  const errors = broken.map(({ score, label }) => Math.abs(score - label));
  for (const [predicts, metric, value] of [
    ['classes', 'accuracy', rightOnes / broken.length],
    ['numbers', 'mae', errors.reduce((sum, one) => sum + one, 0) / errors.length],
  ] as const) {
    const counts = { variables: otherCounts(predicts), scores: [] };
    const { segments } = segmentsOf(counts, inputs, [0, 1], predicts);
    const mine = segments.find(
      ({ where }) => where['REASON'] === 'missing' && where['LOAN'] === binNames(inputs[1] as never)[0],
    );
    expect(metricOf(metric).evaluate(mine?.counts as never, undefined, '')).toMatchObject({
      value: expect.closeTo(value, 12),
      sample: broken.length,
    });
  }
});

test('rules on segments of classes and of numbers speak, and are refused of another model', () => {
  const classes = { classification: { classes: ['no', 'yes'], columns: [], predicted: [1, 1], heldOut: {} } };
  const numbers = { regression: { prediction: inputs[1], performance: { rows: 0, mae: 0, rmse: 0, rSquared: 0 } } };
  for (const [predicts, metric, more, words] of [
    [
      'classes',
      'accuracy',
      classes,
      /^Accuracy where REASON missing and LOAN .* below the 0\.\d{3} of all, limit 0\.100/,
    ],
    ['numbers', 'mae', numbers, /^Mean absolute error where REASON missing and LOAN .* of the 0\.\d+ of all above it/],
  ] as const) {
    const text = POLICY.replace('metric: auc, pairs', `metric: ${metric}, pairs`)
      .replace(', events: 20', '')
      .replace("metric: auc, op: '<', limit: 0.5", "metric: p1, op: '>', limit: 1");
    const given = {
      ...evidence(true, text),
      baseline: { ...baseline, ...more } as Baseline,
      counts: { ...countsOf(true), variables: otherCounts(predicts) },
    };
    expect(misfits(given.policy, given.baseline)).toEqual([]);
    expect(judge(given).findings[0]).toMatchObject({ metric, message: expect.stringMatching(words) });
    expect(judge(given).segments?.[0]).toMatchObject({ metric, eventRate: null });
    expect(misfits(given.policy, baseline)[0]).toContain(
      `metric ${metric} has no figure by segment: m version 1 predicts an event`,
    );
  }
  for (const [from, to, words] of [
    ['limit: 0.1, minimum', 'limit: 1.5, minimum', 'must be below 1: a difference of auc is no larger'],
    [', events: 20', '', 'needs events for auc: so many of each outcome'],
  ] as const)
    expect(() => parsePolicy(POLICY.replace(from, to), 'm')).toThrow(words);
});

test('what the baseline does not count by is refused in a sentence, and so are keys that nobody knows', () => {
  const of = parsePolicy(POLICY.replace('metric: auc, pairs', 'of: [JOB], metric: auc, pairs'), 'm');
  expect(misfits(of, baseline)).toEqual([
    'segments[0].of has JOB, by which the baseline of m version 1 does not count; it counts by REASON, LOAN.',
  ]);
  const { segments: _, ...none } = baseline;
  expect(misfits(of, none)[0]).toContain(
    'the baseline of m version 1 counts by no segment; state inputs with fairway baseline',
  );
  expect(() => parsePolicy(POLICY.replace('limit: 0.1, minimum', 'limits: 0.1, minimum'), 'm')).toThrow(
    /unknown key limits/,
  );
  expect(() => parsePolicy(POLICY.replace('id: weak', 'id: auc'), 'm')).toThrow('use the id auc twice');
});

test.each([
  [{ REASON: ' Home ' }, 1],
  [{ REASON: { $: 'bytes', value: 'Debt' } }, 0],
  [{ REASON: 'NA' }, -1],
  [{}, -1],
  [{ REASON: 'Boat' }, 2],
])('a category in the view %j', (view, bin) => {
  expect(segmentedBy(JSON.stringify(view), inputs).bins[0]).toBe(bin);
});

test('numbers in the view: NaN is missing, infinity is in no segment, large whole numbers are numbers', () => {
  const bin = (value: unknown) => segmentedBy(JSON.stringify({ LOAN: value }), inputs).bins[1];
  expect([bin({ $: 'NaN' }), bin({ $: 'Infinity' }), bin({ $: 'int64', value: '9007199254740993' })]).toEqual([
    -1, -2, 9,
  ]);
});
