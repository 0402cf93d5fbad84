import { MISSING_BIN, type VariableBaseline } from '@fairway/core';
import type { WindowCounts } from '../ports.ts';

/** Names of a variable's proper bins in their order, then of the missing one. */
export function binNames(variable: VariableBaseline): string[] {
  if (variable.kind === 'category') return [...variable.categories, 'other', 'missing'];
  const { edges } = variable;
  const short = (value: number) => String(Number(value.toPrecision(4)));
  const bins = edges.map((edge) => `≤ ${short(edge)}`);
  return [...bins, edges.length === 0 ? 'all' : `> ${short(edges.at(-1) ?? 0)}`, 'missing'];
}

/** The bin whose share changed most, and its share of all rows in the baseline and now. */
export function largestShift(
  variable: VariableBaseline,
  counts: WindowCounts['variables'][string],
): { readonly bin: string; readonly from: number; readonly to: number } {
  const now = new Map(counts);
  const reference = [...variable.counts, variable.missing];
  const current = [...variable.counts.map((_, bin) => now.get(bin) ?? 0), now.get(MISSING_BIN) ?? 0];
  const [before, after] = [sharesOf(reference), sharesOf(current)];
  const change = (bin: number) => Math.abs((after[bin] ?? 0) - (before[bin] ?? 0));
  const most = before.reduce((best, _, bin) => (change(bin) > change(best) ? bin : best), 0);
  return { bin: binNames(variable)[most] ?? '', from: before[most] ?? 0, to: after[most] ?? 0 };
}

function sharesOf(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (all === 0 ? 0 : count / all));
}
