import type { Evaluation } from './metric.ts';
import { chiSquareQuantile, chiSquareTail } from './chi-square.ts';

/** A share below this counts as this: an empty bin adds about 0.69 per decile instead of infinity. */
const FLOOR = 1e-4;

/**
 * Population stability index of two histograms over the same bins: sum of (q − p) ln(q / p), natural logarithm, shares
 * floored at 1e-4 on both sides and not renormalised (monitoring reference §3). null when a side is empty.
 * Noise: without change it stays below chi2(B − 1) × (1/A + 1/N) with the given probability; p by the same approximation.
 */
export function stabilityIndex(reference: readonly number[], current: readonly number[]): Evaluation | null {
  const a = sum(reference);
  const n = sum(current);
  if (a === 0 || n === 0) return null;
  let value = 0;
  for (const [bin, count] of reference.entries()) {
    const p = Math.max(count / a, FLOOR);
    const q = Math.max((current[bin] ?? 0) / n, FLOOR);
    value += (q - p) * Math.log(q / p);
  }
  const degrees = reference.length - 1;
  const spread = 1 / a + 1 / n;
  return {
    value,
    sample: n,
    noise: (probability) => chiSquareQuantile(probability, degrees) * spread,
    p: chiSquareTail(value / spread, degrees),
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
