import { silentLogger } from '@fairway/core';
import { expect, it } from 'vitest';
import { clockSkewS } from './clocks.ts';
import { skewWatch } from './skew.ts';

const NOW = Date.parse('2026-11-23T10:00:00.400Z');
const at = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString();

it.each([
  [0, 0],
  [-1, 0],
  [7, 7],
  [-60, 60],
  [-3600, 3600],
])('a server whose clock is %i s off is %i s apart', (seconds, apart) => {
  const found = clockSkewS(at(seconds), NOW, NOW) ?? Number.NaN;
  expect(Math.abs(found - apart)).toBeLessThanOrEqual(1);
});

it('a slow answer is no skew, and without a date nothing is known', () => {
  expect(clockSkewS(at(2), NOW, NOW + 4000)).toBe(0);
  expect(clockSkewS(undefined, NOW, NOW)).toBeUndefined();
  expect(clockSkewS('yesterday', NOW, NOW)).toBeUndefined();
});

it('the writer tells of clocks that are apart once, of their agreement once, and of no answer nothing', async () => {
  const offsets = [0, 90, 95, 'down', -40, 1, 0] as const;
  const told: unknown[] = [];
  const log = {
    ...silentLogger,
    warn: (fields: object, text: string) => void told.push(['warn', fields, text]),
    info: (fields: object, text: string) => void told.push(['info', fields, text]),
  };
  let asked = 0;
  let over = () => {};
  const allAsked = new Promise<void>((resolve) => {
    over = resolve;
  });
  const ask = async () => {
    const offset = offsets[asked++];
    if (offset === undefined) over();
    if (offset === 'down') throw new Error('no answer');
    return offset === undefined ? undefined : at(offset);
  };
  const watch = skewWatch(ask, { now: () => NOW }, log, 1);
  await watch.start();
  await allAsked;
  await watch.stop();
  expect(told).toEqual([
    ['warn', { seconds: 90 }, expect.stringMatching(/are 90 s apart: let both take their time from the same NTP/)],
    ['info', { seconds: 1 }, "the API server's clock and this one agree again"],
  ]);
});
