import { type Baseline, canonicalJson, variableBaseline } from '@fairway/core';
import { judge } from '../../../packages/monitor/src/app/judge.ts';
import { segmentCounts } from '../../../packages/monitor/src/app/segment-bins.ts';
import { segmentInputs } from '../../../packages/monitor/src/metrics/segment-counts.ts';
import { parsePolicy } from '../../../packages/monitor/src/policy/parse.ts';
import type { WindowCounts } from '../../../packages/monitor/src/ports.ts';
import { atMost, median, type Result } from '../result.ts';
import { BASELINE, HOUR, policyOf } from './judge.ts';

const ROWS = 300_000;
const ROUNDS = 9;
/** Of nobody's promise: what we think a window may cost that is counted by everything that can be declared. */
const BAR_MS = 150;
const INPUTS = ['X0', 'X1', 'X2', 'X3'];
const RULE = `segments:
  - { id: weak, metric: auc, pairs: true, limit: 0.05, minimum: { rows: 200, events: 30 }, guard: { p: 0.01 }, severity: warning }
notify:`;
const OWNER = { model: 'm', version: '1', environment: 'prod', time: HOUR };

/** What four declared inputs and every two of them add to judging a window in which nearly every cell occurs: CPU, and bytes of its counts. */
export function segmentNumbers(): Result[] {
  const values = Array.from({ length: 1000 }, (_, index) => index);
  const variables = BASELINE.variables.map(({ name }) => variableBaseline(name, 'numeric', values));
  const baseline: Baseline = { ...BASELINE, variables, segments: INPUTS };
  const inputs = segmentInputs(baseline);
  // Deterministic: primes spread scores, labels and bins over all cells.
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const score = ((row * 7919) % 10_007) / 10_007;
    const label = (row * 104_729) % 10_009 < score * 10_009 ? 1 : 0;
    const bins = INPUTS.map((_input, at) => Math.floor(row / (at * 13 + 1)) % 10);
    return { ...OWNER, score, label, segmented: { inputs, bins } };
  });
  const counted: Record<string, Array<[number, number]>> = {};
  for (const { variable, bin, count } of segmentCounts(rows)) (counted[variable] ??= []).push([bin, count]);
  const cells = Object.values(counted).reduce((sum, bins) => sum + bins.length, 0);
  const text = policyOf('hour', 'm');
  const plain = cost(baseline, text, scores(rows), {});
  const ours = cost(baseline, text.replace('notify:', RULE), scores(rows), counted);
  const note = `${cells} cells, ${Math.round(canonicalJson(counted).length / 1024)} KiB of counts; without segments ${plain.toFixed(1)} ms`;
  return [atMost('judge-four-segments-cpu', Number(ours.toFixed(1)), 'ms', BAR_MS, note)];
}

function scores(rows: ReadonlyArray<{ readonly score: number; readonly label: number }>): WindowCounts['scores'] {
  const cells = new Map<number, [number, number]>();
  for (const { score, label } of rows) {
    const bin = Math.floor(score * 10_000);
    const [nonEvents, events] = cells.get(bin) ?? [0, 0];
    cells.set(bin, label === 1 ? [nonEvents, events + 1] : [nonEvents + 1, events]);
  }
  return [...cells].sort(([a], [b]) => a - b).map(([bin, [nonEvents, events]]) => [bin, 0, nonEvents, events] as const);
}

function cost(
  baseline: Baseline,
  text: string,
  window: WindowCounts['scores'],
  variables: WindowCounts['variables'],
): number {
  const policy = parsePolicy(text, 'm');
  const of = { ...OWNER, period: '2026-01-01T10', start: HOUR, end: '2026-01-01T11:00:00.000Z' };
  const times = Array.from({ length: ROUNDS }, () => {
    const began = process.cpuUsage();
    judge({ window: of, counts: { variables, scores: window }, earlier: [], baseline, policy, blob: 'b10b' });
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  });
  return median(times);
}
