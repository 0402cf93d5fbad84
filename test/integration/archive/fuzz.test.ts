import fc from 'fast-check';
import { expect, test } from 'vitest';
import { archive } from '../../fuzz/archive.ts';
import { campaign } from '../../fuzz/campaign.ts';

// The first of `npm run fuzz -- archive`, the same each time. How long a case takes depends on who else is on the machine.
test('damaged and lying archives are unpacked whole or refused in a sentence, and nothing stays', async () => {
  const results = await archive({ rounds: 400, seed: 20_261_122 });
  expect(results.filter(({ id, ok }) => !ok && id !== 'archive-slowest')).toEqual([]);
}, 300_000);

test('a campaign tells a broken invariant with what brings it back, made small', async () => {
  const broken = campaign('numbers', {
    cases: fc.nat(),
    capMs: 60_000,
    rssMb: 4096,
    open: async () => ({
      attempt: async (one) => (one < 100 ? undefined : 'too large'),
      close: async () => {},
    }),
  });
  const told = (await broken({ rounds: 1000, seed: 7 })).find(({ ok }) => !ok);
  expect(told).toMatchObject({ id: 'numbers-broken', value: 1, note: expect.stringMatching(/^too large .*\[100\]$/) });
  const path = /--path (\S+)\)/.exec(told?.note ?? '')?.[1] ?? '';
  const again = await broken({ rounds: 1000, seed: 7, path });
  expect(again.find(({ id }) => id === 'numbers-broken')?.note).toContain('[100]');
});
