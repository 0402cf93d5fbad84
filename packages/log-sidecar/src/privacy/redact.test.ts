import { readExactJson } from '@fairway/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactJson, Unnamed } from './redact.ts';
import { readRules, type Rules } from './rules.ts';

const KEY = 'k'.repeat(32);

function rules(text: string): Rules {
  const read = readRules(text);
  if ('problem' in read) throw new Error(read.problem);
  return read.value;
}

const RULES = rules('ssn=drop,name=hash,zip=truncate:3');
const redact = (text: string, side: 'request' | 'response' = 'request') => redactJson(text, RULES, KEY, side);
const token = (text: string): string => JSON.parse(redactJson(`{"name":${text}}`, RULES, KEY, 'response')).name;
const ADA = token('"Ada"');

describe('every form that TensorFlow Serving takes', () => {
  test.each([
    ['rows', '{"instances":[{"ssn":"1","x":1.0},{"ssn":"2","x":2}]}', '{"instances":[{"x":1.0},{"x":2}]}'],
    ['columns', '{"inputs":{"ssn":["1","2"],"zip":["90210","10"]}}', '{"inputs":{"zip":["902","10"]}}'],
    [
      'examples and context',
      '{"context":{"zip":"90210"},"examples":[{"ssn":[1],"name":["Ada"]}]}',
      `{"context":{"zip":"902"},"examples":[{"name":["${ADA}"]}]}`,
    ],
    ['nested', '{"instances":[{"a":{"b":[{"ssn":{"c":1}}]}}]}', '{"instances":[{"a":{"b":[{}]}}]}'],
    [
      'below the name',
      '{"instances":[{"zip":[["90210"],{"a":"10115"}]}]}',
      '{"instances":[{"zip":[["902"],{"a":"101"}]}]}',
    ],
    ['outside the instances', '{"ssn":"1","instances":[{}]}', '{"instances":[{}]}'],
    ['bytes', '{"instances":[{"zip":{"b64":"OTAyMTA="}}]}', '{"instances":[{"zip":{"b64":"OTAy"}}]}'],
    ['bytes as hash', '{"instances":[{"name":{"b64":"QWRh"}}]}', `{"instances":[{"name":"${ADA}"}]}`],
    ['a number cut', '{"instances":[{"zip":90210}]}', '{"instances":[{"zip":"902"}]}'],
    ['a truth hashed', '{"instances":[{"name":true}]}', `{"instances":[{"name":"${token('"true"')}"}]}`],
    ['missing', '{"instances":[{"name":NaN,"zip":null},{}]}', '{"instances":[{"name":NaN,"zip":null},{}]}'],
    [
      'numbers elsewhere as written',
      '{"instances":[{"i":9007199254740993,"f":1.0,"e":1e400,"n":-Infinity,"z":-0,"nan":NaN}]}',
      '{"instances":[{"i":9007199254740993,"f":1.0,"e":1e400,"n":-Infinity,"z":-0,"nan":NaN}]}',
    ],
    ['an escaped name', String.raw`{"instances":[{"s\u0073n":"1"}]}`, '{"instances":[{}]}'],
    [
      'the same name twice',
      '{"instances":[{"zip":"90210","zip":"10115"}]}',
      '{"instances":[{"zip":"902","zip":"101"}]}',
    ],
    [
      'as printed',
      '{ "instances" : [\n {"ssn" : "1" , "x" : 1 , "ssn":2} , { "x" : 2,"ssn":3 } ] }\n',
      '{ "instances" : [\n {  "x" : 1 } , { "x" : 2 } ] }\n',
    ],
    ['nothing left', '{"instances":[{"ssn":1,"ssn":2}, {"ssn":1}]}', '{"instances":[{}, {}]}'],
    [
      'first and last',
      '{"instances":[{"ssn":1,"ssn":2,"a":1,"ssn":3,"ssn":4,"b":[],"ssn":5}]}',
      '{"instances":[{"a":1,"b":[]}]}',
    ],
    ['no character halved', '{"instances":[{"zip":"😀😀😀😀"}]}', '{"instances":[{"zip":"😀😀😀"}]}'],
    ['another spelling is another variable', '{"instances":[{"SSN":"1"}]}', '{"instances":[{"SSN":"1"}]}'],
  ])('%s', (_, body, expected) => expect(redact(body)).toBe(expected));

  test('answers: by name, and values without one stay', () => {
    expect(redact('{"predictions":[{"name":"Ada","p":0.5}]}', 'response')).toBe(
      `{"predictions":[{"name":"${ADA}","p":0.5}]}`,
    );
    expect(redact('{"predictions":[[0.25,0.75]]}', 'response')).toBe('{"predictions":[[0.25,0.75]]}');
  });
});

test.each([
  '{"instances":["1"]}',
  '{"inputs":["1"]}',
  '{"inputs":"1"}',
  '{"instances":[{"b64":"MQ=="}]}',
  '{"instances":[{"x":1},[2]]}',
])('%s: values without names are refused', (body) => expect(() => redact(body)).toThrow(Unnamed));

test.each([
  '',
  'x',
  '[]',
  '1',
  '{"a":1',
  '{"a":1}x',
  '{"a":"\\x"}',
  '{"a":"',
  `{"a":${'['.repeat(40)}${']'.repeat(40)}}`,
])('%j is refused', (body) => expect(() => redact(body)).toThrow(SyntaxError));

test('strings without an end are refused in linear time', () => {
  for (const tail of ['', '\\\n"}']) {
    // Quadratic, this would take minutes.
    expect(() => redact(`{"a":"${String.raw`\"`.repeat(500_000)}${tail}`)).toThrow(SyntaxError);
  }
});

test('one value has one token, whatever its form; another key makes another', () => {
  expect(ADA).toMatch(/^[\w-]{22}$/);
  expect([token('1'), token('1.0'), token('1e0'), token('"1"')]).toEqual(Array(4).fill(token('1')));
  expect(token('9007199254740993')).not.toBe(token('9007199254740992'));
  expect(redactJson('{"name":"Ada"}', RULES, 'x'.repeat(32), 'response')).not.toContain(ADA);
});

/** JSON with a secret under protected names, at any depth and in any form. */
const secret = 'S3CRET';
const { body } = fc.letrec<{ body: unknown; value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, 1, 0.5, true, 'open', 'ö😀\u0000'),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('body'),
  ),
  body: fc
    .tuple(
      fc.dictionary(fc.constantFrom('a', 'b', 'inputs', '__proto__'), tie('value'), { maxKeys: 3 }),
      fc.dictionary(fc.constantFrom('ssn', 'name'), fc.constantFrom(secret, [secret], [[{ x: secret }]], 'S3CRET2'), {
        maxKeys: 2,
      }),
    )
    .map(([open, hidden]) => ({ ...open, ...hidden })),
}));

test('no text of a redacted value is left, and the rest is as it was', () => {
  fc.assert(
    fc.property(body, (value) => {
      const text = JSON.stringify({ instances: [value] });
      const left = redact(text);
      expect(left).not.toContain(secret);
      const plain = (json: string) =>
        JSON.stringify(JSON.parse(json, (key, item) => (key === 'ssn' || key === 'name' ? undefined : item)));
      expect(plain(left)).toBe(plain(text));
      expect(() => readExactJson(left)).not.toThrow();
    }),
    { numRuns: 300 },
  );
});
