import { expect, test } from 'vitest';
import { http2 } from '../../fuzz/http2.ts';

// The first of `npm run fuzz -- http2`, the same each time. How long a case takes depends on who else is on the machine.
test("calls come out as node's client and server had them, and no byte changes", async () => {
  const results = await http2({ rounds: 120, seed: 20_261_122 });
  expect(results.filter(({ id }) => id === 'http2-broken' || id === 'http2-cases')).toMatchObject([
    { value: 0 },
    { value: 120 },
  ]);
}, 300_000);
