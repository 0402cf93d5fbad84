import { expect, test } from 'vitest';
import type { Point } from '../harness/kill-points.ts';
import { killAtEachPoint } from './writer-points.ts';

/** Every so-manieth boundary; `npm run faults` goes through all of them. */
const STRIDE = 11;

test('killed at boundaries between it and the world, the writer leaves exactly one of everything', {
  timeout: 400_000,
}, async () => {
  const wrong: string[] = [];
  const some = (points: readonly Point[]) => points.filter((_, i) => i % STRIDE === STRIDE - 2);
  const { points, results } = await killAtEachPoint({}, some, (result) => {
    for (const sentence of result.wrong) wrong.push(`${result.point}: ${sentence}`);
  });
  expect(points.length).toBeGreaterThan(30);
  expect(results).toHaveLength(some(points).length);
  expect(wrong).toEqual([]);
});
