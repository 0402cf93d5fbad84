/**
 * Score groups in ascending order of score: `[score, non-events, events]`. Everything about ranking power follows
 * from them; ties are exact by construction.
 */
export type ScoreGroup = readonly [score: number, nonEvents: number, events: number];

/** Distinct scores in ascending order with their counts, 20 bytes each: what a million of them cost in memory decides. */
export type ScoreTable = {
  readonly scores: Float64Array;
  readonly unlabelled: Uint32Array;
  readonly nonEvents: Uint32Array;
  readonly events: Uint32Array;
};

/** Area under the ROC curve by mid-ranks: equal scores count one half. null when a class is empty. */
export function auc(groups: Iterable<ScoreGroup>): number | null {
  let below = 0;
  let wins = 0;
  let events = 0;
  for (const [, negative, positive] of groups) {
    wins += positive * (below + negative / 2);
    below += negative;
    events += positive;
  }
  return events === 0 || below === 0 ? null : wins / (events * below);
}

/** Kolmogorov–Smirnov distance between the classes, read after all ties at a score. null when a class is empty. */
export function ksClasses(groups: Iterable<ScoreGroup>): number | null {
  let negatives = 0;
  let positives = 0;
  for (const [, negative, positive] of groups) {
    negatives += negative;
    positives += positive;
  }
  if (negatives === 0 || positives === 0) return null;
  let seenNegatives = 0;
  let seenPositives = 0;
  let distance = 0;
  for (const [, negative, positive] of groups) {
    seenNegatives += negative;
    seenPositives += positive;
    distance = Math.max(distance, Math.abs(seenPositives / positives - seenNegatives / negatives));
  }
  return distance;
}

/** Groups equal scores; `scores[i]` is the probability of the event for row i, `labels[i]` 1 for an event. */
export function groupScores(scores: ArrayLike<number>, labels: ArrayLike<number>): ScoreGroup[] {
  const groups = new Map<number, [number, number, number]>();
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    const group = groups.get(score) ?? [score, 0, 0];
    group[labels[i] === 1 ? 2 : 1] += 1;
    groups.set(score, group);
  }
  return [...groups.values()].sort((a, b) => a[0] - b[0]);
}

/** Groups of two ascending lists of scores, found while they are walked: nothing is held but the lists. */
export const mergedScores = (nonEvents: Float64Array, events: Float64Array): Iterable<ScoreGroup> => ({
  *[Symbol.iterator]() {
    let [i, j] = [0, 0];
    while (i < nonEvents.length || j < events.length) {
      const score = Math.min(nonEvents[i] ?? Number.POSITIVE_INFINITY, events[j] ?? Number.POSITIVE_INFINITY);
      const [fromI, fromJ] = [i, j];
      while (nonEvents[i] === score) i++;
      while (events[j] === score) j++;
      yield [score, i - fromI, j - fromJ];
    }
  },
});

/** Distinct scores of three ascending lists. */
export function scoreTable(unlabelled: Float64Array, nonEvents: Float64Array, events: Float64Array): ScoreTable {
  const lists = [unlabelled, nonEvents, events] as const;
  const size = distinct(lists);
  const table = {
    scores: new Float64Array(size),
    unlabelled: new Uint32Array(size),
    nonEvents: new Uint32Array(size),
    events: new Uint32Array(size),
  };
  const into = [table.unlabelled, table.nonEvents, table.events] as const;
  merge(lists, (row, score, list, count) => {
    table.scores[row] = score;
    (into[list] as Uint32Array)[row] = count;
  });
  return table;
}

type Lists = readonly [Float64Array, Float64Array, Float64Array];

function distinct(lists: Lists): number {
  let size = 0;
  merge(lists, (row) => (size = row + 1));
  return size;
}

/** Walks the lists in step; says for each distinct score how often each list has it. */
function merge(lists: Lists, visit: (row: number, score: number, list: number, count: number) => void): void {
  const at = [0, 0, 0];
  const head = (list: number) => lists[list]?.[at[list] ?? 0] ?? Number.POSITIVE_INFINITY;
  for (let row = 0; ; row++) {
    const score = Math.min(head(0), head(1), head(2));
    if (score === Number.POSITIVE_INFINITY) return;
    for (let list = 0; list < 3; list++) {
      const from = at[list] as number;
      const values = lists[list] as Float64Array;
      let to = from;
      while (values[to] === score) to++;
      at[list] = to;
      if (to > from) visit(row, score, list, to - from);
    }
  }
}
