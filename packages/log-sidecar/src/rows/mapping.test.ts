import type { DType, ModelVersion } from '@fairway/core';
import { expect, test } from 'vitest';
import { checkColumns, type Mapping, readScored } from './mapping.ts';

const version = (event = '1', dtype: DType = 'DT_FLOAT'): ModelVersion => ({
  model: 'loans',
  version: '1',
  digest: 'sha256:0',
  signature: {
    name: 'serving_default',
    method: 'tensorflow/serving/predict',
    inputs: [
      { name: 'income', dtype, shape: [-1, 1] },
      { name: 'job', dtype: 'DT_STRING', shape: [-1] },
    ],
    outputs: [{ name: 'p', dtype: 'DT_FLOAT', shape: [-1, 1] }],
  },
  variables: [],
  target: { variable: 'bad', event, probability: 'p' },
  metrics: {},
  origin: 'test',
});

const mapping = (modelVersion = version()): Mapping => ({
  modelVersion,
  environment: 'prod',
  time: { column: 'day' },
  score: 'score',
  label: 'bad',
});
const ROW = { income: '12.50', job: 'Sales', day: '2025-03-01', score: '.25', bad: '1' };

test('a row becomes instance and prediction in the dialect of TensorFlow Serving', () => {
  const instance = '{"income": [12.5], "job": "Sales"}';
  const time = Date.UTC(2025, 2, 1);
  expect(readScored(ROW, mapping())).toEqual({ instance, prediction: '[0.25]', time, label: 1 });
  expect(readScored({ ...ROW, income: 12.5, score: 0.25 }, mapping())).toMatchObject({ instance });
});

test.each(['', ' ', '.', 'NA', 'NaN', null, undefined])('%j is missing, as the model would have got it', (cell) => {
  expect(readScored({ ...ROW, income: cell, job: cell, bad: cell }, mapping())).toMatchObject({
    instance: '{"income": [NaN], "job": ""}',
    label: undefined,
  });
});

test('whole numbers keep all their digits', () => {
  const whole = mapping(version('1', 'DT_INT64'));
  const income = (cell: unknown) => readScored({ ...ROW, income: cell }, whole);
  expect(income('9007199254740993')).toMatchObject({ instance: '{"income": [9007199254740993], "job": "Sales"}' });
  expect(income('3.0')).toMatchObject({ instance: '{"income": [3], "job": "Sales"}' });
  expect(income(2 ** 53)).toBe('column income holds no whole number');
});

test.each([
  [{ score: '1.5' }, 'column score holds no probability from 0 to 1'],
  [{ score: '' }, 'column score holds no probability from 0 to 1'],
  [{ day: 'Secret' }, /^column day holds no time: it takes a date/],
  [{ income: '1,5' }, 'column income holds no number (with a decimal point)'],
  [{ job: ['a'] }, 'column job holds no single value'],
])('%j costs its row, with a reason that quotes nothing', (cells, reason) => {
  const found = readScored({ ...ROW, ...cells }, mapping());
  if (typeof reason === 'string') expect(found).toBe(reason);
  else expect(found).toMatch(reason);
});

test.each([
  ['1', '1', 1],
  ['1', '0.0', 0],
  ['0', '0', 1],
  ['0', '1', 0],
  ['default', 'default', 1],
  ['default', '1', 1],
  ['default', '0', 0],
])('with the event %s the outcome %s is the label %s', (event, bad, label) => {
  expect(readScored({ ...ROW, bad }, mapping(version(event)))).toMatchObject({ label });
});

test('a label that is none costs the label, not the row', () => {
  const found = readScored({ ...ROW, bad: 'maybe' }, mapping());
  expect(found).toMatchObject({
    label: undefined,
    labelProblem: 'column bad holds neither 0 nor 1, nor the event of the model',
  });
});

test('columns are checked by name: what is missing is named, what is not used is told', () => {
  const columns = ['income', 'job', 'day', 'score', 'bad'];
  expect(checkColumns('f.csv', [...columns, 'branch'], mapping())).toEqual(['branch']);
  expect(() => checkColumns('f.csv', ['income', 'day', 'score', 'bad'], mapping())).toThrow(
    /f\.csv lacks inputs of loans version 1: job; .*there are "income", "day"/,
  );
  expect(() => checkColumns('f.csv', columns, { ...mapping(), score: 'p' })).toThrow(
    /f\.csv has no column "p" \(--score\): there are "income", "job"/,
  );
});
