import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DelimitedBytes } from './delimited-bytes.ts';
import { DelimitedText } from './delimited-text.ts';

type Row = { line: number; cells: string[]; problem?: string };

function read(text: string | Buffer, delimiter = ',', size = 1 << 20): Row[] {
  const rows: Row[] = [];
  const reader = new DelimitedBytes('a.csv', delimiter, (row) => {
    const cells = Array.from({ length: row.cells }, (_, cell) => row.text(cell));
    rows.push({ line: row.line, cells, ...(row.problem === undefined ? {} : { problem: row.problem }) });
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return rows;
}

const numbers = (cells: string): number[] => {
  const found: number[] = [];
  const reader = new DelimitedBytes('a.csv', ';', (row) => {
    for (let cell = 0; cell < row.cells; cell++) found.push(row.number(cell));
  });
  reader.push(Buffer.from(`${cells}\n`));
  reader.end();
  return found;
};

test.each<[string, Row[]]>([
  [
    'a,b\n1,2\n',
    [
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1', '2'] },
    ],
  ],
  [
    'a,b\r\n1,\r\n',
    [
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['1', ''] },
    ],
  ],
  [
    'a\n\n\r\nb',
    [
      { line: 1, cells: ['a'] },
      { line: 4, cells: ['b'] },
    ],
  ],
  ['\uFEFFa,b', [{ line: 1, cells: ['a', 'b'] }]],
  [
    '"a,b","c ""d"""\r\nx,y',
    [
      { line: 1, cells: ['a,b', 'c "d"'] },
      { line: 2, cells: ['x', 'y'] },
    ],
  ],
  [
    '"a\nb",c\nd,e',
    [
      { line: 1, cells: ['a\nb', 'c'] },
      { line: 3, cells: ['d', 'e'] },
    ],
  ],
  [
    '"",b\n""\n',
    [
      { line: 1, cells: ['', 'b'] },
      { line: 2, cells: [''] },
    ],
  ],
  ['a"b,c', [{ line: 1, cells: ['a"b', 'c'] }]],
  ['"a"b,c', [{ line: 1, cells: ['a', 'c'], problem: 'text follows a closing quote' }]],
])('reads %j, in pieces of any size', (text, rows) => {
  for (const size of [1, 2, 3, 1000]) expect(read(text, ',', size)).toEqual(rows);
});

test('any table comes back as it was written', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ';', '\n', ' ', '1', '\u{1F600}') });
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 80 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 50 }), (rows, size) => {
      const text = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(';')).join('\n');
      expect(read(text, ';', size).map(({ cells }) => cells)).toEqual(rows);
    }),
  );
});

test('numbers are those of the engine, to the last bit', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), (x, n) => {
      const texts = [String(x), x.toFixed(3), (x % 1000).toFixed(9), String(n), (n / 1000).toFixed(3)];
      expect(numbers(texts.join(';'))).toEqual(texts.map(Number));
    }),
  );
});

test('so are those of 15 to 22 digits, which are read without a text, and what lies half-way between two doubles', () => {
  const digits = (least: number, most: number) =>
    fc.string({ unit: fc.constantFrom(...[...Array(10).keys()].map(String)), minLength: least, maxLength: most });
  fc.assert(
    fc.property(digits(0, 22), digits(0, 24), (whole, fraction) => {
      const text = `${whole}.${fraction}`;
      expect(numbers(text)).toEqual([text === '.' ? Number.NaN : Number(text)]);
    }),
  );
  const halfWay = [
    '9007199254740993',
    '900719925474099.3',
    '4503599627370497.5',
    '4503599627370497.500000',
    '0.5000000000000000555',
  ];
  expect(numbers(halfWay.join(';'))).toEqual(halfWay.map(Number));
});

test('a text that comes again and again is the same, whatever came between', () => {
  const texts = Array.from({ length: 6000 }, (_, n) => `é${(n * 7919) % 2503}`);
  const found = read([...texts, ...texts].join('\n')).map(({ cells }) => cells[0]);
  expect(found).toEqual([...texts, ...texts]);
});

test('missing is NaN, and what is neither missing nor a finite number is infinite', () => {
  expect(numbers(';.; NA ;NaN;nan')).toEqual([NaN, NaN, NaN, NaN, NaN]);
  expect(numbers('x;1,5;0x10;inf;1e999;-;1 2;+')).toEqual(Array.from({ length: 8 }, () => Infinity));
  expect(numbers(' 7 ;+3;.5;5.;-0.25;1e3')).toEqual([7, 3, 0.5, 5, -0.25, 1000]);
});

test.each([
  ['a,"b\nc', /line 1 opens a quote that is never closed/],
  [Buffer.from([0x61, 0xff, 0x0a]), /is not UTF-8 text/],
  [`a\n"${'x'.repeat(1_100_000)}`, /line 2 is longer than 1048576 bytes/],
])('says what is wrong', (text, sentence) => {
  expect(() => read(text)).toThrow(sentence);
});

test('a delimiter of two bytes is refused: it would be looked for as one', () => {
  expect(() => new DelimitedBytes('a.csv', '¦', () => {})).toThrow(
    'a.csv: the delimiter must be an ASCII character; it is ¦.',
  );
});

test('cells are those of the reader of texts', () => {
  const piece = fc.constantFrom('a', '1', '"', '""', ',', '\n', '\r\n', ' ', 'é');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const rowsOf = (lines: () => readonly Row[]) => {
        try {
          return lines().map((row) => (row.problem === undefined ? row : { ...row, cells: [] }));
        } catch (error) {
          return (error as Error).message;
        }
      };
      const plain = new DelimitedText('a.csv', ',');
      const texts = rowsOf(() => [...plain.push(text), ...plain.end()] as Row[]);
      // A quote that opens again behind a closed one is a fault to both, and ends at another place.
      fc.pre(typeof texts === 'string' || texts.every((row) => row.problem === undefined));
      expect(rowsOf(() => read(text))).toEqual(texts);
    }),
  );
});
