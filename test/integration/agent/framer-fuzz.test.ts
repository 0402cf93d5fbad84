import { expect, test } from 'vitest';
import { framer } from '../../fuzz/framer.ts';

// The first of `npm run fuzz -- framer`, the same each time. How long a case takes depends on who else is on the machine.
test('conversations come out as node parses them or are given up, and no byte changes', async () => {
  const results = await framer({ rounds: 1500, seed: 20_261_122 });
  expect(results.filter(({ id }) => id === 'framer-broken' || id === 'framer-cases')).toMatchObject([
    { value: 0 },
    { value: 1500 },
  ]);
}, 300_000);
