import type { Baseline } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import type { WindowCounts } from '../ports.ts';
import { whatMoved } from './what-moved.ts';

type Score = readonly [bin: number, nonEvents: number, events: number];
/** 2,000 held-out rows, well ranked and well calibrated. */
const SCORES: readonly Score[] = [
  [1000, 900, 100],
  [5000, 300, 300],
  [9000, 40, 360],
];
const BASELINE: Baseline = {
  definition: 1,
  model: 'm',
  version: '1',
  rows: 2000,
  events: 760,
  source: 'a'.repeat(64),
  variables: [{ kind: 'numeric', name: 'LOAN', edges: [10], counts: [1000, 1000], n: 2000, missing: 0 }] as never,
  performance: { auc: 0.8451, ks: 0.5, rows: 2000, events: 760 },
  scores: SCORES,
};
const counts = (scores: readonly Score[], loan: readonly [number, number] = [1000, 1000]): WindowCounts => ({
  variables: { LOAN: loan.map((count, bin) => [bin, count] as const) },
  scores: scores.map(([bin, nonEvents, events]) => [bin, 0, nonEvents, events]),
});
const kinds = (window: WindowCounts) => whatMoved(window, BASELINE).map(({ kind }) => kind);

describe('what moved', () => {
  it('is nothing when counts are as they were, and nothing without a baseline', () => {
    expect(whatMoved(counts(SCORES), BASELINE)).toEqual([]);
    expect(whatMoved(counts(SCORES), undefined)).toEqual([]);
  });

  it('is an input, with the bin that moved most', () => {
    const [first, ...others] = whatMoved(counts(SCORES, [1500, 500]), BASELINE);
    expect(others).toEqual([]);
    // (0.25 ln 1.5) + (−0.25 ln 0.5) = 0.27465
    expect(first?.value).toBeCloseTo(0.27465, 5);
    expect(first).toMatchObject({ kind: 'inputs', variable: 'LOAN', share: 1, before: null });
    expect(first?.sentence).toBe('LOAN moved (PSI 0.275): the share of ≤ 10 went from 50.0 % to 75.0 %.');
  });

  it('is no input that moves within chance', () => {
    expect(
      kinds(
        counts(
          [
            [1000, 9, 1],
            [9000, 1, 9],
          ],
          [7, 13],
        ),
      ),
    ).not.toContain('inputs');
  });

  it('is the relation when performance fell and the scores are as they were', () => {
    const swapped: readonly Score[] = [
      [1000, 700, 300],
      [5000, 300, 300],
      [9000, 240, 160],
    ];
    const moved = whatMoved(counts(swapped), BASELINE);
    expect(moved[0]?.kind).toBe('relation');
    expect(moved[0]?.sentence).toContain('the change of the scores explains none of it');
    expect(moved.map(({ kind }) => kind)).not.toContain('scores');
  });

  it('is labels and calibration, not the relation, when events become more at every score', () => {
    const more = counts(SCORES.map(([bin, no, yes]) => [bin, no, yes * 2] as const));
    const found = kinds(more);
    const told = whatMoved(more, BASELINE).find(({ kind }) => kind === 'calibration')?.sentence;
    expect(told).toMatch(/^The mean score lies \d+\.\d points below the event rate; .* was [+−]\d+\.\d points\.$/);
    expect(found).toEqual(expect.arrayContaining(['labels', 'calibration']));
    expect(found).not.toContain('relation');
  });

  it('is the scores when other scores come', () => {
    const found = kinds(
      counts([
        [1000, 90, 10],
        [5000, 300, 300],
        [9000, 130, 1170],
      ]),
    );
    expect(found).toContain('scores');
  });

  it('ranks by strength, shares add up, and the window before is told', () => {
    const moved = whatMoved(
      counts(
        SCORES.map(([bin, no, yes]) => [bin, no, yes * 2] as const),
        [1500, 500],
      ),
      BASELINE,
      [counts(SCORES, [1400, 600])],
    );
    expect(moved.map(({ strength }) => strength)).toEqual(
      moved.map(({ strength }) => strength).toSorted((a, b) => b - a),
    );
    expect(moved.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(moved.find(({ kind }) => kind === 'inputs')?.before).toBeCloseTo(
      0.2 * Math.log(1.4) - 0.2 * Math.log(0.6),
      9,
    );
  });
});
