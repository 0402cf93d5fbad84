import { type ByteRow, cellText, FairwayError, type VariableBaseline } from '@fairway/core';
import { type ClassPlan, ClassTally } from './class-tally.ts';
import { isSummable, NumberTally } from './number-tally.ts';

/** Finite numbers of one column, kept wherever there is room. */
export type Column = {
  push(value: number): void;
  /** All of them, ascending. Called once everything is in; may be called again. */
  sorted(): Float64Array;
  /** The array that `sorted` gave is looked at no more: its memory may hold another column now. */
  done(): void;
};

export type Kind = VariableBaseline['kind'];

/** Which cell of a row is what. */
export type Plan = {
  readonly file: string;
  /** Number of cells that a row must have. */
  readonly width: number;
  readonly variables: ReadonlyArray<{ readonly name: string; readonly cell: number; readonly kind: Kind }>;
  /** `isNumber`: any true value, not 0 or 1. */
  readonly label: { readonly name: string; readonly cell: number; readonly isNumber?: boolean } | undefined;
  readonly score: { readonly name: string; readonly cell: number } | undefined;
  /** Of a model that predicts one of several classes: these stand in the place of `score`. */
  readonly classes?: ClassPlan | undefined;
  /** Label or score column that was asked for and that this file does not have. */
  readonly lacks: readonly string[];
};

/** A cell that breaks what its column promises. */
export type Sight = { readonly line: number; readonly text: string };

type Common = { missing: number; first: Sight | undefined };
export type NumericTally = Common & { readonly kind: 'numeric'; readonly values: Column; invalid: number };
export type CategoryTally = Common & { readonly kind: 'category'; readonly texts: Map<string, number>; padded: number };
export type VariableTally = NumericTally | CategoryTally;

/** A text column with more different texts than this names things instead of sorting them. */
export const MOST_CATEGORIES = 10_000;
const INFINITY = /^[+-]?inf(?:inity)?$/i;

/**
 * Counts and values of one delimited file, row by row. A text in a column planned as numeric turns up in `turned`: only the
 * whole column can say what it is, so a baseline is then read again with the column as a category.
 */
export class Tally {
  readonly plan: Plan;
  readonly variables: ReadonlyMap<string, VariableTally>;
  readonly turned = new Map<string, Sight>();
  rows = 0;
  /** Labelled rows by class, non-events first; `scores` keeps those with a score, `unscored` counts those without. */
  readonly scores: readonly [unlabelled: Column, nonEvents: Column, events: Column];
  readonly unscored: [unlabelled: number, nonEvents: number, events: number] = [0, 0, 0];
  missingScores = 0;
  invalidScores = 0;
  firstInvalidScore: Sight | undefined;
  readonly labels: [nonEvents: number, events: number] = [0, 0];
  /** Of labels that are numbers; then all labelled rows count as non-events. */
  readonly numbers: NumberTally | undefined;
  /** Of a model that predicts one of several classes; then too all labelled rows count as non-events. */
  readonly classes: ClassTally | undefined;
  /** The row that was taken last lacks an input. */
  isIncomplete = false;
  private readonly readers: ReadonlyArray<(row: ByteRow) => boolean>;

  constructor(plan: Plan, newColumn: () => Column) {
    this.plan = plan;
    this.scores = [newColumn(), newColumn(), newColumn()];
    this.numbers = plan.label?.isNumber ? new NumberTally(newColumn()) : undefined;
    this.classes = plan.classes && new ClassTally(plan.classes);
    const tallies = plan.variables.map(({ name, cell, kind }) => {
      const common = { missing: 0, first: undefined };
      const tally: VariableTally =
        kind === 'numeric'
          ? { ...common, kind, values: newColumn(), invalid: 0 }
          : { ...common, kind, texts: new Map(), padded: 0 };
      return { name, cell, tally };
    });
    this.variables = new Map(tallies.map(({ name, tally }) => [name, tally]));
    this.readers = tallies.map(({ name, cell, tally }) =>
      tally.kind === 'numeric' ? this.numeric(name, cell, tally) : texts(cell, tally),
    );
  }

  take(row: ByteRow): void {
    const { width, file } = this.plan;
    if (row.problem !== undefined) throw unreadable(file, row.line, row.problem);
    if (row.cells !== width) throw unreadable(file, row.line, `it has ${row.cells} cells for ${width} columns`);
    this.rows++;
    this.isIncomplete = false;
    for (const read of this.readers) if (read(row)) this.isIncomplete = true;
    if (this.classes !== undefined) this.takeClass(row, this.classes);
    else if (this.numbers === undefined) this.takeScore(row, this.takeLabel(row));
    else this.takeNumbers(row, this.numbers);
  }

  /** Answers whether the value is missing. */
  private numeric(name: string, cell: number, tally: NumericTally): (row: ByteRow) => boolean {
    return (row) => {
      const value = row.number(cell);
      if (Number.isFinite(value)) tally.values.push(value);
      else if (Number.isNaN(value)) tally.missing++;
      else {
        const sight = { line: row.line, text: row.text(cell).trim() };
        tally.invalid++;
        tally.first ??= sight;
        if (!INFINITY.test(sight.text) && !this.turned.has(name)) this.turned.set(name, sight);
      }
      return Number.isNaN(value);
    };
  }

  private takeClass(row: ByteRow, classes: ClassTally): void {
    const { labelled, answered } = classes.take(row, this.plan.label?.cell);
    if (labelled) this.labels[0]++;
    this.unscored[labelled ? 1 : 0]++;
    if (!answered && classes.plan.columns.length > 0) this.missingScores++;
  }

  private takeNumbers(row: ByteRow, numbers: NumberTally): void {
    const { label, score, file } = this.plan;
    const y = label === undefined ? Number.NaN : row.number(label.cell);
    if (label !== undefined && !Number.isNaN(y) && !isSummable(y)) {
      const text = JSON.stringify(row.text(label.cell).trim().slice(0, 40));
      const what = 'but where labels are numbers it is one up to 1e50, or empty where it is not known';
      throw unreadable(file, row.line, `${label.name} is ${text}, ${what}`);
    }
    const group = Number.isNaN(y) ? 0 : 1;
    if (group === 1) this.labels[0]++;
    this.unscored[group]++;
    const value = score === undefined ? Number.NaN : row.number(score.cell);
    if (isSummable(value)) numbers.take(value, y);
    else if (score !== undefined) this.noScore(row, score.cell, value);
  }

  private noScore(row: ByteRow, cell: number, value: number): void {
    if (Number.isNaN(value)) {
      this.missingScores++;
      return;
    }
    this.invalidScores++;
    this.firstInvalidScore ??= { line: row.line, text: row.text(cell).trim() };
  }

  /** 0 unlabelled, 1 non-event, 2 event. */
  private takeLabel(row: ByteRow): 0 | 1 | 2 {
    const { label, file } = this.plan;
    if (label === undefined) return 0;
    const value = row.number(label.cell);
    if (Number.isNaN(value)) return 0;
    if (value !== 0 && value !== 1) {
      const text = JSON.stringify(row.text(label.cell).trim().slice(0, 40));
      throw unreadable(file, row.line, `${label.name} is ${text}, but a label is 0, 1, or empty where it is not known`);
    }
    this.labels[value]++;
    return value === 1 ? 2 : 1;
  }

  private takeScore(row: ByteRow, group: 0 | 1 | 2): void {
    const { score } = this.plan;
    const value = score === undefined ? Number.NaN : row.number(score.cell);
    if (value >= 0 && value <= 1) {
      this.scores[group].push(value);
      return;
    }
    this.unscored[group]++;
    if (score !== undefined) this.noScore(row, score.cell, value);
  }
}

/** Answers whether the value is missing. */
function texts(cell: number, tally: CategoryTally): (row: ByteRow) => boolean {
  return (row) => {
    const raw = row.text(cell);
    const text = cellText(raw);
    if (text === null) {
      tally.missing++;
      return true;
    }
    if (text.length !== raw.length) {
      tally.padded++;
      tally.first ??= { line: row.line, text: raw };
    }
    const known = tally.texts.get(text);
    if (known !== undefined || tally.texts.size <= MOST_CATEGORIES) tally.texts.set(text, (known ?? 0) + 1);
    return false;
  };
}

const unreadable = (file: string, line: number, what: string): FairwayError =>
  new FairwayError('input.invalid', `${file}, line ${line}: ${what}.`);
