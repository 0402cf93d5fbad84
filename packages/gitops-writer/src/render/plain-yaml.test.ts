import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { plainYaml } from './plain-yaml.ts';

const slow = (value: unknown) => stringify(value, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
const ODD = [
  '',
  '~',
  'null',
  'True',
  '-',
  '- a',
  'a: b',
  'a:b',
  'a:',
  'a #b',
  '#',
  '0x1F',
  '0o7',
  '1e3',
  '.5',
  '.inf',
  '---',
  '--- a',
  '...',
  'yes',
  'a"b',
  "a'b",
  '"',
  ' a',
  'a ',
  '<<',
  '=',
  '?',
  '? a',
  '100m',
  '1:30',
  '2026-11-22',
  'a\tb',
  'ä',
  '€ 1',
  '[a]',
  '{a}',
  'a,b',
  '*a',
  '&a',
  '!a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  'toString',
  '__proto__',
  'a\nb',
  'a\r',
  '\u0085',
  'NaN',
];
const text = fc.oneof(
  fc.constantFrom(...ODD),
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.stringMatching(/^[a-z/.:@-]{1,30}$/),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constantFrom(null, 0, -0, 1.5, 1e300)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, fc.option(tie('value'), { nil: undefined, freq: 9 }), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

it('writes the bytes that yaml writes, or leaves it to yaml', () => {
  let written = 0;
  fc.assert(
    fc.property(value, (one) => {
      const text = plainYaml(one);
      if (text === undefined) return;
      written += 1;
      expect(text).toBe(slow(one));
    }),
    { numRuns: 500 },
  );
  expect(written).toBeGreaterThan(100);
});

it.each(ODD)('writes %j as a value, an item and a key as yaml does', (odd) => {
  const one = { a: odd, b: [odd, { [odd]: odd }], [`${odd}x`]: { c: [] } };
  expect(plainYaml(one) ?? slow(one)).toBe(slow(one));
});

it.each([
  [new Date(0)],
  [new Map([['a', 1]])],
  [{ a: 1n }],
  [[undefined]],
  [{ a: { toJSON: () => 1 } }],
  [{ a: 'b\nc' }],
])('leaves %o to yaml', (one) => {
  expect(plainYaml(one)).toBeUndefined();
});
