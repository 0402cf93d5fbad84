import { readFileSync } from 'node:fs';
import { FairwayError } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from './parse.ts';

const GOOD = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, labelDelay: P30D, coverageFloor: 0.8 }
minimum: { rows: 500, events: 100, rowsPerBin: 10 }
rules:
  - { id: auc-decay, metric: auc, compare: relative-decay, op: '>=', limit: 0.05, guard: { z: 1.96 }, severity: alert }
  - { id: input-psi, metric: psi, scope: each-input, op: '>=', limit: 0.1, guard: { noise: 0.95 }, periods: { n: 2, of: 3 }, severity: warning }
retrain: { on: alert, cooldown: PT12H }
notify: { on: [alert] }
`;

const tenOf = (value: string) => `[${Array.from({ length: 10 }, () => value).join()}]`;
const BOMB = `a: &a ${tenOf('1')}\nb: &b ${tenOf('*a')}\nc: &c ${tenOf('*b')}\nd: ${tenOf('*c')}\n`;

test('reads durations as milliseconds and fills in what may be left out', () => {
  const policy = parsePolicy(GOOD, 'm');
  expect(policy.period.labelDelay).toBe(30 * 86_400_000);
  expect(policy.retrain?.cooldown).toBe(12 * 3_600_000);
  expect(policy.rules.map(({ compare }) => compare)).toEqual(['relative-decay', 'value']);
});

test('reads limits for leaving, corrected guards, cutoff, snooze and channels', () => {
  const rich = GOOD.replace('limit: 0.1,', 'limit: 0.1, leave: { limit: 0.08, periods: { n: 2, of: 3 } },')
    .replace('{ noise: 0.95 }', '{ p: 0.01 }')
    .replace('PT12H', 'PT12H, snoozeUntil: 2026-12-01, maxOpen: 1')
    .replace('on: [alert] }', 'on: [alert], to: { alert: [teams, mail] } }')
    .replace('rules:', 'cutoff: 0.3\nrules:');
  const { rules, retrain, notify, cutoff } = parsePolicy(rich, 'm');
  expect(rules[1]).toMatchObject({
    leave: { limit: 0.08, periods: { n: 2, of: 3 } },
    guard: { p: 0.01, correct: 'benjamini-hochberg' },
  });
  expect([retrain?.snoozeUntil, notify.to, cutoff]).toEqual([
    '2026-12-01T00:00:00.000Z',
    { alert: ['teams', 'mail'] },
    0.3,
  ]);
});

test('the example policy is one', () => {
  const file = new URL('../../../../examples/home-equity/policy.yaml', import.meta.url);
  expect(parsePolicy(readFileSync(file, 'utf8'), 'home-equity').rules.length).toBeGreaterThan(3);
});

test.each([
  ['coverageFloor', 'coverageFlor', 'period has an unknown key coverageFlor'],
  ['kind: Policy', 'kind: Polisy', 'kind must be Policy.'],
  ['every: quarter', 'every: year', 'period.every must be one of hour, day, week, month, quarter.'],
  ['metric: psi', 'metric: psy', 'rules[1].metric must be one of auc,'],
  ['coverageFloor: 0.8', 'coverageFloor: 8', 'period.coverageFloor must be at most 1.'],
  ['rows: 500', 'rows: -1', 'minimum.rows must be at least 0.'],
  ['minimum: { rows: 500, events: 100, rowsPerBin: 10 }', '', 'minimum is missing'],
  ['PT12H', 'two weeks', 'retrain.cooldown must be a duration of days, hours or minutes such as P14D or PT12H.'],
  ['PT12H', 'P99999999D', 'retrain.cooldown must be at most P36500D.'],
  ['P30D', 'P9999999999999D', 'period.labelDelay must be at most P36500D.'],
  ['rows: 500', 'rows: 5.5', 'minimum.rows is missing or is no whole number.'],
  ['on: [alert]', 'on: [*alert]', 'The file is no YAML that can be used: Unresolved alias'],
  ['rules:', `${BOMB}rules:`, 'The file is no YAML that can be used: Excessive alias count'],
  ['scope: each-input, ', '', 'rules[1].scope is needed for psi'],
  ['metric: auc', 'metric: auc, scope: LOAN', 'rules[0].scope does not fit auc'],
  ['guard: { z: 1.96 }', 'guard: { noise: 0.95 }', 'rules[0].guard noise is not known for auc; use z.'],
  ['guard: { z: 1.96 }', 'guard: { p: 0.05 }', 'rules[0].guard p is not known for auc; use z.'],
  ['guard: { z: 1.96 }', 'guard: { q: 1 }', 'rules[0].guard must be {noise: 0.95}, {z: 1.96} or {p: 0.01,'],
  ['compare: relative-decay, ', '', 'rules[0].guard z compares with the baseline'],
  ['{ n: 2, of: 3 }', '{ n: 4, of: 3 }', 'rules[1].periods asks for more windows (n) than periods (of).'],
  ['id: input-psi', 'id: auc-decay', 'rules use the id auc-decay twice'],
  ['model: m', 'model: n', 'model is n, but the file lies in the folder of m.'],
  [
    'limit: 0.05',
    'limit: 1.05',
    'rules[0].limit is impossible: relative-decay of auc lies at 1 or below, so >= 1.05 never',
  ],
  ['limit: 0.05', 'limit: -0.05', 'rules[0].limit cannot be below 0: decay is positive when the model got worse.'],
  ["op: '>=', limit: 0.05", "op: '<', limit: 0.05", 'rules[0].op cannot be < for relative-decay: decay is positive'],
  [
    "compare: relative-decay, op: '>=', limit: 0.05, guard: { z: 1.96 }",
    "op: '<', limit: 1.2",
    'auc lies from 0 to 1, so < 1.2 always holds.',
  ],
  ['limit: 0.1', 'limit: -1', 'rules[1].limit is impossible: psi lies from 0 up, so >= -1 always holds.'],
  [
    'limit: 0.1',
    'limit: 0.1, leave: { limit: 0.2 }',
    'rules[1].leave must have a limit milder than 0.1, so at most that.',
  ],
  [
    'limit: 0.1',
    'limit: 0.1, leave: { limit: 0 }',
    'rules[1].leave has a limit that psi can never pass, so the rule would never end.',
  ],
  [
    'limit: 0.1',
    'limit: 0.1, leave: { limit: 0.08, periods: { n: 3, of: 2 } }',
    'rules[1].leave.periods asks for more',
  ],
  [
    'cooldown: PT12H',
    'cooldown: PT12H, snoozeUntil: 2026-02-30',
    'retrain.snoozeUntil must be a day such as 2026-12-01.',
  ],
  ['cooldown: PT12H', 'cooldown: PT12H, maxOpen: 2', 'retrain.maxOpen must be 1.'],
  ['on: [alert] }', 'on: [alert], to: { recovered: [mail] } }', 'notify.to names recovered, which notify.on lacks.'],
  ['rules:', 'cutoff: 1.5\nrules:', 'cutoff must be at most 1.'],
  ['rules:', 'cutoff: 0.12345\nrules:', 'cutoff must be a multiple of 0.0001.'],
  ['rules:', 'rules: [', 'The file is no YAML'],
])('says what is wrong: %s → %s', (from, to, sentence) => {
  try {
    parsePolicy(GOOD.replace(from, to), 'm');
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(FairwayError);
    expect((error as FairwayError).code).toBe('policy.invalid');
    expect((error as Error).message).toContain(sentence);
  }
});

test('reports every problem at once', () => {
  const broken = GOOD.replace('every: quarter', 'every: year').replace('rows: 500', 'rows: x');
  expect(() => parsePolicy(broken, 'm')).toThrow(/period\.every must be .* minimum\.rows is missing or is no number/);
});
