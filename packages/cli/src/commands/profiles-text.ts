import { printable } from './printable.ts';
import { table } from './table.ts';

type Cell = { readonly stored: number | null; readonly rows: number };
type Difference = Cell &
  (
    | { readonly variable: string; readonly bin: number }
    | { readonly score: number; readonly label: number }
    | { readonly packed: string }
  );

/** An hour whose counts differ from its rows; `all`: differences that there are, of which `differences` are the first. */
export type HourLine = {
  readonly hour: string;
  readonly version: string;
  readonly environment: string;
  readonly differences: readonly Difference[];
  readonly all: number;
  readonly mended: boolean;
  readonly kept?: string;
};

/** Hours and rows that were read, and how many counts differed and were mended. */
export type Done = {
  readonly hours: number;
  readonly kept: number;
  readonly rows: number;
  readonly differences: number;
  readonly mended: number;
};

/** Differences in a table; more are not read by anybody. */
const SHOWN = 40;

/** What a rebuild found, for a person. */
export function profilesText(hours: readonly HourLine[], done: Done, verify: boolean): string {
  const cells = hours.flatMap((hour) => hour.differences.map((difference) => row(hour, difference)));
  const header = ['hour', 'version', 'environment', 'of', 'bin', 'counted', 'rows'];
  const more = done.differences - Math.min(cells.length, SHOWN);
  const lines = [
    ...(cells.length === 0 ? [] : [...table([header, ...cells.slice(0, SHOWN)]).split('\n'), '']),
    ...(more > 0 ? [`${count(more)} more differences.`, ''] : []),
    ...hours.flatMap(({ hour, version, kept }) =>
      kept === undefined ? [] : [`${hour} (v${version}) is kept: ${kept}.`],
    ),
    `${count(done.rows)} predictions in ${count(done.hours)} hours counted again: ${outcome(done, verify)}`,
  ];
  return lines.map(printable).join('\n');
}

function outcome({ differences, mended, kept }: Done, verify: boolean): string {
  const compared = kept === 0 ? '' : ` ${count(kept)} ${kept === 1 ? 'hour' : 'hours'} could not be compared.`;
  if (differences === 0) return `every count ${kept === 0 ? '' : 'of the others '}is what the rows give.${compared}`;
  if (verify) return `${count(differences)} counts differ; the same command without --verify mends them.`;
  return `${count(mended)} counts mended.`;
}

function row({ hour, version, environment }: HourLine, difference: Difference): string[] {
  const [of, bin] = cellOf(difference);
  const { stored, rows } = difference;
  return [hour.slice(0, 13), version, environment, of, bin, stored === null ? 'none' : String(stored), String(rows)];
}

function cellOf(difference: Difference): readonly [of: string, bin: string] {
  if ('packed' in difference) return [`the ${difference.packed}, packed`, 'all'];
  if ('variable' in difference) return [difference.variable, String(difference.bin)];
  return [`score, label ${difference.label}`, String(difference.score)];
}

const count = (value: number): string => value.toLocaleString('en-US');
