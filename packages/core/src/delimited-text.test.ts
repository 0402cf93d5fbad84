import { expect, test } from 'vitest';
import { DelimitedText, detectDelimiter } from './delimited-text.ts';

const whole = (text: string, delimiter = ',') => {
  const reader = new DelimitedText('f.csv', delimiter);
  return [...reader.push(text), ...reader.end()];
};

const HARD = 'a,b\r\n1,"x, ""y""\r\nz"\r\n\r\n"",\n"q"w,2\n3,4';

test('quotes, doubled quotes, line breaks in quotes, CRLF, empty lines, a last line without an end', () => {
  expect(whole(HARD)).toEqual([
    { line: 1, cells: ['a', 'b'] },
    { line: 2, cells: ['1', 'x, "y"\r\nz'] },
    { line: 5, cells: ['', ''] },
    { line: 6, cells: ['q', '2'], problem: 'text follows a closing quote' },
    { line: 7, cells: ['3', '4'] },
  ]);
});

test('the same rows wherever the text is cut', () => {
  const rows = whole(HARD);
  for (let at = 0; at <= HARD.length; at++) {
    const reader = new DelimitedText('f.csv', ',');
    expect([...reader.push(HARD.slice(0, at)), ...reader.push(HARD.slice(at)), ...reader.end()]).toEqual(rows);
  }
});

test('a quote left open is an error with file and line, not one endless cell', () => {
  expect(() => whole('a\n1\n"2\n3\n')).toThrow(/f\.csv: the row that begins in line 3 opens a quote/);
  expect(() => new DelimitedText('f.csv', ',').push(`a\n"${'x'.repeat(1_100_000)}`)).toThrow(/line 2 is longer/);
});

test('the delimiter is seen in the header, outside quotes', () => {
  expect(['a,b', 'a;b;"c,d,e,f"\n1,2,3,4', 'a\tb', 'a|b', 'a'].map(detectDelimiter)).toEqual([
    ',',
    ';',
    '\t',
    '|',
    ',',
  ]);
});
