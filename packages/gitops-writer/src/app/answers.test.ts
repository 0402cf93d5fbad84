import { expect, it } from 'vitest';
import { answerProblem, answerVia } from './answers.ts';

const rules = { origins: ['https://viya.example.com', 'http://localhost:8080'], schemes: [] };

it.each([
  ['https://viya.example.com/callback?ticket=1', undefined],
  ['HTTPS://VIYA.example.com:443/callback', undefined],
  ['http://localhost:8080', undefined],
  ['https://viya.example.com.evil.example/', 'https://viya.example.com.evil.example is not among the origins'],
  ['https://viya.example.com@evil.example/', 'must not hold a password'],
  ['http://viya.example.com/', 'http://viya.example.com is not among'],
  ['https://viya.example.com:8443/', 'is not among'],
  ['http://169.254.169.254/latest/meta-data', 'is not among'],
  ['https://user:hush@viya.example.com/', 'must not hold a password'],
  ['https://viya.example.com/#x', 'must not have a fragment'],
  ['https://', 'is not a URL'],
  ['file:///etc/passwd', 'must be an http or https URL'],
  ['process 42', 'must be an http or https URL'],
])('%s: %s', (answerTo, problem) => {
  const found = answerProblem(answerTo, rules);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(problem);
});

it('follows the scheme, and only to registries that are connected', () => {
  const sas = { ...rules, schemes: ['sas'] };
  expect(answerProblem('sas:process/42', sas)).toBeUndefined();
  expect(answerVia('sas:process/42', sas)).toBe('sas');
  expect(answerVia('SAS:process/42', sas)).toBe('sas');
  expect(answerVia('https://viya.example.com/', sas)).toBe('http');
  for (const [answerTo, known] of [
    ['mlflow:home-equity/3', sas],
    ['sas:process/42', rules],
    ['sasquatch:1', sas],
    ['process 42', sas],
  ] as const) {
    expect(answerVia(answerTo, known)).toBeUndefined();
    expect(answerProblem(answerTo, known)).toContain('must be an http or https URL');
  }
  expect(answerProblem('process 42', sas)).toContain('or begin with sas:');
  expect(answerVia(undefined, sas)).toBeUndefined();
});
