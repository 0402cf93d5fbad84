import { expect, test } from 'vitest';
import { profilesText } from './profiles-text.ts';

const done = { hours: 2, kept: 0, rows: 1200, differences: 0, mended: 0 };
const hour = { hour: '2026-01-01T10:00:00.000Z', version: '1', environment: 'prod', mended: false };

test('differences of inputs and scores are named with both numbers', () => {
  const differences = [
    { variable: 'LOAN', bin: 3, stored: 7, rows: 5 },
    { score: 1061, label: 1, stored: null, rows: 2 },
    { packed: 'day', stored: 40, rows: 41 },
  ];
  const text = profilesText([{ ...hour, differences, all: 3 }], { ...done, differences: 3 }, true);
  expect(text.split('\n')).toEqual([
    expect.stringMatching(/^hour +version +environment +of +bin +counted +rows$/),
    expect.stringMatching(/^2026-01-01T10 +1 +prod +LOAN +3 +7 +5$/),
    expect.stringMatching(/^2026-01-01T10 +1 +prod +score, label 1 +1061 +none +2$/),
    expect.stringMatching(/^2026-01-01T10 +1 +prod +the day, packed +all +40 +41$/),
    '',
    '1,200 predictions in 2 hours counted again: 3 counts differ; the same command without --verify mends them.',
  ]);
});

test('what was mended, kept, or right is one line each', () => {
  expect(profilesText([], done, true)).toContain('every count is what the rows give.');
  expect(profilesText([], { ...done, differences: 9, mended: 9 }, false)).toContain('9 counts mended.');
  const kept = { ...hour, differences: [], all: 0, kept: 'its rows are gone' };
  expect(profilesText([kept], { ...done, kept: 1 }, true)).toBe(
    `2026-01-01T10:00:00.000Z (v1) is kept: its rows are gone.
1,200 predictions in 2 hours counted again: every count of the others is what the rows give. 1 hour could not be compared.`,
  );
});
