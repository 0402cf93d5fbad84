import type { Baseline } from '@fairway/core';
import { expect, it } from 'vitest';
import { type Said, targetSaid } from './target.ts';

const NUMBER = { regression: { prediction: { name: 'P_PRICE' } } } as unknown as Baseline;
const CLASSES = { classification: { classes: ['oak', 'fir'], columns: [] } } as unknown as Baseline;
const COLUMNS = { classification: { classes: ['oak', 'fir'], columns: ['P_oak', 'P_fir'] } } as unknown as Baseline;
const BINARY = {} as Baseline;
const said = (of: Partial<Said>): Said => ({
  versionTags: {},
  properties: {},
  modelTags: {},
  baseline: BINARY,
  nominal: undefined,
  outputs: [{ name: 'a' }, { name: 'b' }],
  ...of,
});
const EVENT = { 'fairway.target': 'BAD', 'fairway.event': '1', 'fairway.probability': 'P_BAD1' };
const OUTCOME = { 'fairway.target': 'PRICE' };

it.each<[what: string, of: Partial<Said>, target: object]>([
  ['an event by tags', { versionTags: EVENT }, { variable: 'BAD', event: '1', probability: 'P_BAD1' }],
  [
    'the version before the files, the files before the model',
    {
      versionTags: { 'fairway.target': 'BAD' },
      properties: { targetVariable: 'X', targetEvent: 1, eventProbVar: 'P' },
      modelTags: EVENT,
      nominal: 'I_BAD',
    },
    { variable: 'BAD', event: '1', probability: 'P', classification: 'I_BAD' },
  ],
  [
    'a number, because the baseline was made of numbers',
    { modelTags: OUTCOME, baseline: NUMBER },
    { variable: 'PRICE', level: 'interval', event: '', probability: 'P_PRICE' },
  ],
  [
    'a number by its level, as SAS says it',
    {
      properties: { targetLevel: 'INTERVAL', targetVariable: 'PRICE', predictionVariable: 'P' },
      baseline: NUMBER,
    },
    { variable: 'PRICE', level: 'interval', event: '', probability: 'P' },
  ],
  [
    'a number in the only output, while the baseline is still missing',
    { versionTags: { ...OUTCOME, 'fairway.level': 'interval' }, baseline: undefined, outputs: [{ name: 'price' }] },
    { variable: 'PRICE', level: 'interval', event: '', probability: 'price' },
  ],
  [
    'several classes in the only output',
    { versionTags: { 'fairway.target': 'tree' }, baseline: CLASSES, outputs: [{ name: 'probabilities' }] },
    { variable: 'tree', event: '', probability: 'probabilities' },
  ],
  [
    'several classes, an output for each',
    {
      versionTags: { 'fairway.target': 'tree', 'fairway.level': 'nominal', 'fairway.classification': 'I_tree' },
      baseline: COLUMNS,
    },
    { variable: 'tree', event: '', probability: 'P_oak', classification: 'I_tree' },
  ],
  [
    'two classes that somebody calls nominal',
    { versionTags: { ...EVENT, 'fairway.level': 'nominal' } },
    { variable: 'BAD', event: '1', probability: 'P_BAD1' },
  ],
])('%s', (_what, of, target) => {
  expect(targetSaid(said(of))).toEqual({ target, problems: [] });
});

it.each<[what: string, of: Partial<Said>, problems: readonly RegExp[]]>([
  ['nothing said', {}, [/tag fairway\.target is missing/, /tag fairway\.event is/, /tag fairway\.probability is/]],
  [
    'a number in one of two outputs',
    { versionTags: { ...OUTCOME, 'fairway.level': 'interval' }, baseline: undefined },
    [/tag fairway\.prediction is missing: .* to the output with the number/],
  ],
  [
    'an event beside a baseline of numbers',
    { versionTags: { ...EVENT, 'fairway.level': 'binary' }, baseline: NUMBER },
    [/the target level is binary, but baseline\.json was made for a number/],
  ],
  [
    'a number beside a baseline of events',
    { versionTags: { ...OUTCOME, 'fairway.level': 'interval', 'fairway.prediction': 'p' } },
    [/the target level is interval, but baseline\.json was made for an event or classes/],
  ],
  [
    'a level that is none',
    { versionTags: { ...EVENT, 'fairway.level': 'ordinal' } },
    [/tag fairway\.level is ordinal: set it to binary, nominal or interval/],
  ],
])('says what is wrong: %s', (_what, of, problems) => {
  expect(targetSaid(said(of)).problems).toEqual(problems.map((one) => expect.stringMatching(one)));
});
