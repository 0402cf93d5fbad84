import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPlain } from './read-json-plain.ts';
import { type Json, MAX_DEPTH, readBody, readJson, TOO_DEEP } from './read-json.ts';

test.each<[string, Json]>([
  ['{"a": NaN, "b": -Infinity, "c": Inf}', { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: Number.POSITIVE_INFINITY }],
  ['9007199254740993', 9007199254740993n],
  ['[9007199254740991, -9223372036854775808, 1.5e3, -0]', [9007199254740991, -9223372036854775808n, 1500, -0]],
  [
    '[18446744073709551615, 123456789012345678901, 1e400, 1e20]',
    [18446744073709551615n, 123456789012345680000, Infinity, 1e20],
  ],
  ['{"a": 1, "a": 2}', { a: 1 }],
  ['{"a": {"b": [1], "b": []}}', { a: { b: [1] } }],
  ['{"a": 1} and what follows', { a: 1 }],
  ['{"a": 1}{"a": 2}', { a: 1 }],
  ['\uFEFF{"a": []}', { a: [] }],
  ['{"toString": 1, "constructor": "x"}', { toString: 1, constructor: 'x' }],
  ['"\\ud83d\\ude00 \\n \\/ \\" \\\\"', '😀 \n / " \\'],
  ['"a\nraw\ttext"', 'a\nraw\ttext'],
  ['{"__proto__": {"x": 1}}', JSON.parse('{"__proto__": {"x": 1}}')],
])('reads %s', (text, expected) => {
  expect(readBody(Buffer.from(text))).toEqual({ root: expected, sanitised: false });
});

test.each<[string, Uint8Array, Json]>([
  ['NUL, escaped', Buffer.from('["\\u0000"]'), ['\uFFFD']],
  ['NUL as it is', Buffer.from('["\0"]'), ['\uFFFD']],
  [
    'lone surrogates, also in names',
    Buffer.from('{"\\udc00": "\\ud800 \\ud800\\u0041"}'),
    { '\uFFFD': '\uFFFD \uFFFDA' },
  ],
  ['invalid UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), ['\uFFFD']],
  ['a surrogate in UTF-8', Buffer.from([0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d]), ['\uFFFD\uFFFD\uFFFD']],
])('%s is replaced, and that is said', (_, bytes, root) => {
  expect(readBody(bytes)).toEqual({ root, sanitised: true });
});

test('what the caller wrote as U+FFFD is no replacement', () => {
  expect(readBody(Buffer.from('["\uFFFD"]'))).toEqual({ root: ['\uFFFD'], sanitised: false });
});

test.each([
  '',
  ' ',
  '{',
  '{"a" 1}',
  '{a: 1}',
  '[1 2]',
  '"open',
  'nul',
  "{'a': 1}",
  '[1,]',
  '{"a": 1,}',
  '[01]',
  '[+1]',
  '[-]',
  '[',
])('refuses %j', (text) => {
  expect(() => readBody(Buffer.from(text))).toThrow(SyntaxError);
});

describe('depth', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

  test('as deep as the cap', () => {
    expect(JSON.stringify(readBody(Buffer.from(nested(MAX_DEPTH))).root)).toBe(nested(MAX_DEPTH));
  });

  test('what is deeper is left out, and its neighbours stay', () => {
    const { root } = readBody(
      Buffer.from(`{"a": ${nested(100_000)}, "b": 1, "c": [${'{"k\\"]": ['.repeat(60)}${']}'.repeat(60)}]}`),
    );
    let at = root as Record<string, Json>;
    expect(at['b']).toBe(1);
    for (let level = 1; level < MAX_DEPTH; level++) at = Object.values(at)[0] as Record<string, Json>;
    expect((at as unknown as Json[])[0]).toBe(TOO_DEEP);
  });

  test('what is not closed is no JSON', () => {
    expect(() => readBody(Buffer.from('['.repeat(100_000)))).toThrow(SyntaxError);
  });
});

describe('the fast way', () => {
  test.each(['{"a": "", "b": [1.5, -2e-3, true, null], "ä": "ö"}', '  [{}, []] trailing', '{"NaN": "Infinity"}'])(
    'takes %s',
    (text) => {
      expect(readPlain(Buffer.from(text), MAX_DEPTH)).toBeDefined();
    },
  );

  test.each([
    '{"a": "\\n"}',
    '[NaN]',
    '[Inf]',
    '[-Infinity]',
    '[9007199254740992]',
    '{"a": 1, "a": 1}',
    '[1e400]',
    '1',
    '\uFEFF[]',
  ])('leaves %s to the tolerant reader', (text) => {
    expect(readPlain(Buffer.from(text), MAX_DEPTH)).toBeUndefined();
  });

  /** JSON as TF Serving may see it: odd numbers, bare words, doubled keys, escapes, white space, trailing bytes. */
  const dialect = fc.letrec<{ json: string; list: string; object: string }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom('null', 'true', 'false', 'NaN', 'Inf', '-Infinity', '-0', '1.0', '1e400', '9007199254740993'),
      fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
      fc.integer().map(String),
      fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
      fc.constantFrom('"\\u0000"', '"\\ud800"', '"a\u0000"', '"ä"', '"NaN"', '"\t"'),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(' , ')}]`),
    object: fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'N', '__proto__', 'ü', '\\u0061', '1'), tie('json')), { maxLength: 4 })
      .map((members) => `{${members.map(([key, item]) => `"${key}":${item}`).join('\n,')}}`),
  }));
  const around = fc.constantFrom('', ' ', '\n', 'x', ']', '{"a"');

  test('agrees with the tolerant reader on everything it takes', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(dialect.object, dialect.list), around, (json, after) => {
        const text = json + after;
        const plain = readPlain(Buffer.from(text), MAX_DEPTH);
        if (plain === undefined) return;
        taken += 1;
        expect({ root: plain, sanitised: false }).toEqual(readJson(text));
      }),
      { numRuns: 2000, seed: 20 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('on bytes that were broken somewhere as well, and neither throws anything but SyntaxError', () => {
    fc.assert(
      fc.property(dialect.object, fc.nat(), fc.integer({ min: 0, max: 255 }), (json, where, byte) => {
        const bytes = Buffer.from(json);
        bytes[where % bytes.length] = byte;
        const plain = readPlain(bytes, MAX_DEPTH);
        try {
          const read = readJson(bytes.toString('utf8'));
          if (plain !== undefined) expect({ root: plain, sanitised: false }).toEqual(read);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          expect(plain).toBeUndefined();
        }
      }),
      { numRuns: 2000, seed: 20 },
    );
  });
});
