import { expect, test } from 'vitest';
import { type CopyRows, copyRows } from './copy-rows.ts';

/** What one field holds, after the header (19 bytes), the number of fields (2) and its length (4). */
function field(write: (row: CopyRows) => void): { length: number; bytes: Buffer } {
  const rows = copyRows(1);
  rows.begin();
  write(rows);
  const all = rows.end();
  return { length: all.readInt32BE(21), bytes: all.subarray(25, -2) };
}

const time = (text: string) => field((row) => row.time(text)).bytes.readBigInt64BE();

test('times are microseconds since 2000, however they are written', () => {
  expect(time('2000-01-01T00:00:00.000Z')).toBe(0n);
  expect(time('1999-12-31T23:59:59.999Z')).toBe(-1000n);
  const at = BigInt(Date.parse('2026-11-22T10:11:12.345Z') - Date.parse('2000-01-01T00:00:00Z')) * 1000n;
  expect(time('2026-11-22T10:11:12.345Z')).toBe(at);
  expect(time('2026-11-22T10:11:12.345678Z')).toBe(at + 678n);
  expect(time('2026-11-22T12:11:12.3456+02:00')).toBe(at + 600n);
  for (let ms = 0; ms < 60_000; ms += 997) {
    const text = new Date(Date.parse('2026-11-22T10:11:00.000Z') + ms).toISOString();
    expect(time(text)).toBe(at - 12_345_000n + BigInt(ms) * 1000n);
  }
});

test('texts are UTF-8, short or long, and words the same the second time', () => {
  for (const text of ['', 'abc', 'a'.repeat(100), 'grün', `${'x'.repeat(60)}ü€𝄞`]) {
    expect(field((row) => row.text(text)).bytes.toString('utf8')).toBe(text);
    const twice = field((row) => (row.word(text), row.word(text))).bytes;
    const length = Buffer.byteLength(text);
    expect(twice.subarray(0, length).toString('utf8')).toBe(text);
    expect(twice.subarray(length + 4).toString('utf8')).toBe(text);
  }
});

test('numbers keep their sign and size, and what does not fit is what no column takes', () => {
  expect(field((row) => row.int4(-2)).bytes.readInt32BE()).toBe(-2);
  expect(field((row) => row.int2(-1)).bytes.readInt16BE()).toBe(-1);
  for (const value of [0, -1, 5, -5_000_000_000, 9_007_199_254_740_990]) {
    expect(field((row) => row.int8(value)).bytes.readBigInt64BE()).toBe(BigInt(value));
  }
  expect(field((row) => row.date('2000-01-02')).bytes.readInt32BE()).toBe(1);
  expect(field((row) => row.date('infinity')).bytes.readInt32BE()).toBe(0x7fff_ffff);
  expect(field((row) => row.float8(null)).length).toBe(-1);
  const unfit = [
    (row: CopyRows) => row.int4(2 ** 31),
    (row: CopyRows) => row.int4(1.5),
    (row: CopyRows) => row.time('yesterday'),
    (row: CopyRows) => row.time('2026-11-22T10:11:60.000Z'),
    (row: CopyRows) => row.time('2026-11-22T10:11:1x.000Z'),
    (row: CopyRows) => row.time('2026-13-22T10:11:12.000Z'),
    (row: CopyRows) => row.date('today'),
    (row: CopyRows) => row.text(7 as unknown as string),
    (row: CopyRows) => row.float8('1' as unknown as number),
  ];
  for (const write of unfit) expect(field(write)).toEqual({ length: 12, bytes: Buffer.alloc(12) });
});

test('rows beyond one piece grow the buffer and lose nothing', () => {
  const rows = copyRows(1);
  const large = Buffer.alloc(900_000, 7);
  rows.begin();
  rows.bytes(large);
  expect(rows.isFull).toBe(true);
  expect(rows.take().subarray(25).equals(large)).toBe(true);
  rows.begin();
  rows.int4(1);
  expect([...rows.end()]).toEqual([0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0xff, 0xff]);
});

test('an array has its type, its length and its elements', () => {
  const { length, bytes } = field((row) => row.list('int2', [3, -4], (value) => row.int2(value)));
  expect(length).toBe(20 + 2 * 6);
  expect(bytes.toString('hex')).toBe(
    ['00000001', '00000000', '00000015', '00000002', '00000001', '000000020003', '00000002fffc'].join(''),
  );
  const none = field((row) => row.list('text', [], () => row.text('x')));
  expect(none.bytes.toString('hex')).toBe(['00000000', '00000000', '00000019'].join(''));
  const long = Array.from({ length: 100_000 }, (_, index) => index);
  expect(field((row) => row.list('int8', long, (value) => row.int8(value))).length).toBe(20 + 12 * 100_000);
});
