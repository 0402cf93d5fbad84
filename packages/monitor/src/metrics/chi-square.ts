/**
 * Quantile of the chi-square distribution: the x with P(X ≤ x) = `probability`, by bisection on the regularised lower
 * incomplete gamma function (series below a+1, continued fraction above; Numerical Recipes 6.2). About 1e-12 relative.
 */
export function chiSquareQuantile(probability: number, degrees: number): number {
  if (degrees <= 0 || probability <= 0) return 0;
  let low = 0;
  let high = degrees + 10;
  while (lowerGamma(degrees / 2, high / 2) < probability) high *= 2;
  for (let step = 0; step < 100 && high - low > 1e-12 * high; step++) {
    const middle = (low + high) / 2;
    if (lowerGamma(degrees / 2, middle / 2) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(X > x) of the chi-square distribution; 1 without degrees of freedom. About 1e-9 relative. */
export function chiSquareTail(x: number, degrees: number): number {
  if (degrees <= 0 || x <= 0) return 1;
  const [a, half] = [degrees / 2, x / 2];
  if (half < a + 1) return 1 - lowerGamma(a, half);
  return Math.exp(a * Math.log(half) - half - logGamma(a)) * fraction(a, half);
}

function lowerGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? scale * series(a, x) : 1 - scale * fraction(a, x);
}

function series(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < 1000 && term > sum * 1e-16; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function fraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 1000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return h;
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
  -0.5395239384953e-5,
] as const;

/** ln Γ(a) for a > 0 (Lanczos, 6 terms: 2e-10 relative). */
function logGamma(a: number): number {
  const t = a + 5.5;
  const sum = LANCZOS.reduce((total, weight, index) => total + weight / (a + 1 + index), 1.000000000190015);
  return (a + 0.5) * Math.log(t) - t + Math.log((2.5066282746310007 * sum) / a);
}
