import type { RegressionSums, SumCell } from '../ports.ts';

/** Label of the cells that hold a sum, among the score counts: below every class. */
const SUMS = { n: -2, sumY: -3, sumYY: -4, sumAbsoluteError: -5, sumSquaredError: -6 } as const;
/** What the mean absolute error and its standard error need. */
export const ERROR_SUMS: ReadonlySet<number> = new Set([SUMS.n, SUMS.sumAbsoluteError, SUMS.sumSquaredError]);
export const HIGHEST_SUM = SUMS.n;
export const LOWEST_SUM = SUMS.sumSquaredError;
/** Bits of one limb: sums of half a milliard of them are exact in a double, and of 2^39 in a bigint. */
const LIMB = 24;
/** Smaller numbers count as 0, larger ones are refused: their squares and the smallest number have to meet in one double. */
const SMALLEST = 1e-100;
export const LARGEST_NUMBER = 1e50;

/** What one labelled prediction adds to the sums, as `[label, limb, amount]`: amount × 2^(24 × limb), exactly. */
export function sumCells(prediction: number, y: number): SumCell[] {
  const error = prediction - y;
  return [
    [SUMS.n, 0, 1],
    ...exactLimbs(SUMS.sumY, y),
    ...exactLimbs(SUMS.sumYY, y * y),
    ...exactLimbs(SUMS.sumAbsoluteError, Math.abs(error)),
    ...exactLimbs(SUMS.sumSquaredError, error * error),
  ];
}

/**
 * A double as whole numbers below 2^24, one for each 24 bits of the exponent's range (a superaccumulator, after Kulisch): added
 * up limb by limb they give the same sum in every order, and what is taken away again leaves nothing behind.
 */
export function exactLimbs(label: number, value: number): SumCell[] {
  if (Math.abs(value) < SMALLEST) return [];
  const cells: SumCell[] = [];
  let rest = value;
  for (let limb = Math.floor(Math.log2(Math.abs(value)) / LIMB) + 1; rest !== 0; limb--) {
    const unit = 2 ** (LIMB * limb);
    const amount = Math.trunc(rest / unit);
    if (amount === 0) continue;
    rest -= amount * unit;
    cells.push([label, limb, amount]);
  }
  return cells;
}

/** Cells added up: of each sum and limb one, ascending, without what is 0. */
export class SumTable {
  private readonly cells = new Map<number, [label: number, limb: number, amount: number]>();

  add([label, limb, amount]: SumCell): void {
    // Labels lie between -16 and -1.
    const key = limb * 16 + label;
    const known = this.cells.get(key);
    if (known === undefined) this.cells.set(key, [label, limb, amount]);
    else known[2] += amount;
  }

  sums(): SumCell[] {
    return [...this.cells.values()].filter(([, , amount]) => amount !== 0).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }
}

/** The sums of such cells, each rounded once; undefined where nothing is summed. */
export function regressionSums(cells: readonly SumCell[] | undefined): RegressionSums | undefined {
  if (cells === undefined || cells.length === 0) return undefined;
  const of = (label: number) => limbTotal(cells.filter((cell) => cell[0] === label));
  return {
    n: of(SUMS.n),
    sumY: of(SUMS.sumY),
    sumYY: of(SUMS.sumYY),
    sumAbsoluteError: of(SUMS.sumAbsoluteError),
    sumSquaredError: of(SUMS.sumSquaredError),
  };
}

/** The sum that these cells hold, rounded once. */
export function limbTotal(cells: readonly SumCell[]): number {
  if (cells.length === 0) return 0;
  const lowest = Math.min(...cells.map(([, limb]) => limb));
  const sum = cells.reduce((all, [, limb, amount]) => all + (BigInt(amount) << BigInt(LIMB * (limb - lowest))), 0n);
  return Number(sum) * 2 ** (LIMB * lowest);
}
