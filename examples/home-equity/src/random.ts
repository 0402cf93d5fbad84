/** A stream of pseudo-random numbers: the same seed gives the same stream on every machine. */
export type Random = {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** Poisson count with the given mean (Knuth; means below 30). */
  poisson(mean: number): number;
  /** Gamma with whole shape k and the given mean. */
  gamma(k: number, mean: number): number;
  /** An item by weight. */
  pick<T extends string>(weights: Readonly<Record<T, number>>): T;
};

/** sfc32 by Chris Doty-Humphrey (PractRand), seeded through splitmix32. */
export function random(seed: number): Random {
  let state = seed | 0;
  const mix = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, counter] = [mix(), mix(), mix(), 1];
  const uniform = () => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 15; i++) uniform();
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number) => {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = uniform(); product > limit; product *= uniform()) count++;
    return count;
  };
  const gamma = (k: number, mean: number) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum -= Math.log(1 - uniform());
    return (sum * mean) / k;
  };
  const pick = <T extends string>(weights: Readonly<Record<T, number>>): T => {
    const entries = Object.entries(weights) as Array<[T, number]>;
    let left = uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of entries) if ((left -= weight) < 0) return item;
    return (entries.at(-1) as [T, number])[0];
  };
  return { uniform, normal, poisson, gamma, pick };
}
