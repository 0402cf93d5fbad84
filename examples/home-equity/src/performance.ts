import type { Baseline } from '@fairway/core';
import { auc, FairwayError, groupScores, ksClasses, SCORE_BINS, scoreBin, variableBaseline } from '@fairway/core';
import type { Loan } from './columns.ts';
import { CATEGORICAL, INPUTS } from './columns.ts';

/** AUC and KS of scores on loans. Throws `input.invalid` when one of the classes is empty: then there is neither. */
export function performance(scores: ArrayLike<number>, loans: readonly Loan[]): { auc: number; ks: number } {
  const groups = groupScores(
    scores,
    loans.map(({ BAD }) => BAD),
  );
  const [area, distance] = [auc(groups), ksClasses(groups)];
  if (area === null || distance === null) {
    throw new FairwayError(
      'input.invalid',
      `The ${loans.length} held-out loans are all of one class; train on more labelled rows.`,
    );
  }
  return { auc: area, ks: distance };
}

/** Reference profile: inputs of the training rows, performance and score counts of the held-out rows. */
export function baselineOf(given: {
  readonly model: string;
  readonly version: string;
  readonly source: string;
  readonly training: readonly Loan[];
  readonly heldOut: readonly Loan[];
  readonly scores: ArrayLike<number>;
}): Baseline {
  const { model, version, source, training, heldOut, scores } = given;
  const kind = (name: string) => ((CATEGORICAL as readonly string[]).includes(name) ? 'category' : 'numeric');
  const events = (loans: readonly Loan[]) => loans.filter(({ BAD }) => BAD === 1).length;
  return {
    definition: 1,
    model,
    version,
    rows: training.length,
    events: events(training),
    source,
    variables: INPUTS.map((name) =>
      variableBaseline(
        name,
        kind(name),
        training.map((loan) => loan[name]),
      ),
    ),
    performance: { ...performance(scores, heldOut), rows: heldOut.length, events: events(heldOut) },
    scores: scoreCounts(scores, heldOut),
  };
}

function scoreCounts(scores: ArrayLike<number>, loans: readonly Loan[]): Array<[number, number, number]> {
  const counts = new Map<number, [number, number, number]>();
  for (const [i, { BAD }] of loans.entries()) {
    const bin = scoreBin(scores[i]) ?? SCORE_BINS - 1;
    const count = counts.get(bin) ?? [bin, 0, 0];
    count[BAD === 1 ? 2 : 1] += 1;
    counts.set(bin, count);
  }
  return [...counts.values()].sort((a, b) => a[0] - b[0]);
}
