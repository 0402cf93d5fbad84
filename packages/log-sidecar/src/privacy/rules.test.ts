import { readEnv } from '@fairway/core';
import { expect, test } from 'vitest';
import { ENVIRONMENT, hashKey } from '../config.ts';
import { readRules } from './rules.ts';

const drop = { kind: 'drop' };
const hash = { kind: 'hash' };

test.each([
  [undefined, []],
  ['ssn=drop', [['ssn', drop]]],
  [
    ' ssn = drop , name=hash',
    [
      ['ssn', drop],
      ['name', hash],
    ],
  ],
  ['zip=truncate:3', [['zip', { kind: 'truncate', characters: 3 }]]],
  ['a=b=hash', [['a=b', hash]]],
  [
    '{"a,b":"drop","__proto__":"hash"}',
    [
      ['a,b', drop],
      ['__proto__', hash],
    ],
  ],
])('%s', (raw, expected) => {
  const read = readRules(raw);
  expect('value' in read && [...read.value]).toEqual(expected);
});

test.each([
  'ssn',
  'ssn=',
  '=drop',
  'ssn=DROP',
  'ssn=truncate:0',
  'ssn=truncate:x',
  'a=drop,',
  'a=drop,a=hash',
  '{',
  '{"a":1}',
])('%s is refused', (raw) => expect(readRules(raw)).toHaveProperty('problem'));

const NEEDED = {
  SPOOL_DIR: '/s',
  QUEUE_URL: 'redis://q',
  FAIRWAY_MODEL: 'm',
  FAIRWAY_ENVIRONMENT: 'e',
  AGENT_NAME: 'a',
};
const read = (env: NodeJS.ProcessEnv) => readEnv({ ...NEEDED, ...env }, ENVIRONMENT);

test('without settings everything is recorded as it is', () => {
  const env = read({});
  expect(env).toMatchObject({ CAPTURE_SAMPLING: 1, CAPTURE_BODY_BYTES: 1_048_576, CAPTURE_REDACT: new Map() });
  expect(hashKey(env)).toBe('');
});

test.each(['-0.1', '1.1', 'x', '.5', '1e-3', 'NaN', '5%'])('a probability of %s is refused', (raw) => {
  expect(() => read({ CAPTURE_SAMPLING: raw })).toThrow(/CAPTURE_SAMPLING must be a number from 0 to 1/);
});

test('mistakes are told together, and never with the key', () => {
  const mistakes = { CAPTURE_REDACT: 'ssn', CAPTURE_HASH_KEY: 'short-secret', CAPTURE_BODY_BYTES: '1' };
  expect(() => read(mistakes)).toThrow(
    /CAPTURE_REDACT must be a list[^]*CAPTURE_HASH_KEY must have 32[^]*CAPTURE_BODY_BYTES must be a whole number/,
  );
  expect(() => read(mistakes)).not.toThrow(/short-secret/);
});

test('a hash needs a key', () => {
  expect(() => hashKey(read({ CAPTURE_REDACT: 'ssn=hash' }))).toThrow(/set CAPTURE_HASH_KEY/);
  const key = 'k'.repeat(32);
  expect(hashKey(read({ CAPTURE_REDACT: 'ssn=hash', CAPTURE_HASH_KEY: key }))).toBe(key);
  expect(hashKey(read({ CAPTURE_REDACT: 'ssn=drop' }))).toBe('');
});
