import { expect, test } from 'vitest';
import { planLabels } from './labels.ts';

const target = (id: string, label: number | null, isNumber = false) => ({
  id,
  day: '2025-01-01',
  label,
  observedAt: null,
  model: 'm',
  version: '1',
  environment: 'prod',
  hour: '2025-01-01T00:00:00.000Z',
  score: 0.00075,
  isNumber,
});
const aims = (...entries: Array<[string, ReturnType<typeof target>]>) => ({ aims: new Map(entries), early: [] });

test('a label that comes twice in one request is booked once, the last one standing', () => {
  const same = target('p', null);
  const plan = planLabels(
    [
      { id: 'p', label: 0 },
      { id: 'c', label: 1, observedAt: '2025-02-01T00:00:00Z' },
      { id: 'p', label: 1 },
    ],
    aims(['p', same], ['c', same]),
  );
  expect(plan.outcome).toEqual({ joined: 1, early: 0, unchanged: 1, corrected: 1, refused: [] });
  expect(plan.updates).toEqual([
    { id: 'p', day: '2025-01-01', label: 1, observedAt: '2025-02-01T00:00:00Z', isFirst: true },
  ]);
  expect(plan.scores.map(({ label, count }) => [label, count])).toEqual([
    [-1, -1],
    [1, 1],
  ]);
  expect(plan.corrections).toEqual([
    {
      key: 'p',
      day: '2025-01-01',
      before: { label: 0, observedAt: null },
      after: { label: 1, observedAt: '2025-02-01T00:00:00Z' },
    },
  ]);
});

test('a label that changes nothing moves no count and leaves no history', () => {
  const plan = planLabels([{ id: 'p', label: 1 }], aims(['p', target('p', 1)]));
  expect([plan.updates, plan.scores, plan.early, plan.corrections]).toEqual([[], [], [], []]);
});

test('a label without a prediction waits, and its correction is history too', () => {
  const plan = planLabels(
    [
      { id: 'x', label: 1 },
      { id: 'y', label: 0 },
    ],
    {
      aims: new Map(),
      early: [{ key: 'x', label: 0, observedAt: null }],
    },
  );
  expect(plan.outcome).toMatchObject({ early: 1, corrected: 1 });
  expect(plan.early.map(({ key, label }) => [key, label])).toEqual([
    ['x', 1],
    ['y', 0],
  ]);
  expect(plan.corrections).toMatchObject([{ key: 'x', day: null, before: { label: 0 }, after: { label: 1 } }]);
});

test('a true value is summed beside the predicted one, and a correction takes the old one away to the last bit', () => {
  const late = planLabels([{ id: 'p', label: -0.1 }], aims(['p', target('p', null, true)]));
  expect(late.outcome).toMatchObject({ joined: 1, refused: [] });
  const corrected = planLabels([{ id: 'p', label: 1e6 }], aims(['p', target('p', -0.1, true)]));
  expect(corrected.outcome).toMatchObject({ corrected: 1 });
  const back = planLabels([{ id: 'p', label: -0.1 }], aims(['p', target('p', 1e6, true)]));
  const after = new Map<string, number>();
  for (const { label, bin, count } of [...late.scores, ...corrected.scores, ...back.scores]) {
    after.set(`${label}/${bin}`, (after.get(`${label}/${bin}`) ?? 0) + count);
  }
  const first = new Map(late.scores.map(({ label, bin, count }) => [`${label}/${bin}`, count]));
  expect(new Map([...after].filter(([, count]) => count !== 0))).toEqual(first);
});

test('a number is refused where the model knows 0 and 1, and where no model predicts one', () => {
  const given = [{ id: 'p', label: 2 }];
  const known = aims(['p', target('p', null)]);
  const refused = [{ id: 'p', reason: 'label must be 0 or 1' }];
  expect(planLabels(given, { ...known, numbers: true }).outcome).toMatchObject({ joined: 0, refused });
  expect(planLabels(given, aims()).outcome).toMatchObject({ early: 0, refused });
  expect(planLabels(given, { ...aims(), numbers: true }).outcome).toMatchObject({ early: 1, refused: [] });
});
