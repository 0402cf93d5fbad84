import { mean, type Paired, variance } from './candidate-gate.ts';

/**
 * AUCs by mid-ranks of two models that scored the same rows, and the standard error of their difference: what they share
 * (the rows) cancels out (DeLong, DeLong and Clarke-Pearson 1988; ties count one half). `scores[i]` is the probability of
 * the event for row i, `labels[i]` 1 for an event. null where a class is empty, or a score is NaN: that has no rank.
 */
export function pairedAuc(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  labels: ArrayLike<number>,
): Paired | null {
  if (hasNoRank(first) || hasNoRank(second)) return null;
  const [a, b] = [placements(first, labels), placements(second, labels)];
  const events: number[] = [];
  const others: number[] = [];
  for (let row = 0; row < labels.length; row++) {
    const gap = (b[row] as number) - (a[row] as number);
    if (labels[row] === 1) events.push(gap);
    else others.push(gap);
  }
  if (events.length === 0 || others.length === 0) return null;
  const area = (of: Float64Array) => of.reduce((sum, value, row) => (labels[row] === 1 ? sum + value : sum), 0);
  const few = events.length < 2 || others.length < 2;
  return {
    first: area(a) / events.length,
    second: area(b) / events.length,
    difference: mean(events),
    standardError: few ? null : Math.sqrt(variance(events) / events.length + variance(others) / others.length),
  };
}

const hasNoRank = (scores: ArrayLike<number>): boolean => Array.prototype.some.call(scores, Number.isNaN);

/** Of an event: the share of non-events below it; of a non-event: the share of events above it. Ties count one half. */
function placements(scores: ArrayLike<number>, labels: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: labels.length }, (_, row) => row).sort(
    (a, b) => (scores[a] as number) - (scores[b] as number),
  );
  const events = order.reduce((sum, row) => sum + (labels[row] === 1 ? 1 : 0), 0);
  const others = order.length - events;
  const found = new Float64Array(order.length);
  let [eventsBelow, othersBelow] = [0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start;
    let tied = 0;
    const score = scores[order[start] as number];
    for (; end < order.length && scores[order[end] as number] === score; end++)
      tied += labels[order[end] as number] === 1 ? 1 : 0;
    const tiedOthers = end - start - tied;
    for (const row of order.slice(start, end)) {
      found[row] =
        labels[row] === 1 ? (othersBelow + tiedOthers / 2) / others : (events - eventsBelow - tied / 2) / events;
    }
    eventsBelow += tied;
    othersBelow += tiedOthers;
    start = end;
  }
  return found;
}
