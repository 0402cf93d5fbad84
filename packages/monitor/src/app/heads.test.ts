import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { headReader } from './heads.ts';
import { PREDICT_HEAD } from './predict-head.ts';
import { placeOf } from './viewed.ts';

const text = JSON.stringify(PREDICT_HEAD);
/** The head at the end of some that came before it. */
const after = (...texts: readonly string[]) => {
  const read = headReader();
  return texts.map((each) => read(placeOf(Buffer.from(each)))).at(-1);
};

test.each<[what: string, first: string, second: string]>([
  ['the same', text, text],
  ['other values', text, text.replace('"id":"x"', '"id":"y"').replace('"latencyMs":2', '"latencyMs":-0.25e1')],
  ['another kind', text, text.replace('"latencyMs":2', '"latencyMs":"fast"')],
  ['an escape', text, text.replace('"id":"x"', '"id":"\\u0079"')],
  ['more than ASCII', text, text.replace('"id":"x"', '"id":"ü"')],
  ['a model of more than ASCII', text.replace('"m"', '"ü"'), text.replace('"m"', '"ü"').replace('"x"', '"y"')],
  ['a look with an exponent', text.replace('"seq":1', '"seq":1e5'), text.replace('"seq":1', '"seq":2e5')],
  ['a name twice', text.replace('{', '{"id":"a",'), text.replace('{', '{"id":"b",').replace('"id":"x"', '"id":"z"')],
  [
    'a name twice, in other letters',
    text.replace('}', ',"i\\u0064":"q"}'),
    text.replace('}', ',"i\\u0064":"q"}').replace('"x"', '"z"'),
  ],
  [
    'a name inside',
    text.replace('}', ',"redacted":{"variables":[],"id":"a"}}'),
    text.replace('}', ',"redacted":{"variables":[],"id":"b"}}'),
  ],
  ['what was redacted', text.replace('}', ',"redacted":{"variables":["a"]}}'), text],
  ['a head too long for a pattern', text.replace('}', `,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), text],
  ['a value beyond doubles', text, text.replace('"seq":1', '"seq":1e999')],
])('a head is what the parser makes of it, whatever came before: %s', (_, first, second) => {
  expect(after(first, second)).toStrictEqual(JSON.parse(second));
});

test('a head that is none says why, and the next one is read', () => {
  expect(after(text, text.replace('"id":"x"', '"id":7'))).toBe('the head lacks id, model or version');
  expect(after(text, `${text}x`)).toMatch(/^the head is no JSON: /);
  expect(after(text, '{', text)).toStrictEqual(PREDICT_HEAD);
});

test('any values and any order', () => {
  const value = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, {}),
  );
  const changes = fc.dictionary(
    fc.constantFrom('id', 'seq', 'time', 'latencyMs', 'correlationId', 'requestLength', 'model', 'other'),
    value,
  );
  fc.assert(
    fc.property(fc.array(changes, { minLength: 2, maxLength: 5 }), (all) => {
      const texts = all.map((each) => JSON.stringify({ ...PREDICT_HEAD, ...each }));
      const found = after(...texts);
      if (typeof found === 'string') expect(found).toBe('the head lacks id, model or version');
      else expect(found).toStrictEqual(JSON.parse(texts.at(-1) as string));
    }),
    { numRuns: 300, seed: 24 },
  );
});
