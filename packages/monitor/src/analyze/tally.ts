import { type ByteRow, cellText, FairwayError, type VariableBaseline } from '@fairway/core';

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
  readonly label: { readonly name: string; readonly cell: number } | undefined;
  readonly score: { readonly name: string; readonly cell: number } | undefined;
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
  invalidScores = 0;
  firstInvalidScore: Sight | undefined;
  readonly labels: [nonEvents: number, events: number] = [0, 0];
  private readonly readers: ReadonlyArray<(row: ByteRow) => void>;

  constructor(plan: Plan, newColumn: () => Column) {
    this.plan = plan;
    this.scores = [newColumn(), newColumn(), newColumn()];
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
      tally.kind === 'numeric' ? this.numbers(name, cell, tally) : texts(cell, tally),
    );
  }

  take(row: ByteRow): void {
    const { width, file } = this.plan;
    if (row.problem !== undefined) throw unreadable(file, row.line, row.problem);
    if (row.cells !== width) throw unreadable(file, row.line, `it has ${row.cells} cells for ${width} columns`);
    this.rows++;
    for (const read of this.readers) read(row);
    this.takeScore(row, this.takeLabel(row));
  }

  private numbers(name: string, cell: number, tally: NumericTally): (row: ByteRow) => void {
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
    };
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
    if (score === undefined || Number.isNaN(value)) return;
    this.invalidScores++;
    this.firstInvalidScore ??= { line: row.line, text: row.text(score.cell).trim() };
  }
}

function texts(cell: number, tally: CategoryTally): (row: ByteRow) => void {
  return (row) => {
    const raw = row.text(cell);
    const text = cellText(raw);
    if (text === null) {
      tally.missing++;
      return;
    }
    if (text.length !== raw.length) {
      tally.padded++;
      tally.first ??= { line: row.line, text: raw };
    }
    const known = tally.texts.get(text);
    if (known !== undefined || tally.texts.size <= MOST_CATEGORIES) tally.texts.set(text, (known ?? 0) + 1);
  };
}

const unreadable = (file: string, line: number, what: string): FairwayError =>
  new FairwayError('input.invalid', `${file}, line ${line}: ${what}.`);
