import { expect, test } from 'vitest';
import { isTimeZone, parseQuietHours, quietUntil } from './quiet-hours.ts';

const night = { from: 22 * 60, to: 7 * 60, zone: 'Europe/Berlin', exempt: [] };

test.each([
  ['an evening in winter', '2026-01-10T21:30:00Z', '2026-01-11T06:00:00Z'],
  ['an early morning in summer', '2026-07-10T04:59:59Z', '2026-07-10T05:00:00Z'],
  ['the night the clocks go forward: one hour less', '2026-03-28T21:00:00Z', '2026-03-29T05:00:00Z'],
  ['the night the clocks go back: one hour more', '2026-10-24T20:00:00Z', '2026-10-25T06:00:00Z'],
  ['noon', '2026-01-10T11:00:00Z', undefined],
  ['the minute in which they end', '2026-01-10T06:00:00Z', undefined],
  ['the minute before they begin', '2026-01-10T20:59:59Z', undefined],
])('%s', (_, now, until) => {
  const ends = quietUntil(night, Date.parse(now));
  expect(ends === undefined ? undefined : new Date(ends).toISOString().replace('.000', '')).toBe(until);
});

test('within one day, and in a zone of half an hour', () => {
  const lunch = { from: 12 * 60, to: 13 * 60, zone: 'Asia/Kolkata', exempt: [] };
  expect(quietUntil(lunch, Date.parse('2026-01-10T06:40:00Z'))).toBe(Date.parse('2026-01-10T07:30:00Z'));
  expect(quietUntil(lunch, Date.parse('2026-01-10T07:30:00Z'))).toBeUndefined();
});

test.each([
  ['22:00-07:00', { from: 1320, to: 420 }],
  [' 00:00-06:30 ', { from: 0, to: 390 }],
  ['24:00-07:00', undefined],
  ['22-7', undefined],
  ['08:00-08:00', undefined],
  ['', undefined],
])('%j is read as %j', (raw, hours) => {
  expect(parseQuietHours(raw)).toEqual(hours);
});

test('a zone is known or not', () => {
  expect(['UTC', 'Europe/Berlin', 'Europe/Berlyn', ''].map(isTimeZone)).toEqual([true, true, false, false]);
});
