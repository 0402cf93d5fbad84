import type { StoredBacktest } from '@fairway/monitor';
import { expect, test } from 'vitest';
import { backtestText } from './policy-text.ts';

test('shows each window with what changes, then problems and sentences', () => {
  const window = { model: 'm', version: '1', environment: 'prod', start: '', end: '', rows: 900 };
  const finding = {
    metric: 'psi',
    value: 1,
    limit: 0.1,
    op: '>=',
    sample: 900,
    severity: 'alert',
    message: '',
  } as const;
  const found = [
    { ...finding, rule: 'psi', variable: 'x' },
    { ...finding, rule: 'psi', variable: 'y' },
  ];
  const answer: StoredBacktest = {
    model: 'm',
    every: 'month',
    windows: [
      { ...window, period: '2025-01', state: 'healthy', before: 'healthy', retrain: null, findings: [] },
      { ...window, period: '2025-02', state: 'alert', before: 'warning', retrain: 'opened', findings: found },
    ],
    counts: { healthy: 1, warning: 0, alert: 1, insufficient: 0 },
    changed: 1,
    pullRequests: 1,
    problems: ['rules[3].scope is z, which m version 2 lacks.'],
    since: null,
    chance: null,
    summary: 'The sentences.',
  };
  expect(
    backtestText(answer)
      .split('\n')
      .map((line) => line.trim().split(/\s{2,}/)),
  ).toEqual([
    ['2025-01', 'v1', 'prod', '900 rows', 'healthy'],
    ['2025-02', 'v1', 'prod', '900 rows', 'warning → alert', 'pull request', 'psi'],
    ['rules[3].scope is z, which m version 2 lacks.'],
    ['The sentences.'],
  ]);
});
