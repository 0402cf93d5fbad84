/** Two models on the same rows. `difference` is above 0 where the second one is better. */
export type Paired = {
  /** Their figures: AUC, accuracy, or mean absolute error. */
  readonly first: number;
  readonly second: number;
  readonly difference: number;
  /** Of the difference, from the rows' own differences: what both models share cancels out. null where the rows cannot say it. */
  readonly standardError: number | null;
};

/**
 * Mean absolute errors of two models that predict a number, and the share of the first one's by which the second one's is lower:
 * the same in every unit. null without rows, with a value that is no number, or where the first model is never wrong.
 */
export function pairedErrors(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  observed: ArrayLike<number>,
): Paired | null {
  const errors = (of: ArrayLike<number>) => Array.from(observed, (y, row) => Math.abs((of[row] ?? Number.NaN) - y));
  const [a, b] = [errors(first), errors(second)];
  const [before, after] = [mean(a), mean(b)];
  if (!(before > 0) || !Number.isFinite(before) || !Number.isFinite(after)) return null;
  const { difference, standardError } = meanOf(a.map((error, row) => (error - (b[row] as number)) / before));
  return { first: before, second: after, difference, standardError };
}

/**
 * Accuracies of two models that predict one of several classes, and their difference: its standard error rests on the rows where
 * one is right and the other wrong (McNemar 1947). null without rows. What is no class is never right.
 */
export function pairedAccuracy(
  first: ArrayLike<unknown>,
  second: ArrayLike<unknown>,
  observed: ArrayLike<unknown>,
): Paired | null {
  const right = (of: ArrayLike<unknown>) => Array.from(observed, (y, row): number => (of[row] === y ? 1 : 0));
  const [a, b] = [right(first), right(second)];
  if (a.length === 0) return null;
  return { first: mean(a), second: mean(b), ...meanOf(b.map((one, row) => one - (a[row] as number))) };
}

/** Both effect and evidence: the figures' difference by `margin`, and by `z` of its standard errors beyond chance where that is asked for. */
export type GateAsked = { readonly margin: number; readonly z: number | undefined };

/**
 * Whether the second model passes: the difference reaches the margin and, where evidence is asked for, lies so many standard errors
 * above nothing (above the margin where that is below nothing). Not knowing is no pass.
 */
export function passesGate(paired: Paired | null, { margin, z }: GateAsked): boolean {
  if (paired === null || !(paired.difference >= margin)) return false;
  if (z === undefined) return true;
  return paired.standardError !== null && paired.difference - z * paired.standardError > Math.min(0, margin);
}

const NORMAL_95 = 1.959964;

/** 95 % interval of the difference; null where its standard error is not known. */
export function pairedInterval(paired: Paired | null): readonly [low: number, high: number] | null {
  if (paired === null || paired.standardError === null) return null;
  const reach = NORMAL_95 * paired.standardError;
  return [paired.difference - reach, paired.difference + reach];
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample variance. */
export function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

const meanOf = (gaps: readonly number[]): Pick<Paired, 'difference' | 'standardError'> => ({
  difference: mean(gaps),
  standardError: gaps.length < 2 ? null : Math.sqrt(variance(gaps) / gaps.length),
});
