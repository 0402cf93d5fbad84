import { type GoldenCase, readExactJson, readGolden } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import { differences } from './compare.ts';

const golden = (outputs: string, more = ''): GoldenCase => {
  const [item] = readGolden(`{"inputs":{"X":[[1]]},"outputs":${outputs}${more}}`).cases;
  if (item === undefined) throw new Error('the case of the test is none');
  return item;
};
const answer = (text: string) => readExactJson(text);

describe('an answer by column', () => {
  it.each<[string, string, string, string]>([
    ['the same values', '{"P":[[0.5]],"C":["a"]}', '', '{"outputs":{"P":[[0.5]],"C":["a"],"Q":[1.0]}}'],
    ['the only output without its name', '{"P":[[0.5]]}', '', '{"outputs":[[0.5]]}'],
    ['a difference within the absolute tolerance', '{"P":[0]}', '', '{"outputs":[0.00001]}'],
    ['a difference within the relative tolerance', '{"P":[1000]}', '', '{"outputs":[1000.1]}'],
    ['a difference within its own tolerance', '{"P":[1]}', ',"tolerance":0.5', '{"outputs":[1.5]}'],
    ['integers beyond doubles', '{"N":[9007199254740993]}', '', '{"outputs":[9007199254740993]}'],
    ['non-finite values', '{"P":[NaN,-Infinity]}', '', '{"outputs":[NaN,-Infinity]}'],
    ['bytes in the other form', '{"B":["a",{"b64":"Yg=="}]}', '', '{"outputs":[{"b64":"YQ=="},"b"]}'],
    ['a scalar', '{"P":0.5}', '', '{"outputs":0.5}'],
    ['booleans', '{"B":[true,false]}', '', '{"outputs":[true,false]}'],
  ])('agrees: %s', (_, outputs, more, said) => expect(differences(golden(outputs, more), answer(said))).toEqual([]));

  it.each<[string, string, string, string]>([
    ['{"P":[0]}', '', '{"outputs":[0.000011]}', 'P[0] is 0.000011, wanted 0 ± 0.000010'],
    ['{"P":[[1000]]}', '', '{"outputs":[[1000.2]]}', 'P[0][0] is 1000.2, wanted 1000 ± 0.10'],
    ['{"P":[1]}', ',"tolerance":0', '{"outputs":[1.0000001]}', 'P[0] is 1.0000001, wanted 1'],
    ['{"N":[100000]}', '', '{"outputs":[100001]}', 'N[0] is 100001, wanted 100000'],
    [
      '{"N":[9007199254740993]}',
      '',
      '{"outputs":[9007199254740992]}',
      'N[0] is 9007199254740992, wanted 9007199254740993',
    ],
    ['{"P":[NaN]}', '', '{"outputs":[0.0]}', 'P[0] is 0.0, wanted NaN'],
    ['{"P":[0.5]}', '', '{"outputs":[NaN]}', 'P[0] is NaN, wanted 0.5'],
    ['{"P":[Infinity]}', '', '{"outputs":[-Infinity]}', 'P[0] is -Infinity, wanted Infinity'],
    ['{"C":["a"]}', '', '{"outputs":["b"]}', 'C[0] is "b", wanted "a"'],
    ['{"C":["NaN"]}', '', '{"outputs":[NaN]}', 'C[0] is NaN, wanted "NaN"'],
    ['{"P":[1,2]}', '', '{"outputs":[1.0]}', 'P has 1 values, wanted 2'],
    ['{"P":[1]}', '', '{"outputs":{"Q":[1.0],"R":[1.0]}}', 'the answer has no output P'],
    ['{"P":[1]}', '', '{"predictions":[1.0]}', 'the answer is {"predictions":[1.0]}'],
    ['{"P":[1]}', '', '[]', 'the answer is []'],
  ])('%s%s does not agree with %s', (outputs, more, said, reason) =>
    expect(differences(golden(outputs, more), answer(said))).toEqual([reason]),
  );

  it('names three places and counts the others', () => {
    const many = golden(`{"P":[${Array(9).fill(1).join(',')}]}`);
    const reasons = differences(many, answer(`{"outputs":[${Array(9).fill('2.0').join(',')}]}`));
    expect(reasons).toHaveLength(4);
    expect(reasons.at(-1)).toBe('and 6 more places of P');
  });
});

describe('an answer by row', () => {
  const rows = (outputs: string): GoldenCase => ({ ...golden(outputs), form: 'instances' });
  it.each<[string, string, string, string[]]>([
    ['several outputs', '{"P":[1,2]}', '{"predictions":[{"P":1.0,"C":"a"},{"P":2.0,"C":"b"}]}', []],
    ['the only one', '{"P":[[1],[2]]}', '{"predictions":[[1.0],[2.0]]}', []],
    ['the only one, as bytes', '{"B":["a"]}', '{"predictions":[{"b64":"YQ=="}]}', []],
    ['an output that is not there', '{"P":[1]}', '{"predictions":[{"Q":1.0,"C":"a"}]}', ['P[0] is null, wanted 1']],
    ['no list', '{"P":[1]}', '{"predictions":7}', ['the predictions are no list but 7']],
  ])('%s', (_, outputs, said, reasons) => expect(differences(rows(outputs), answer(said))).toEqual(reasons));
});
