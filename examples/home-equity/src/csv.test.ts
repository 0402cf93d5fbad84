import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLoans } from './csv.ts';

const HEADER = 'BAD,LOAN,MORTDUE,VALUE,REASON,JOB,YOJ,DEROG,DELINQ,CLAGE,NINQ,CLNO,DEBTINC';
const ROW = '1,1100,25860.0,39025,HomeImp,Other,10.5,0,0,94.36,1,9,';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-csv-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function read(text: string) {
  const file = join(dir, 'loans.csv');
  writeFileSync(file, text);
  return readLoans(file);
}

const LOAN = {
  BAD: 1,
  LOAN: 1100,
  MORTDUE: 25860,
  VALUE: 39025,
  REASON: 'HomeImp',
  JOB: 'Other',
  YOJ: 10.5,
  DEROG: 0,
  DELINQ: 0,
  CLAGE: 94.36,
  NINQ: 1,
  CLNO: 9,
  DEBTINC: null,
};

test.each([
  ['commas', `${HEADER}\n${ROW}\n`],
  ['semicolons and further columns', `${HEADER};P_BAD1\n${ROW};0.5\n`.replaceAll(',', ';')],
  ['Windows line ends, a byte-order mark and no last line end', `\uFEFF${HEADER}\r\n${ROW}`],
  ['quotes and blanks', `${HEADER}\n${ROW.replace('Other', '" Other "')}\n`],
])('reads %s', (_, text) => {
  expect(read(text)).toEqual([LOAN]);
});

test.each(['', ' . ', 'NA', 'NaN', 'nan'])('%j is a missing cell', (cell) => {
  const row = ROW.split(',').with(6, cell).with(4, cell).join(',');
  expect(read(`${HEADER}\n${row}\n`)).toEqual([{ ...LOAN, YOJ: null, REASON: null }]);
});

test.each([
  ['a missing column', `${HEADER.replace(',JOB', '')}\n${ROW}\n`, /loans.csv, line 1: the header lacks JOB;/],
  ['an empty file', '', /the header lacks BAD, LOAN/],
  ['a header alone', `${HEADER}\n`, /has a header but no rows/],
  [
    'a word for a number',
    `${HEADER}\n${ROW}\n${ROW.replace('25860.0', 'much')}\n`,
    /loans.csv, line 3, column MORTDUE: "much" is not a number/,
  ],
  ['an outcome other than 0 and 1', `${HEADER}\n2${ROW.slice(1)}\n`, /line 2, column BAD: "2" is not 0 or 1/],
  ['a missing outcome', `${HEADER}\n${ROW.slice(1)}\n`, /line 2, column BAD: "" is not 0 or 1/],
  ['a row of another length', `${HEADER}\n${ROW},7\n`, /loans.csv is not a well-formed CSV: .*line 2/],
  ['an open quote', `${HEADER}\n"${ROW}\n`, /loans.csv is not a well-formed CSV/],
])('%s is refused with a sentence', (_, text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('a file that is not there is named', () => {
  expect(() => readLoans(join(dir, 'none.csv'))).toThrow(/^There is no file .*none.csv; check the path/);
  expect(() => readLoans(dir)).toThrow(/is a folder/);
});
