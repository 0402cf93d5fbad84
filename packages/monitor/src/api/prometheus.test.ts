import type { Verdict } from '@fairway/core';
import { expect, test } from 'vitest';
import { monitorMetrics, recorderMetrics, type RecorderSources } from './prometheus.ts';

const WELL: RecorderSources = {
  account: async () => ({ parts: {}, dropped: {}, labels: { early: 0, expired: 0 } }) as never,
  risks: () => [],
  depth: async () => ({ waiting: 3, active: 1, delayed: 2, oldestAt: 40_000 }),
  figures: async () => ({ unfolded: 5, unpartitioned: { exchanges: 0, predictions: 7 } }),
  clock: { now: () => 100_000 },
};

test('the recorder tells how far it is behind', async () => {
  const text = await recorderMetrics(WELL).registry.metrics();
  expect(text).toContain('fairway_recorder_queue_packs{state="delayed"} 2');
  expect(text).toContain('fairway_recorder_queue_oldest_seconds 60');
  expect(text).toContain('fairway_recorder_unfolded_counts 5');
  expect(text).toContain('fairway_recorder_unpartitioned_rows{table="predictions"} 7');
});

test('what cannot be asked is absent, not 0', async () => {
  const away = () => Promise.reject(new Error('away'));
  const text = await recorderMetrics({ ...WELL, depth: away, figures: away }).registry.metrics();
  expect(text).not.toMatch(/^fairway_recorder_/m);
  expect(text).toContain('fairway_predictions_stored_total 0');
  const empty = async () => ({ waiting: 0, active: 0, delayed: 0, oldestAt: undefined });
  expect(await recorderMetrics({ ...WELL, depth: empty }).registry.metrics()).toContain(
    'fairway_recorder_queue_oldest_seconds 0',
  );
});

const verdict = (start: string, end: string, predictions: number): Verdict => ({
  id: start,
  window: { model: 'm', version: '1', environment: 'prod', period: start, start, end },
  state: 'healthy',
  metrics: { auc: null, ks: null, psi: {}, predictions, labelled: 1 } as unknown as Verdict['metrics'],
  findings: [],
  policy: '',
  counts: '',
  judgedAt: '2026-03-01T00:00:00.000Z',
});

test('the gauges stay those of the newest window when an older one is judged again', async () => {
  const { registry, onVerdict } = monitorMetrics();
  onVerdict(verdict('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', 10));
  onVerdict(verdict('2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z', 20));
  onVerdict(verdict('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', 11));
  const labels = '{model="m",version="1",environment="prod"}';
  expect(await registry.metrics()).toContain(`fairway_window_predictions${labels} 20`);
  onVerdict(verdict('2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z', 21));
  const text = await registry.metrics();
  expect(text).toContain(`fairway_window_predictions${labels} 21`);
  expect(text).toContain(`fairway_window_seconds${labels} 86400`);
});
