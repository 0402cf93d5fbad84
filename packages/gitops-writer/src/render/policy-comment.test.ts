import { expect, test } from 'vitest';
import type { PolicyTest, TestedWindow } from '../ports.ts';
import { policyComment, policyStatus } from './policy-comment.ts';

const window = (period: string, state: TestedWindow['state'], more: Partial<TestedWindow> = {}): TestedWindow => ({
  version: '1',
  environment: 'prod',
  period,
  rows: 1200,
  state,
  rules: [],
  opens: false,
  ...more,
});
const LIMIT = 65_536;
const COMMIT = 'c0ffee'.repeat(7).slice(0, 40);
const tested = (...windows: TestedWindow[]): PolicyTest => ({
  kind: 'tested',
  windows,
  problems: [],
  summary: 'It would have spoken.',
});

test('windows that would speak, or otherwise than now, are in the table, and counted against the policy of the default branch', () => {
  const proposed = tested(
    window('2026Q1', 'healthy'),
    window('2026Q2', 'healthy'),
    window('2026Q3', 'alert', { rules: ['psi', 'auc|x'], opens: true }),
  );
  const current = tested(
    window('2026Q1', 'healthy'),
    window('2026Q2', 'warning'),
    window('2026Q3', 'alert', { opens: true }),
  );
  const edits = [{ model: 'home-equity', proposed, current }];
  const text = policyComment(edits, COMMIT, LIMIT);
  expect(text).not.toContain('2026Q1');
  expect(text).toContain('| 2026Q2 | 1 | prod | 1,200 | warning | **healthy** |  |  |');
  expect(text).toContain(String.raw`| 2026Q3 | 1 | prod | 1,200 | alert | alert | opened | psi, auc\|x |`);
  expect(text).toContain('1 of 3 windows would be judged otherwise; 1 retrain pull request instead of 1.');
  expect(text).toMatch(/Tested as of commit `c0ffeec0ffee`,/);
  expect(policyStatus(edits)).toEqual({ state: 'success', description: '1 alert over 3 stored windows, 1 retraining' });
});

test('a policy that cannot be used is said in the words of its parser, and is red', () => {
  const refused = { kind: 'refused', reason: 'rules[0].limit is 7, which nothing breaches.' } as const;
  const edits = [
    { model: 'a', proposed: tested(), current: undefined },
    { model: 'b', proposed: refused, current: tested() },
  ];
  expect(policyComment(edits, COMMIT, LIMIT)).toMatch(/\*\*b\*\*[^]*cannot be used[^]*nothing breaches/);
  expect(policyComment(edits, COMMIT, LIMIT)).toContain(
    'There is no comparison with the policy of the default branch: there is none.',
  );
  expect(policyStatus(edits)).toEqual({
    state: 'failure',
    description: 'The policy of b cannot be used; see the comment',
  });
});

test('a file that is taken away, one without windows, and one beside an unusable one are said as they are', () => {
  const untested = { kind: 'untested', reason: 'There is no ended window of a.' } as const;
  const gone = policyComment([{ model: 'a', proposed: undefined, current: tested() }], COMMIT, LIMIT);
  expect(gone).toContain('taken away');
  expect(policyComment([{ model: 'a', proposed: untested, current: undefined }], COMMIT, LIMIT)).toContain(
    'no ended window',
  );
  const beside = {
    model: 'a',
    proposed: tested(window('1', 'warning')),
    current: { kind: 'refused', reason: 'x' },
  } as const;
  expect(policyComment([beside], COMMIT, LIMIT)).toContain('that one cannot be tested');
});

test('of many windows the newest are shown and the others counted', () => {
  const windows = Array.from({ length: 50 }, (_, n) => window(`w${n}`, 'warning'));
  const text = policyComment([{ model: 'a', proposed: tested(...windows), current: undefined }], COMMIT, LIMIT);
  expect(text).toContain('| w49 |');
  expect(text).not.toContain('| w9 |');
  expect(text).toContain('10 earlier ones are not shown.');
});

test('many models have no tables, very many a line each with what cannot be used first, and none more characters than there are', () => {
  const windows = Array.from({ length: 40 }, (_, n) => window(`w${n}`, 'warning', { rules: ['a', 'b'] }));
  const refused = { kind: 'refused', reason: 'rules is nonsense.' } as const;
  const edits = (models: number) => [
    ...Array.from({ length: models }, (_, n) => ({ model: `m${n}`, proposed: tested(...windows), current: undefined })),
    { model: 'bad', proposed: refused, current: undefined },
  ];
  const [few, many, most] = [10, 100, 2000].map((models) => policyComment(edits(models), COMMIT, LIMIT));
  expect(few).toContain('| w39 |');
  expect(many).not.toContain('| w39 |');
  expect(many).toMatch(/\*\*m99\*\*[^]*rules is nonsense/);
  expect(most).toMatch(
    /said\n\n- \*\*bad\*\*: \*\*cannot be used\*\*\n- \*\*m0\*\*: 0 alerts over 40 stored windows, 0 retrainings\n/,
  );
  expect(most).toMatch(/\n- [\d,]+ more, for which there is no room\.\n\nTested as of/);
  for (const text of [few, many, most]) expect(text?.length).toBeLessThan(LIMIT);
});
