import { expect, it } from 'vitest';
import { parse, parseJson } from './input.ts';
import { changeRequest } from './requests.ts';

const read = (text: string | Uint8Array) =>
  parseJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'The approval');

const nested = (depth: number, inner: string) => `{"a":${'['.repeat(depth)}${inner}${']'.repeat(depth)}}`;

it('reads JSON', () => {
  expect(read(nested(60, '1'))).toEqual(JSON.parse(nested(60, '1')));
  expect(read('{"a":["\\u00e9","\\ud83d\\ude00","é😀"]}')).toEqual({ a: ['é', '😀', 'é😀'] });
});

it.each([
  ['no JSON', '{"a"', /^The approval is not usable: it is not JSON \(.+\)\.$/],
  ['nothing', '', /it is not JSON/],
  ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), /it is not UTF-8/],
  ['NUL in a text', '{"actor":"a\\u0000b"}', /^The approval is not usable: actor: must not hold NUL/],
  ['NUL in several, deep', '{"a":[{"b":"\\u0000"}],"c":"\\u0000"}', /a\.0\.b: must not hold .*; c: must not hold/],
  ['NUL in a name', '{"a\\u0000":1}', /"a\\u0000": must not hold/],
  ['half a surrogate pair', '{"a":"\\ud800"}', /a: must not hold .* surrogate/],
  ['lists in lists', nested(200_000, '1'), /^The approval is not usable: it must not be nested more than 64 deep\.$/],
  ['lists in lists around NUL', nested(200_000, '"\\u0000"'), /nested more than 64 deep/],
  ['NUL as a whole', '"\\u0000"', /^The approval is not usable: must not hold/],
])('refuses %s in a sentence', (_, text, sentence) => {
  expect(() => read(text)).toThrow(sentence);
});

const asked = { kind: 'rollback', model: 'm', environment: 'prod', dedupeKey: 'x', actor: 'a', reason: 'r' };

it.each<[string, unknown, string]>([
  ['nothing', {}, 'kind: must be one of retrain, rollback, retire.'],
  ['a list', [], 'must be an object.'],
  ['null', null, 'must be an object.'],
  ['a missing field', { ...asked, actor: undefined }, 'actor: is missing.'],
  ['a number for a text', { ...asked, model: 5 }, 'model: must be a text.'],
  ['an empty text', { ...asked, reason: '' }, 'usable: reason: must not be empty.'],
  ['a long text', { ...asked, reason: 'x'.repeat(501) }, 'reason: must have at most 500 characters.'],
  ['two lines', { ...asked, actor: 'a\nb' }, 'actor: must be one line without control characters.'],
  ['fields that nobody knows', { ...asked, colour: 1, taste: 2 }, 'there is no field "colour", "taste".'],
  ['a name with capitals', { ...asked, model: 'M' }, 'model: Model "M" is not usable: use 1 to 63 lower-case letters'],
])('says of a request with %s what to mend', (_, value, sentence) => {
  expect(() => parse(changeRequest, value, 'The request')).toThrow(sentence);
});

it('says the same of what lies deep in a request, and no more than ten things', () => {
  const value = {
    ...asked,
    kind: 'retrain',
    version: '1',
    verdict: { state: 'odd' },
    snapshot: { rows: -1 },
    windows: {},
  };
  const thrown = (() => {
    try {
      parse(changeRequest, value, 'The request');
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  })();
  expect(thrown).toContain('verdict.id: is missing; ');
  expect(thrown).toContain('verdict.state: must be one of healthy, warning, alert, insufficient; ');
  expect(thrown).not.toMatch(/expected|received|Invalid/);
  expect(thrown?.split('; ')).toHaveLength(10);
});
