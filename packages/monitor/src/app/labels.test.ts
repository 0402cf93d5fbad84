import { expect, test } from 'vitest';
import { planLabels } from './labels.ts';

const target = (id: string, label: -1 | 0 | 1, correlationId: string | null = null) => ({
  id,
  label,
  correlationId,
  model: 'm',
  version: '1',
  environment: 'prod',
  hour: '2025-01-01T00:00:00.000Z',
  bin: 7,
});

test('a label that comes twice in one request is booked once, the last one standing', () => {
  const plan = planLabels(
    [
      { id: 'p', label: 0 },
      { id: 'c', label: 1, observedAt: '2025-02-01T00:00:00Z' },
      { id: 'p', label: 1 },
    ],
    { targets: [target('p', -1, 'c')], early: [] },
  );
  expect(plan.outcome).toEqual({ joined: 1, early: 0, unchanged: 1, corrected: 1, refused: [] });
  expect(plan.updates).toEqual([{ id: 'p', label: 1, observedAt: '2025-02-01T00:00:00Z' }]);
  expect(plan.scores.map(({ label, count }) => [label, count])).toEqual([
    [-1, -1],
    [1, 1],
  ]);
});

test('a label that changes nothing moves no count', () => {
  const plan = planLabels([{ id: 'p', label: 1 }], { targets: [target('p', 1)], early: [] });
  expect([plan.updates, plan.scores, plan.early]).toEqual([[], [], []]);
});
