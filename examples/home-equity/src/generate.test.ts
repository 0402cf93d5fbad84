import { expect, test } from 'vitest';
import type { Loan } from './columns.ts';
import { INPUTS } from './columns.ts';
import { generateQuarter, generateTraining } from './generate.ts';
import { random } from './random.ts';

const training = generateTraining(7);
const share = (loans: readonly Loan[], test: (loan: Loan) => boolean) => loans.filter(test).length / loans.length;
const median = (loans: readonly Loan[], name: 'LOAN' | 'VALUE') => {
  const values = loans.flatMap((loan) => loan[name] ?? []).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] as number;
};

test('the same seed gives the same loans, another seed others', () => {
  expect(generateTraining(7)).toEqual(training);
  expect(generateTraining(8)).not.toEqual(training);
  expect(generateQuarter(7, 1)).not.toEqual(generateQuarter(7, 2));
});

// Shares of missing cells in the public training file, 5,364 rows (monitoring reference, section 14).
const PUBLIC = {
  LOAN: 0,
  MORTDUE: 469,
  VALUE: 103,
  REASON: 232,
  JOB: 251,
  YOJ: 460,
  DEROG: 627,
  DELINQ: 514,
  CLAGE: 278,
  NINQ: 454,
  CLNO: 198,
  DEBTINC: 1139,
} as const;

test.each(INPUTS)('%s is missing about as often as in the public data', (name) => {
  expect(share(training, (loan) => loan[name] === null)).toBeCloseTo(PUBLIC[name] / 5364, 1.6);
});

test('about every fifth loan goes bad, and of those without DEBTINC about every second', () => {
  expect(share(training, ({ BAD }) => BAD === 1)).toBeCloseTo(0.2, 1.5);
  const undisclosed = training.filter(({ DEBTINC }) => DEBTINC === null);
  expect(share(undisclosed, ({ BAD }) => BAD === 1)).toBeGreaterThan(0.45);
});

test('from the third quarter amounts and prices rise, and a missing DEBTINC stops to tell', () => {
  const [first, third, fourth] = [1, 3, 4].map((k) => generateQuarter(7, k)) as [Loan[], Loan[], Loan[]];
  expect(median(third, 'VALUE')).toBeGreaterThan(1.1 * median(first, 'VALUE'));
  expect(median(fourth, 'LOAN')).toBeGreaterThan(1.15 * median(first, 'LOAN'));
  const undisclosed = fourth.filter(({ DEBTINC }) => DEBTINC === null);
  expect(share(undisclosed, ({ BAD }) => BAD === 1)).toBeLessThan(0.35);
});

test('there is no sixth quarter', () => {
  expect(() => generateQuarter(7, 6)).toThrow('quarters are 1 to 5');
});

test('the random stream has the moments it promises', () => {
  const stream = random(1);
  const mean = (draw: () => number) => Array.from({ length: 200_000 }, draw).reduce((sum, x) => sum + x, 0) / 200_000;
  expect(mean(() => stream.uniform())).toBeCloseTo(0.5, 1.7);
  expect(mean(() => stream.normal())).toBeCloseTo(0, 1.7);
  expect(mean(() => stream.normal() ** 2)).toBeCloseTo(1, 1.3);
  expect(mean(() => stream.poisson(3))).toBeCloseTo(3, 1);
  expect(mean(() => stream.gamma(4, 2))).toBeCloseTo(2, 1);
  expect(mean(() => Number(stream.pick({ a: 1, b: 3 }) === 'b'))).toBeCloseTo(0.75, 1.5);
});
