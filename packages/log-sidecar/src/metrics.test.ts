import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import { createTally } from './tally.ts';

const MIB = 1024 * 1024;

test('losses by reason are there before the first one, and say how many', async () => {
  const tally = createTally();
  const registry = metricsOf(tally, false);
  expect(await registry.metrics()).toContain('fairway_agent_dropped_total{reason="spool_full"} 0');
  tally.dropped['spool_full'] = 7;
  const text = await registry.metrics();
  expect(text).toContain('fairway_agent_dropped_total{reason="spool_full"} 7');
  expect(text).toContain('fairway_agent_dropped_total{reason="killed"} 0');
});

test('the spool is measured against its limit, and a queue that is full against one that is not', async () => {
  const text = await metricsOf(createTally(), true).metrics();
  expect(text).toContain(`fairway_agent_spool_bytes ${3 * MIB}`);
  expect(text).toContain(`fairway_agent_spool_limit_bytes ${4 * MIB}`);
  expect(text).toContain('fairway_agent_spool_oldest_seconds 5');
  expect(text).toContain('fairway_agent_queue_full 1');
  expect(await metricsOf(createTally(), false).metrics()).toContain('fairway_agent_queue_full 0');
});

function metricsOf(tally: ReturnType<typeof createTally>, full: boolean) {
  const state = { packs: 1, exchanges: 2, earlier: 0, bytes: 3 * MIB, oldestAt: 10_000, inMemory: 0 };
  return createMetrics({
    tally: () => tally,
    redacting: () => 0,
    spool: { state: () => state },
    spoolLimit: 4 * MIB,
    queueUp: () => !full,
    queueFull: () => full,
    clock: { now: () => 15_000 },
  });
}
