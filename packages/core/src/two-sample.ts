/** How far two samples of one variable lie apart, from their single values. */
export type TwoSample = {
  /** Kolmogorov–Smirnov: largest distance of the two distribution functions, after all ties at a value. */
  readonly ks: number;
  /** Its asymptotic probability without change; conservative under heavy ties. */
  readonly p: number;
  /** Area between the two distribution functions, in the variable's own unit. */
  readonly wasserstein: number;
};

/** Compares two ascending samples in one walk; null when one of them is empty. */
export function twoSample(reference: Float64Array, current: Float64Array): TwoSample | null {
  const [n, m] = [reference.length, current.length];
  if (n === 0 || m === 0) return null;
  let [i, j, ks, wasserstein] = [0, 0, 0, 0];
  let before = 0;
  let difference = 0;
  while (i < n || j < m) {
    const value = Math.min(reference[i] ?? Number.POSITIVE_INFINITY, current[j] ?? Number.POSITIVE_INFINITY);
    if (difference !== 0) wasserstein += difference * (value - before);
    while (i < n && reference[i] === value) i++;
    while (j < m && current[j] === value) j++;
    difference = Math.abs(i / n - j / m);
    if (difference > ks) ks = difference;
    before = value;
  }
  return { ks, p: kolmogorovTail(Math.sqrt((n * m) / (n + m)) * ks), wasserstein };
}

/** P(K > λ) of the Kolmogorov distribution: the alternating series, below 1.18 the complementary one, which is quick there. */
export function kolmogorovTail(lambda: number): number {
  if (lambda < 0.04) return 1;
  let sum = 0;
  if (lambda < 1.18) {
    for (let k = 1; k <= 20; k++) sum += Math.exp(-((2 * k - 1) ** 2) * (Math.PI ** 2 / (8 * lambda * lambda)));
    return 1 - (Math.sqrt(2 * Math.PI) / lambda) * sum;
  }
  for (let k = 1; k <= 20; k++) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, Math.max(0, 2 * sum));
}
