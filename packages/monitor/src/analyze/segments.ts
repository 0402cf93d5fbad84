import { type ByteRow, binOf, cellText, MISSING_BIN, rightClosedBin, type Segment } from '@fairway/core';
import type { SegmentInput } from '../metrics/segment-counts.ts';
import { sumCells, SumTable } from '../metrics/sums.ts';
import { binNames } from '../moved/bins.ts';
import { lookAtSegments } from '../moved/worst-segments.ts';
import type { WindowCounts } from '../ports.ts';
import { type ClassPlan, classRow } from './class-tally.ts';
import { isSummable } from './number-tally.ts';
import type { Plan, Tally } from './tally.ts';

/** Scores are counted in steps of 0.001 here: thousands of segments stay small, and AUC is off by some 0.0006. */
const STEPS = 1000;
const TO_SCORE_BIN = 10;
/** Fewer rows, or fewer of one class, say nothing of a segment. */
const LEAST = { rows: 100, ofClass: 20 } as const;
const CHANCE = 0.05;
const LISTED = 5;

type Cells = {
  readonly scores: Map<number, [nonEvents: number, events: number]>;
  readonly sums: SumTable;
};

/** Counts of a window's labelled rows by the reference bins of one input or of two, and within them by score, or summed errors. */
export class SegmentTally {
  private readonly variables: readonly SegmentInput[];
  private readonly plan: Plan;
  private readonly binsOf: ReadonlyArray<(row: ByteRow) => number>;
  private readonly cells = new Map<string, Cells>();

  /** Of the rows that `tally` takes, each after it. */
  constructor(tally: Tally, variables: readonly SegmentInput[]) {
    this.plan = tally.plan;
    this.variables = variables;
    this.binsOf = variables.map((variable) => binReader(tally, variable));
  }

  take(row: ByteRow): void {
    const { label, score, classes } = this.plan;
    if (classes !== undefined) {
      this.takeClass(row, classes);
      return;
    }
    if (label === undefined || score === undefined) return;
    const [y, p] = [row.number(label.cell), row.number(score.cell)];
    if (Number.isNaN(y) || !(label.isNumber ? isSummable(p) : p >= 0 && p <= 1)) return;
    const cells = this.cellsOf(row);
    if (cells === undefined) return;
    if (label.isNumber) for (const cell of sumCells(p, y)) cells.sums.add(cell);
    else addScore(cells, p, y);
  }

  /** What is right is kept as an event of a model that always predicts one: its accuracy is that of the classes. */
  private takeClass(row: ByteRow, plan: ClassPlan): void {
    const { truth, answer } = classRow(plan, row, this.plan.label?.cell);
    if (truth === null || plan.columns.length === 0) return;
    const cells = this.cellsOf(row);
    if (cells !== undefined) addScore(cells, 1, truth >= 0 && answer.predicted === truth ? 1 : 0);
  }

  /** undefined: a value that is no finite number is in no segment. */
  private cellsOf(row: ByteRow): Cells | undefined {
    const bins = this.binsOf.map((read) => read(row));
    if (bins.some((bin) => bin < MISSING_BIN)) return undefined;
    const key = bins.join();
    let cells = this.cells.get(key);
    if (cells === undefined) this.cells.set(key, (cells = { scores: new Map(), sums: new SumTable() }));
    return cells;
  }

  /** The worst first; Bonferroni over all segments that are large enough to look at. */
  worst(window: WindowCounts): Segment[] {
    const isClasses = this.plan.classes !== undefined;
    const metric = isClasses ? 'accuracy' : this.plan.label?.isNumber ? 'mae' : 'auc';
    const segments = [...this.cells].map(([key, cells]) => ({ key, where: this.nameOf(key), counts: countsOf(cells) }));
    const looked = lookAtSegments(metric, isClasses ? sumOf(segments) : window, segments, LEAST);
    return looked
      .filter(({ gap, p }) => gap > 0 && p < CHANCE / looked.length)
      .slice(0, LISTED)
      .map(({ segment }) => segment);
  }

  private nameOf(key: string): Record<string, string> {
    const bins = key.split(',').map(Number);
    return Object.fromEntries(
      this.variables.map((variable, at) => [variable.name, binNames(variable).at(bins[at] as number) ?? '']),
    );
  }
}

/** A bin without a value is the last name: `missing` is at -1. */
function binReader(tally: Tally, variable: SegmentInput): (row: ByteRow) => number {
  if (variable.anyOf !== undefined) return () => Number(tally.isIncomplete);
  const cell = tally.plan.variables.find(({ name }) => name === variable.name)?.cell;
  if (cell === undefined) return () => MISSING_BIN;
  if (variable.kind === 'category') return (row) => binOf(variable, cellText(row.text(cell)));
  return (row) => {
    const value = row.number(cell);
    if (Number.isNaN(value)) return MISSING_BIN;
    return Number.isFinite(value) ? rightClosedBin(variable.edges, value) : MISSING_BIN - 1;
  };
}

/** Rows of several classes all lie in one step. */
function sumOf(segments: ReadonlyArray<{ readonly counts: WindowCounts }>): WindowCounts {
  const rows = segments.flatMap(({ counts }) => counts.scores);
  const total = (at: 2 | 3) => rows.reduce((sum, row) => sum + row[at], 0);
  return { variables: {}, scores: [[(STEPS - 1) * TO_SCORE_BIN, 0, total(2), total(3)]] };
}

function addScore({ scores }: Cells, p: number, y: number): void {
  const step = Math.min(Math.floor(p * STEPS), STEPS - 1);
  let counts = scores.get(step);
  if (counts === undefined) scores.set(step, (counts = [0, 0]));
  counts[y === 1 ? 1 : 0]++;
}

function countsOf({ scores, sums: table }: Cells): WindowCounts {
  const sums = table.sums();
  return {
    variables: {},
    scores: [...scores]
      .sort(([a], [b]) => a - b)
      .map(([step, [nonEvents, events]]) => [step * TO_SCORE_BIN, 0, nonEvents, events] as const),
    ...(sums.length === 0 ? {} : { sums }),
  };
}
