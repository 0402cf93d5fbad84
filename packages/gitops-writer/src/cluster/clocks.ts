/** Seconds that two clocks may be apart without a word: whole seconds of a header, and a slow answer. */
export const SKEW_TOLD_S = 5;

/**
 * Whole seconds between another server's clock, as its `Date` header says it (whole seconds), and ours, read `before` and `after` the
 * request (ms since 1970). Undefined when it does not say its time.
 */
export function clockSkewS(date: string | undefined, before: number, after: number): number | undefined {
  const server = Date.parse(date ?? '');
  if (Number.isNaN(server)) return undefined;
  const skew = server > after ? server - after : Math.max(0, before - server - 999);
  return Math.round(skew / 1000);
}

/** Two clocks that are apart, for a person: what it means and the mend. */
export const skewMend = (seconds: number): string =>
  `the API server's clock and this one are ${seconds} s apart: let both take their time from the same NTP servers; tokens, certificates and the age of predictions are judged by it`;
