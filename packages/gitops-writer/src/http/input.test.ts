import { expect, it } from 'vitest';
import { parseJson } from './input.ts';

const read = (text: string | Uint8Array) =>
  parseJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'The approval');

it('reads JSON', () => {
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
  ['NUL as a whole', '"\\u0000"', /^The approval is not usable: must not hold/],
])('refuses %s in a sentence', (_, text, sentence) => {
  expect(() => read(text)).toThrow(sentence);
});
