import type { Verdict } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { Judgement } from '../ports.ts';
import { announcements, type CardPayload } from './announce.ts';

const text = (limit: number, notify = 'alert, recovered') => `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 1, events: 1, rowsPerBin: 1 }
rules: [{ id: a, metric: auc, op: '<', limit: ${limit}, severity: alert }]
retrain: { on: alert, cooldown: P1D }
notify: { on: [${notify}] }
`;
const policy = parsePolicy(text(0.7), 'm');
const judgement = (state: Judgement['state'], counts = 'c'): Judgement => ({
  id: `v-${counts}`,
  window: {
    model: 'm',
    version: '1',
    environment: 'prod',
    period: '2025Q1',
    start: '2025-01-01T00:00:00.000Z',
    end: '2025-04-01T00:00:00.000Z',
  },
  state,
  metrics: {
    predictions: 10,
    labelled: 9,
    events: 3,
    auc: 0.6,
    aucInterval: [0.5, 0.7],
    ks: 0.2,
    gini: 0.2,
    meanScore: 0.1,
    eventRate: 0.3,
    brier: 0.1,
    psi: { x: 0.2, y: null },
    psiWithMissing: {},
    missing: {},
    scorePsi: null,
  },
  findings: [],
  policy: 'b10b',
  counts,
});
const before = { ...judgement('alert'), judgedAt: '' } as Verdict;
const announcer = { channels: ['teams'], dashboardUrl: 'http://dash/' };
const kinds = (...given: Parameters<typeof announcements>) =>
  announcements(...given).map(({ kind, event }) => `${kind} ${event}`);

test('who hears what', () => {
  expect(kinds(judgement('alert'), policy, undefined, announcer)).toEqual(['card alert', 'retrain retrain']);
  expect(kinds(judgement('healthy'), policy, before, announcer)).toEqual(['card recovered']);
  expect(kinds(judgement('healthy'), policy, undefined, announcer)).toEqual([]);
  const all = parsePolicy(text(0.7, 'alert, recovered, healthy'), 'm');
  expect(kinds(judgement('healthy'), all, before, announcer)).toEqual(['card recovered']);
  expect(kinds(judgement('healthy'), all, undefined, announcer)).toEqual(['card healthy']);
  expect(kinds(judgement('warning'), policy, before, announcer)).toEqual([]);
  expect(kinds(judgement('warning'), parsePolicy(text(0.7, 'warning'), 'm'), before, announcer)).toEqual([
    'card warning',
  ]);
  expect(kinds(judgement('insufficient'), policy, before, announcer)).toEqual([]);
  expect(kinds(judgement('alert'), policy, undefined, { ...announcer, channels: [] })).toEqual(['retrain retrain']);
});

test('keys follow from model, version, environment, alert rules and period, not from the counts', () => {
  const keys = (...given: Parameters<typeof announcements>) =>
    announcements(...given).map(({ deliveryId }) => deliveryId);
  const first = keys(judgement('alert', 'c1'), policy, undefined, announcer);
  expect(keys(judgement('alert', 'c2'), policy, before, announcer)).toEqual(first);
  expect(keys(judgement('alert', 'c1'), parsePolicy(text(0.6), 'm'), undefined, announcer)).not.toEqual(first);
  expect(first[1]).toMatch(/^m:1:prod:2025Q1:[0-9a-f]{12}$/);
  const segments = (severity: string) =>
    `segments: [{ id: s, metric: auc, limit: 0.1, minimum: { rows: 1, events: 2 }, guard: { p: 0.01 }, severity: ${severity} }]\n`;
  const withSegments = (severity: string) =>
    keys(judgement('alert'), parsePolicy(text(0.7) + segments(severity), 'm'), undefined, announcer);
  expect(withSegments('warning')).toEqual(first);
  expect(withSegments('alert')).not.toEqual(first);
});

test('a policy may name the channels of an event', () => {
  const named = parsePolicy(text(0.7).replace('notify: { on', 'notify: { to: { alert: [mail] }, on'), 'm');
  expect(announcements(judgement('alert'), named, undefined, announcer)[0]?.payload).toMatchObject({ to: ['mail'] });
  expect(announcements(judgement('healthy'), named, before, announcer)[0]?.payload).not.toHaveProperty('to');
});

test('the card links to the model and names the worst input', () => {
  const [card] = announcements(judgement('alert'), policy, undefined, announcer);
  const shown = JSON.stringify(card?.payload);
  expect(shown).toContain('http://dash/models/m');
  expect(shown).toContain('0.200 (x)');
  expect(shown).toContain('2025-01-01 to 2025-04-01 UTC');
});

test('a card tells the figure that models of its kind are judged by', () => {
  const factsOf = (metrics: Partial<Judgement['metrics']>) => {
    const one = judgement('alert');
    const given = { ...one, metrics: { ...one.metrics, auc: null, aucInterval: null, ks: null, ...metrics } };
    const [card] = announcements(given, policy, undefined, announcer);
    return (card?.payload as CardPayload | undefined)?.content.facts;
  };
  const nothing = { rmse: null, rSquared: null, predictionPsi: null, predictionDrift: null };
  expect(factsOf({ regression: { ...nothing, mae: 12.5 } })).toContainEqual({
    title: 'Mean absolute error',
    value: '12.500',
  });
  const classification = {
    accuracy: 0.75,
    balancedAccuracy: null,
    macroF1: null,
    kappa: null,
    logLoss: null,
    classPsi: null,
    recall: {},
  } as NonNullable<Judgement['metrics']['classification']>;
  expect(factsOf({ classification })).toContainEqual({ title: 'Accuracy', value: '0.750' });
});
