import type { ExchangeHead, ModelVersion } from '@fairway/core';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PREDICT_HEAD } from './predict-head.ts';
import { learningForms } from './split-forms.ts';
import { splitExchange } from './split.ts';

const exchange = (request: string, response: string, head: Partial<ExchangeHead> = {}) => ({
  head: { ...PREDICT_HEAD, ...head },
  request: Buffer.from(request),
  response: Buffer.from(response),
});
const SIGNATURE = {
  signature: { name: 'serving_default', inputs: [{ name: 'a' }], outputs: [{ name: 'p' }] },
  target: { variable: 'BAD', event: '1', probability: 'p' },
} as unknown as ModelVersion;

type Bodies = readonly [request: string, response: string];

/** How many of the second ones were taken by a form that the first ones taught; all of them are split as without forms. */
function taken(first: Bodies, others: readonly Bodies[], known?: ModelVersion): number {
  const forms = learningForms();
  splitExchange(exchange(...first), known, forms);
  let count = 0;
  for (const bodies of others) {
    const one = exchange(...bodies);
    if (forms.read(one, known) !== undefined) count += 1;
    expect(splitExchange(one, known, forms)).toEqual(splitExchange(one, known));
  }
  return count;
}

const one = (cells: string, answer = '{"p": [0.5]}'): Bodies => [
  `{"instances": [{${cells}}]}`,
  `{"predictions": [${answer}]}`,
];
const row = (a: string, b: string): Bodies => one(`"a": [${a}], "b": ${b}`);

test.each<[what: string, a: string, b: string]>([
  ['numbers', '12', '-0.25'],
  ['other kinds', 'null', 'true'],
  ['spellings', '1.50', '1e3'],
  ['minus zero', '-0', '-0.0'],
  ['small ones', '0.000001', '0.0000001'],
  ['many digits', '0.12345678901234567', '123456789012345.6'],
  ['the largest whole ones', '9007199254740991', '-9007199254740991'],
  ['texts', '"NaN"', '""'],
  ['signs', '"{[]},:"', '" $1 $& "'],
])('bodies of a known form: %s', (_, a, b) => {
  expect(taken(row('1', '2'), [row(a, b)])).toBe(1);
});

test.each<[what: string, a: string, b: string]>([
  ['bare words', 'NaN', '-Infinity'],
  ['int64', '9007199254740993', '1'],
  ['a double beyond 2^53', '1e20', '1'],
  ['an overflow', '1e400', '1'],
  ['an escape', '"\\u0000"', '1'],
  ['a raw control sign', '"\t"', '1'],
  ['more than ASCII', '"ä"', '1'],
  ['another shape', '1, 2', '1'],
  ['bytes', '{"b64": "eHk="}', '1'],
  ['a text that ends the form early', '"x"], "b": 1}]}', '1'],
])('bodies of no known form are read: %s', (_, a, b) => {
  expect(taken(row('1', '2'), [row(a, b)])).toBe(0);
});

test.each<[what: string, first: Bodies]>([
  ['bytes', one('"a": {"b64": "eHk="}')],
  ['bytes under an escaped name', one('"a": {"b\\u00364": "eHk="}')],
  ['a tensor', one('"a": [1, 2]')],
  ['an object', one('"a": {"x": 1}')],
  ['a name that is none', one('"__proto__": 1')],
  ['a text like our marks', one('"a": "@~1~"')],
  ['lengths that differ', ['{"instances": [1, 2]}', '{"predictions": [1]}']],
])('nothing is learnt from %s', (_, first) => {
  expect(taken(first, [first])).toBe(0);
});

test.each<[what: string, first: Bodies, known?: ModelVersion]>([
  ['very many values', one(Array.from({ length: 1000 }, (_, index) => `"x${index}": ${index}`).join())],
  ['bare scalars', ['{"instances": [1, 2]}', '{"predictions": [0.1, 0.2]}'], SIGNATURE],
  ['columns', ['{"inputs": {"a": [1, 2]}}', '{"outputs": [0.1, 0.2]}'], SIGNATURE],
  ['the first of equal names', one('"a": 1, "a": 2')],
  ['names in an order of their own', one('"2": 1, "$x": 2, "1": 3, "ü": 4')],
  ['a signature', ['{"signature_name": "x", "instances": [1]}', '{"predictions": [1]}'], SIGNATURE],
  ['a byte-order mark, and bytes after the root', ['\uFEFF{"instances": [1]} 3', '{"predictions": [1]}\n']],
])('a form is learnt from %s', (_, first, known) => {
  expect(taken(first, [first, ['{"instances": [7]}', '{"predictions": [7]}']], known)).toBe(1);
});

test('the signature that a call is for belongs to its form', () => {
  const call = (name: string): Bodies => [`{"signature_name": "${name}", "instances": [1]}`, '{"predictions": [1]}'];
  expect(taken(call('serving_default'), [call('other'), call('serving_default')], SIGNATURE)).toBe(1);
});

test('a form is of its route and its version', () => {
  const forms = learningForms();
  const bodies = row('1', '2');
  splitExchange(exchange(...bodies), undefined, forms);
  expect(forms.read(exchange(...bodies), undefined)).toBeDefined();
  expect(forms.read(exchange(...bodies), SIGNATURE)).toBeUndefined();
  expect(forms.read(exchange(...bodies, { target: '/v1/models/m:classify' }), undefined)).toBeUndefined();
  expect(forms.read(exchange(...bodies, { requestEncoding: 'gzip' }), undefined)).toBeUndefined();
  expect(forms.read(exchange(...bodies, { protocol: 'grpc' }), undefined)).toBeUndefined();
});

/** Values of all kinds, and what is none. */
const token = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
  fc.tuple(fc.integer(), fc.nat(9999)).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }).map(String),
  fc.string().map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    'null',
    'true',
    'NaN',
    'Inf',
    '-0',
    '1E5',
    '1e-7',
    '01',
    '1.',
    '.5',
    '-',
    '',
    '[1]',
    '[1,2]',
    '{}',
    '"',
    '\\',
  ),
);
const name = fc.oneof(fc.constantFrom('a', '$', '1', 'b64', 'ü', '\\u0061', '__proto__', 'a.*'), fc.constant('b'));
const gap = fc.constantFrom('', ' ', '\n  ');

test('whatever comes is split as it is without forms', () => {
  let count = 0;
  const shape = fc.array(fc.tuple(name, fc.constantFrom('', '[', '[['), gap), { maxLength: 4 });
  const values = fc.array(token, { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(
      shape,
      fc.boolean(),
      gap,
      fc.array(values, { minLength: 2, maxLength: 4 }),
      (members, columns, space, all) => {
        const bodies = all.map((cells): Bodies => {
          const side = (from: number) =>
            members
              .map(([key, open, after], at) => `"${key}":${after}${open}${cells[from + at]}${']'.repeat(open.length)}`)
              .join(`,${space}`);
          const [asked, answered] = [side(0), side(4)];
          return columns
            ? [`{"inputs":${space}{${asked}}}`, `{"outputs":{${answered}}}`]
            : [`{"instances":${space}[{${asked}}]}`, `{"predictions":[{${answered}}]}`];
        });
        count += taken(bodies[0] as Bodies, bodies.slice(1));
      },
    ),
    { numRuns: 100, seed: 23 },
  );
  expect(count).toBeGreaterThan(10);
});

test('two versions behind one target keep their forms in turns', () => {
  const forms = learningForms();
  const call = (version: string) => exchange(...row('1', '2'), { version });
  for (const version of ['1', '2']) splitExchange(call(version), undefined, forms);
  for (const version of ['1', '2', '1']) expect(forms.read(call(version), undefined)).toHaveLength(1);
  expect(forms.read(call('3'), undefined)).toBeUndefined();
});

test('a caller whose bodies all look different stops teaching', () => {
  const forms = learningForms();
  const looks = Array.from({ length: 40 }, (_, index) => exchange(...one(`"a${index}": [1]`)));
  for (const look of looks) splitExchange(look, undefined, forms);
  expect(looks.filter((look) => forms.read(look, undefined) !== undefined)).toHaveLength(4);
});
