import { expect, it } from 'vitest';
import { createTailCounts } from './counts.ts';
import { tailMetrics } from './metrics.ts';
import { REFUSALS } from './records.ts';

const state = () => ({ files: 1, openFiles: 1, bytesBehind: 0, bytesMissing: 0, behindSince: undefined });

it('shows every reason of a refusal from the start, so that the first one is seen to come', async () => {
  const counts = createTailCounts();
  const registry = tailMetrics({ counts, state, flowing: () => true, monotonic: () => 0 });
  const shown = async () =>
    [...(await registry.metrics()).matchAll(/^fairway_agent_tail_refused_total\{reason="(\w+)"\} (\d+)$/gm)].map(
      ([, reason, n]) => [reason, Number(n)],
    );
  expect(await shown()).toEqual(REFUSALS.map((reason) => [reason, 0]));
  counts.refused['tail_header'] = 3;
  expect(await shown()).toContainEqual(['tail_header', 3]);
});
