import { expect, it } from 'vitest';
import { answerToOf, parseAnswerTo } from './answer-to.ts';

it.each(['home-equity', 'credit.home equity', "Ann's / model:1?#%", 'ümläut', '..'])('carries the name %s', (name) => {
  const text = answerToOf({ name, version: '12' });
  expect(text).toMatch(/^mlflow:[^/\s]+\/12$/);
  expect(parseAnswerTo(text)).toEqual({ name, version: '12' });
});

it.each([
  'https://example.com/1',
  'mlflow:a',
  'mlflow:/1',
  'mlflow:a/0',
  'mlflow:a/01',
  'mlflow:a/b/1',
  'mlflow:%zz/1',
  'mlflow:a b/1',
  'mlflow:%61/1',
])('takes %s for none', (text) => expect(parseAnswerTo(text)).toBeUndefined());
