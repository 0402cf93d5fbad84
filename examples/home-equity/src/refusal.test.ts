import { expect, test } from 'vitest';
import { refusalOf } from './refusal.ts';

const figures = (auc: number) => ({ auc, ks: 0.5 });

test('a candidate that is better, and not enough', () => {
  const compared = { champion: figures(0.8), candidate: figures(0.8012), difference: 0.0012, interval: null };
  expect(refusalOf(compared, { version: '3', margin: 0.002, z: undefined })).toBe(
    "The candidate's AUC of 0.8012 on held-out loans exceeds the 0.8000 of version 3 by 0.0012; asked for was a difference of at least 0.002. The champion stays.",
  );
});

test('a candidate that is worse is said to be worse', () => {
  const interval = [-0.03, 0.01] as const;
  const compared = { champion: figures(0.8), candidate: figures(0.79), difference: -0.01, interval };
  expect(refusalOf(compared, { version: '3', margin: -0.005, z: 1.96 })).toBe(
    "The candidate's AUC of 0.7900 on held-out loans lies 0.0100 below the 0.8000 of version 3 (95 %: -0.0300 to 0.0100); asked for was a difference of at least -0.005, 1.96 standard errors beyond chance. The champion stays.",
  );
});

test('what cannot be compared', () => {
  const compared = { champion: figures(Number.NaN), candidate: figures(0.8), difference: Number.NaN, interval: null };
  expect(refusalOf(compared, { version: '3', margin: 0.01, z: undefined })).toMatch(/is no number, so they cannot be/);
});
