import { binOf, MISSING_BIN, type ProfileCount, type Scalar } from '@fairway/core';
import { segmentCells, type SegmentInput, type SegmentRow } from '../metrics/segment-counts.ts';
import type { Classed, Segmented } from '../ports.ts';
import { type Counted, countCells } from './count-cells.ts';

/** Where a prediction lies, from the stored view of its inputs: read by the recorder, and again when its label comes. */
export function segmentedBy(view: string, inputs: readonly SegmentInput[]): Segmented {
  const values = JSON.parse(view) as Readonly<Record<string, unknown>>;
  const binIn = (input: SegmentInput) => binOf(input, scalarOf(values[spelt(input.name)]));
  const isIncomplete = (anyOf: readonly SegmentInput[]) => anyOf.some((one) => binIn(one) === MISSING_BIN);
  return { inputs, bins: inputs.map((input) => (input.anyOf ? Number(isIncomplete(input.anyOf)) : binIn(input))) };
}

/** As the view spells a name (app/rows-view.ts). */
const spelt = (name: string): string => (name.startsWith('$') ? `$${name}` : name);

function scalarOf(value: unknown): Scalar | undefined {
  if (typeof value !== 'object' || value === null) return value as Scalar | undefined;
  if (!('$' in value)) return JSON.stringify(value);
  const tag = value as { $: unknown; value?: unknown };
  if (tag.value === undefined) return tag.$ === 'NaN' ? null : Number(tag.$);
  return typeof tag.value === 'string' ? tag.value : JSON.stringify(tag.value);
}

type Row = Counted & {
  readonly score: number | null;
  readonly segmented?: Segmented | undefined;
  readonly classed?: Classed | undefined;
  readonly isNumber?: boolean;
};

/** Counts of predictions by segment; those of models that declare none give none. */
export const segmentCounts = (rows: readonly Row[]): ProfileCount[] =>
  countCells(rows, (row) =>
    row.segmented === undefined ? [] : segmentCells(row.segmented.inputs, row.segmented.bins, inSegment(row)),
  );

/** A true class that the baseline lacks is below 0, or a key: no prediction of it is right. */
function inSegment({ score, label, classed, isNumber = false }: Row): SegmentRow {
  if (classed === undefined) return { predicts: isNumber ? 'numbers' : 'events', score, label };
  const isRight = label === null ? null : classed.predicted >= 0 && classed.predicted === label;
  return { predicts: 'classes', isRight };
}
