import { FairwayError, type ModelVersion } from '@fairway/core';
import { checkColumns, type Mapping, type Scored } from '../rows/mapping.ts';
import { jsonRow, namedRow, usable } from '../rows/row.ts';
import type { FileRecord, Refusal } from './records.ts';

/** What the columns of the tailed files mean. */
export type TailMapping = {
  readonly model: string;
  readonly environment: string;
  readonly time: string;
  readonly score: string;
  readonly label: string | undefined;
  readonly version: { readonly fixed: string } | { readonly column: string };
  /** The versions that are known now, by number. */
  versions(): ReadonlyMap<string, ModelVersion>;
};

/** How the records of a file are read; both null: JSON Lines. */
export type Layout = { readonly delimiter: string | null; readonly columns: readonly string[] | null };

export type TextRecord = Extract<FileRecord, { kind: 'text' }>;
export type TableRow =
  | { readonly scored: Scored; readonly at: number; readonly mapping: Mapping }
  | { readonly refusal: Refusal; readonly problem: string };

/** The columns without which no row of a file can be used. */
export const requiredColumns = ({ time, score, label, version }: TailMapping): string[] => [
  time,
  score,
  ...(label === undefined ? [] : [label]),
  ...('column' in version ? [version.column] : []),
];

/** Why a header makes all its rows unusable, or undefined. */
export function headerProblem(columns: readonly string[], mapping: TailMapping): string | undefined {
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) return `the header has more than one column ${JSON.stringify(twice)}`;
  const missing = requiredColumns(mapping).filter((name) => !columns.includes(name));
  if (missing.length === 0) return undefined;
  const there = columns.map((name) => JSON.stringify(name)).join(', ');
  return `the header lacks ${missing.map((name) => JSON.stringify(name)).join(', ')}; there are ${there}`;
}

/** Reads the records of a file that has this layout. */
export function tableReader(mapping: TailMapping, { columns }: Layout): (record: TextRecord) => TableRow {
  const header = columns === null ? undefined : headerProblem(columns, mapping);
  const checked = new Map<ModelVersion, string | undefined>();
  const lacking = (modelVersion: ModelVersion, whole: Mapping): string | undefined => {
    if (columns === null) return undefined;
    if (!checked.has(modelVersion)) checked.set(modelVersion, columnProblem(columns, whole));
    return checked.get(modelVersion);
  };
  return (record) => {
    if (header !== undefined) return { refusal: 'tail_header', problem: header };
    const row = columns === null ? jsonRow(0, record.text) : namedRow(columns, { ...record, line: 0 });
    if ('problem' in row) return { refusal: 'tail_unreadable', problem: row.problem };
    const version = 'fixed' in mapping.version ? mapping.version.fixed : versionOf(row.cells[mapping.version.column]);
    const modelVersion = mapping.versions().get(version);
    if (modelVersion === undefined) {
      return { refusal: 'tail_version', problem: `there is no modelversion.json of its version of ${mapping.model}` };
    }
    const { environment, time, score, label } = mapping;
    const whole = {
      modelVersion,
      environment,
      time: { column: time },
      score,
      ...(label === undefined ? {} : { label }),
    };
    const lacks = lacking(modelVersion, whole);
    if (lacks !== undefined) return { refusal: 'tail_header', problem: lacks };
    const found = usable(row, whole);
    if ('problem' in found) return { refusal: 'tail_unusable', problem: found.problem };
    return { scored: found.scored, at: found.scored.time ?? 0, mapping: whole };
  };
}

const versionOf = (cell: unknown): string =>
  typeof cell === 'string' ? cell.trim() : typeof cell === 'number' ? String(cell) : '';

function columnProblem(columns: readonly string[], mapping: Mapping): string | undefined {
  try {
    checkColumns('the header', columns, mapping);
    return undefined;
  } catch (error) {
    if (error instanceof FairwayError) return error.message;
    throw error;
  }
}
