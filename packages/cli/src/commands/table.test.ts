import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns line up, numbers to the right', () => {
  expect(
    table(
      [
        ['period', 'rows'],
        ['2026Q1', '5'],
        ['Q2', '1500'],
      ],
      '  ',
    ),
  ).toBe('  period  rows\n  2026Q1     5\n  Q2      1500');
});

test('text columns end without trailing blanks', () =>
  expect(
    table([
      ['a', 'long text'],
      ['b', 'x'],
    ]),
  ).toBe('a  long text\nb  x'));
