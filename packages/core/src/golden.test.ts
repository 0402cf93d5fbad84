import { describe, expect, it } from 'vitest';
import { readExactJson, writeExactJson } from './exact-json.ts';
import { GOLDEN_MOST_BYTES, readGolden } from './golden.ts';

describe('exact JSON', () => {
  it.each([
    '{"a":[1,1.0,-0.0,1e5,9007199254740993,NaN,-Infinity],"b":{"b64":"AA=="},"":null}',
    '["NaN","n1","s","\\u0000\\"","\\\\",true,false,{"__proto__":"x"}]',
    '"1"',
    '7',
  ])('%s comes out as it went in', (text) => expect(writeExactJson(readExactJson(text))).toBe(text));

  it.each(['', '{', '01', '1.', 'NaNNaN', '1 2', "'a'", '"\n"', '"open', '{"a":1,}', '-', 'nul'])(
    'refuses %j',
    (text) => expect(() => readExactJson(text)).toThrow('no JSON value'),
  );
  it('refuses what is too deep before it recurses', () =>
    expect(() => readExactJson('['.repeat(200_000))).toThrow('nested deeper'));
});

const line = (more: object = {}) => JSON.stringify({ inputs: { X: [[1]] }, outputs: { Y: [[2]] }, ...more });

describe('golden.jsonl', () => {
  it('is read line by line, and empty lines are left out', () => {
    const { cases, problems } = readGolden(`${line({ name: 'a' })}\r\n\n${line({ tolerance: 0 })}\n`);
    expect(problems).toEqual([]);
    expect(cases.map(({ line: at, name, tolerance, form }) => [at, name, tolerance, form])).toEqual([
      [1, 'a', undefined, 'inputs'],
      [3, undefined, 0, 'inputs'],
    ]);
  });

  it.each([
    ['[]', 'line 1 is no JSON object'],
    ['{"outputs":{"Y":1}}', 'line 1 must have either inputs or instances'],
    [line({ instances: [] }), 'line 1 must have either inputs or instances'],
    [line({ outputs: {} }), 'line 1 must have outputs'],
    [line({ outputs: [1] }), 'line 1 must have outputs'],
    [line({ expected: 1 }), 'line 1 has the field "expected"; known are name, inputs'],
    [line({ tolerance: -1 }), 'line 1 must have a tolerance'],
    [line({ tolerance: '1' }), 'line 1 must have a tolerance'],
    [line({ name: '' }), 'line 1 must have a name'],
    [line({ name: 'x'.repeat(81) }), 'line 1 must have a name'],
    [`${line({ name: 'a' })}\n${line({ name: 'a' })}`, 'line 2 has the name of line 1'],
    ['\n \n', 'holds no case'],
    [`${line()}\n`.repeat(1001), 'holds 1001 cases'],
    ['x'.repeat(GOLDEN_MOST_BYTES + 1), `has ${GOLDEN_MOST_BYTES + 1} bytes`],
  ])('problem %#', (text, said) => expect(readGolden(text).problems.join()).toContain(`golden.jsonl ${said}`));

  it('names every line that is wrong', () =>
    expect(readGolden(`{}\n${line()}\nx\n`).problems).toEqual([
      'golden.jsonl line 1 must have either inputs or instances',
      'golden.jsonl line 3 is no JSON object',
    ]));
});
