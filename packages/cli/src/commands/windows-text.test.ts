import type { StoredWindow } from '@fairway/monitor';
import { expect, test } from 'vitest';
import { windowsText } from './windows-text.ts';

const window: StoredWindow = {
  name: '2026-01',
  model: 'm',
  version: '1',
  environment: 'prod',
  start: '2026-01-01T00:00:00.000Z',
  end: '2026-02-01T00:00:00.000Z',
  rows: 900,
  labelled: 0,
  eventRate: null,
  auc: null,
  aucInterval: null,
  ks: null,
  gini: null,
  psi: { x: 0.01 },
  psiWithMissing: { x: 0.01 },
  missing: { x: 0 },
  psiNoise: { x: null },
  figures: {},
  inputs: {},
  findings: [],
  verdict: 'insufficient',
  verdictId: '8bbe959bbb83ded190cd',
  policy: 'b10b',
  judgedAt: '2026-02-01T01:00:00.000Z',
};

test('the newest judged window says which rules it could not answer, and why', () => {
  const reason = 'No row of the window is labelled.';
  const later = {
    ...window,
    name: '2026-02',
    unanswered: [{ rules: ['auc-floor'], lacks: 'labels', reason }] as const,
  };
  const lines = windowsText([window, later]).split('\n');
  expect(lines.slice(-2)).toEqual([
    '2026-02, version 1 in prod (verdict 8bbe959bbb83ded190cd):',
    '     auc-floor could not be evaluated. No row of the window is labelled.',
  ]);
});

test('windows of which there is nothing to say are lines of a table, no more', () => {
  expect(windowsText([window]).split('\n')).toHaveLength(2);
});
