import { type ByteRow, cellText, type ClassBaseline } from '@fairway/core';
import { classOf } from '../app/class-answer.ts';
import { argMax, classCells, matrixOf } from '../metrics/class-counts.ts';
import type { ClassAnswer, WindowCounts } from '../ports.ts';

/** Where a file says what the model predicted: a column for each class's probability, in their order, or one for the class. */
export type ClassPlan = {
  readonly classes: readonly string[];
  readonly columns: ReadonlyArray<{ readonly name: string; readonly cell: number }>;
};

/** A class that no baseline knows: any number below 0 says so. */
const UNKNOWN = -1;

/** Counts of a file's predictions among several classes, as the recorder would keep them. */
export class ClassTally {
  readonly plan: ClassPlan;
  private readonly cells = new Map<string, Map<number, number>>();

  constructor(plan: ClassPlan) {
    this.plan = plan;
  }

  /** `label`: the cell of the true class. Answers whether the row has one, and whether it has a prediction. */
  take(row: ByteRow, label: number | undefined): { readonly labelled: boolean; readonly answered: boolean } {
    const { truth, answer } = classRow(this.plan, row, label);
    for (const [variable, bin, count] of classCells(answer, truth, this.plan.classes.length)) {
      let bins = this.cells.get(variable);
      if (bins === undefined) this.cells.set(variable, (bins = new Map()));
      bins.set(bin, (bins.get(bin) ?? 0) + count);
    }
    return { labelled: truth !== null, answered: answer.predicted >= 0 };
  }

  counts(): WindowCounts['variables'] {
    const sorted = (bins: ReadonlyMap<number, number>) =>
      [...bins].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b);
    return Object.fromEntries(
      [...this.cells]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([variable, bins]) => [variable, sorted(bins)] as const)
        .filter(([, bins]) => bins.length > 0),
    );
  }

  /** What later predictions are held against; without predictions of its own, only which classes there are. */
  reference(): ClassBaseline {
    const { classes, columns } = this.plan;
    const names = columns.length > 1 ? columns.map(({ name }) => name) : [];
    if (columns.length === 0) return { classes, columns: names, predicted: classes.map(() => 0), heldOut: {} };
    const heldOut = this.counts();
    const predicted = matrixOf({ variables: heldOut, scores: [] }, classes.length)?.predicted ?? [];
    return { classes, columns: names, predicted: predicted.slice(0, classes.length), heldOut };
  }
}

/** What a row says: its true class (null: none), and what the model said. `label`: the cell of the true class. */
export function classRow(
  plan: ClassPlan,
  row: ByteRow,
  label: number | undefined,
): { readonly truth: number | null; readonly answer: ClassAnswer } {
  const text = label === undefined ? null : cellText(row.text(label));
  const truth = text === null ? null : (classOf(plan.classes, text) ?? UNKNOWN);
  return { truth, answer: answerOf(plan, row) };
}

function answerOf({ classes, columns }: ClassPlan, row: ByteRow): ClassAnswer {
  const [first] = columns;
  if (first === undefined) return { predicted: -1, probabilities: null };
  if (columns.length === 1) return { predicted: classOf(classes, row.text(first.cell)) ?? -1, probabilities: null };
  const probabilities = columns.map(({ cell }) => row.number(cell));
  const known = probabilities.every((p) => p >= 0 && p <= 1);
  return known ? { predicted: argMax(probabilities), probabilities } : { predicted: -1, probabilities: null };
}
