import { expect, test } from 'vitest';
import { RecordReader } from './records.ts';

const HARD = Buffer.concat([
  Buffer.from('a,b\r\n1,"x, ""y""\r\nz"\r\n\r\n"",\n'),
  Buffer.from([0xff, 0x0a]),
  Buffer.from(`2,${'l'.repeat(60)}\n3,"open\n4,b\n${'5,b\n'.repeat(12)}6,half`),
]);

const short = (reader: RecordReader, pieces: readonly Buffer[]) =>
  [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()].map((record) => [
    record.start,
    record.end,
    record.kind === 'text' ? record.cells.join('|') : record.kind === 'refused' ? record.refusal : '',
  ]);

test('the same records wherever the bytes are cut, and every byte belongs to one', () => {
  const whole = short(new RecordReader(',', 40, 0), [HARD]);
  expect(whole.slice(0, 8)).toEqual([
    [0, 5, 'a|b'],
    [5, 22, '1|x, "y"\r\nz'],
    [22, 24, ''],
    [24, 28, '|'],
    [28, 30, 'tail_unreadable'],
    [30, 93, 'tail_too_long'],
    [93, 101, 'tail_unreadable'],
    [101, 105, '4|b'],
  ]);
  expect(whole.at(-1)).toEqual([153, 159, 'tail_unfinished']);
  for (const [index, record] of whole.entries()) expect(record[0]).toBe(index === 0 ? 0 : whole[index - 1]?.[1]);
  for (let at = 0; at <= HARD.length; at++) {
    expect(short(new RecordReader(',', 40, 0), [HARD.subarray(0, at), HARD.subarray(at)])).toEqual(whole);
  }
});

test('from any record on, the rest is the same: a checkpoint may stand behind each', () => {
  const whole = short(new RecordReader(',', 40, 0), [HARD]);
  for (const [index, record] of whole.entries()) {
    const start = Number(record[0]);
    expect(short(new RecordReader(',', 40, start), [HARD.subarray(start)])).toEqual(whole.slice(index));
  }
});
