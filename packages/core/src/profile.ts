import type { Scalar, VariableBaseline } from './monitoring.ts';

/** Bin numbers outside the edges' own bins. */
export const MISSING_BIN = -1;
export const INVALID_BIN = -2;
/** Counted beside a value's own bin, never instead of it: below and above what the baseline has seen. */
export const BELOW_BIN = -3;
export const ABOVE_BIN = -4;
/** Score bins: k = min(floor(p × 10 000), 9 999); see monitoring reference §6 for the error this leaves. */
export const SCORE_BINS = 10_000;

const MISSING_TEXT = new Set(['', '.', 'NA', 'NaN', 'nan']);

/** Trimmed text, or null where a cell is missing: empty, `.`, `NA`, `NaN` or `nan`. */
export function cellText(raw: string): string | null {
  const text = raw.trim();
  return MISSING_TEXT.has(text) ? null : text;
}

/** A value is missing when it is absent, null, NaN or missing text. */
export function isMissing(value: Scalar | undefined): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'number' ? Number.isNaN(value) : typeof value === 'string' && cellText(value) === null;
}

/**
 * Inner decile edges k/10, k = 1..9, of the values: linear interpolation at h = (n−1)q (R type 7, numpy `linear`,
 * Postgres `percentile_cont`), equal edges merged, full precision. `sorted` is ascending, finite, not empty.
 */
export function decileEdges(sorted: ArrayLike<number>): number[] {
  const edges: number[] = [];
  for (let k = 1; k <= 9; k++) {
    const edge = quantile(sorted, k / 10);
    if (edges.at(-1) !== edge) edges.push(edge);
  }
  return edges;
}

/** R type 7 quantile of ascending values. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const h = (sorted.length - 1) * q;
  const low = Math.floor(h);
  const a = sorted[low] ?? Number.NaN;
  const b = sorted[Math.min(low + 1, sorted.length - 1)] ?? Number.NaN;
  return a + (h - low) * (b - a);
}

/** Right-closed: the first bin whose upper edge e has value ≤ e; above the last edge, the last bin. */
export function rightClosedBin(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Number of proper bins of a variable (without missing and invalid). */
export function binCount(variable: VariableBaseline): number {
  return variable.kind === 'numeric' ? variable.edges.length + 1 : variable.categories.length + 1;
}

/** The bin of a value in a variable's reference bins, {@link MISSING_BIN} or {@link INVALID_BIN}. */
export function binOf(variable: VariableBaseline, value: Scalar | undefined): number {
  if (isMissing(value)) return MISSING_BIN;
  if (variable.kind === 'category') {
    const index = variable.categories.indexOf(String(value).trim());
    return index < 0 ? variable.categories.length : index;
  }
  const number = typeof value === 'number' ? value : Number(value);
  return Number.isFinite(number) ? rightClosedBin(variable.edges, number) : INVALID_BIN;
}

/** {@link BELOW_BIN} or {@link ABOVE_BIN} of a number outside the baseline's range, to be counted beside its {@link binOf}. */
export function guardBinOf(variable: VariableBaseline, value: Scalar | undefined): number | undefined {
  if (variable.kind !== 'numeric' || variable.n === 0 || binOf(variable, value) < 0) return undefined;
  const number = Number(value);
  if (number < variable.min) return BELOW_BIN;
  return number > variable.max ? ABOVE_BIN : undefined;
}

/** Score bin of a probability in [0, 1]; undefined when it is none. */
export function scoreBin(probability: Scalar | undefined): number | undefined {
  if (typeof probability !== 'number' || !(probability >= 0 && probability <= 1)) return undefined;
  return Math.min(Math.floor(probability * SCORE_BINS), SCORE_BINS - 1);
}

/** Reference bins of one variable from its values; numeric unless `kind` says otherwise. Missing values are counted apart. */
export function variableBaseline(
  name: string,
  kind: VariableBaseline['kind'],
  values: readonly Scalar[],
): VariableBaseline {
  const present = values.filter((value) => !isMissing(value));
  const missing = values.length - present.length;
  return kind === 'numeric' ? numericBaseline(name, present, missing) : categoryBaseline(name, present, missing);
}

function numericBaseline(name: string, present: readonly Scalar[], missing: number): VariableBaseline {
  const numbers = Float64Array.from(present, Number).filter((value) => Number.isFinite(value));
  return numericVariable(name, numbers.sort(), missing);
}

/** Reference bins of a numeric variable from its ascending finite values. Mean and population deviation are summed in that order. */
export function numericVariable(name: string, sorted: Float64Array, missing: number): VariableBaseline {
  const n = sorted.length;
  if (n === 0) return { kind: 'numeric', name, edges: [], counts: [0], n, missing, mean: 0, std: 0, min: 0, max: 0 };
  const edges = decileEdges(sorted);
  let sum = 0;
  for (const value of sorted) sum += value;
  const mean = sum / n;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  const std = Math.sqrt(squares / n);
  const [min = 0, max = 0] = [sorted[0], sorted[n - 1]];
  return { kind: 'numeric', name, edges, counts: binCounts(edges, sorted), n, missing, mean, std, min, max };
}

/** Right-closed counts of ascending values: what {@link rightClosedBin} says of each, at the cost of the edges. */
export function binCounts(edges: readonly number[], sorted: Float64Array): number[] {
  const until = [...edges.map((edge) => firstAbove(sorted, edge)), sorted.length];
  return until.map((end, bin) => end - (until[bin - 1] ?? 0));
}

/** How many ascending values are ≤ `limit`. */
export function firstAbove(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function categoryBaseline(name: string, present: readonly Scalar[], missing: number): VariableBaseline {
  const tally = new Map<string, number>();
  for (const value of present) {
    const key = String(value).trim();
    tally.set(key, (tally.get(key) ?? 0) + 1);
  }
  return categoryVariable(name, tally, missing);
}

/** Reference bins of a category variable: the `top` commonest get a bin each (ties by name), the rest share the last. */
export function categoryVariable(
  name: string,
  tally: ReadonlyMap<string, number>,
  missing: number,
  top = Number.POSITIVE_INFINITY,
): VariableBaseline {
  const common = [...tally].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, top);
  const kept = common.sort(([a], [b]) => (a < b ? -1 : 1));
  const n = [...tally.values()].reduce((sum, count) => sum + count, 0);
  const other = n - kept.reduce((sum, [, count]) => sum + count, 0);
  const categories = kept.map(([category]) => category);
  return { kind: 'category', name, categories, counts: [...kept.map(([, count]) => count), other], n, missing };
}
