import {
  type ByteRow,
  cellText,
  FairwayError,
  type GateAsked,
  type Paired,
  pairedAccuracy,
  pairedAuc,
  pairedErrors,
  pairedInterval,
  passesGate,
} from '@fairway/core';
import { Command, Option } from 'commander';
import { eachRow, readHead } from './analyze-table.ts';
import { oneCharacter } from './analyze.ts';
import { finiteNumber } from './numbers.ts';

const TARGETS = ['event', 'number', 'class'] as const;
type Target = (typeof TARGETS)[number];

export type Options = {
  readonly label: string;
  readonly champion: string;
  readonly candidate: string;
  readonly target: Target;
  readonly margin: number;
  readonly z?: number;
  readonly delimiter?: string;
};

/** Of the retrain Job (docs/retrain.md): the champion stays. */
const REFUSED = 10;

/** `fairway gate`: the retrain Job's gate for a trainer in any language. */
export function gateCommand(): Command {
  return new Command('gate')
    .description('whether a candidate beats the champion on the same held-out rows, as the retrain Job asks')
    .argument('<file>', 'CSV of held-out rows with the true outcome and what both models say; any delimiter')
    .requiredOption('--label <column>', 'true outcome')
    .requiredOption('--champion <column>', "the champion's probability of the event, number or class")
    .requiredOption('--candidate <column>', "the candidate's")
    .addOption(new Option('--target <what>', 'what is predicted').choices(TARGETS).default('event'))
    .addOption(
      new Option('--margin <share>', 'AUC, share of the mean absolute error, or accuracy by which to beat it')
        .env('FAIRWAY_GATE_MARGIN')
        .argParser(finiteNumber)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--z <errors>', 'standard errors of the difference by which it must lie beyond chance')
        .env('FAIRWAY_GATE_Z')
        .argParser(finiteNumber),
    )
    .option('--delimiter <char>', 'where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--json', 'print as JSON', false)
    .addHelpText('after', '\nExit codes: 0 the candidate passes · 10 it does not · 1 the file cannot be used')
    .action(async (file: string, { json, ...options }: Options & { json: boolean }) => {
      const answer = await gateOfFile(file, options);
      console.log(json ? JSON.stringify(answer) : gateText(answer, options));
      process.exitCode = answer.passes ? 0 : REFUSED;
    });
}

/** `rows`: with a known outcome. `paired` null: the rows cannot say which is better, so the candidate does not pass. */
export type GateAnswer = {
  readonly passes: boolean;
  readonly rows: number;
  readonly paired: Paired | null;
  readonly interval: readonly [low: number, high: number] | null;
};

/** Throws `input.invalid` for a column that is not there and an outcome that is none; rows without outcome are left out. */
export async function gateOfFile(file: string, options: Options): Promise<GateAnswer> {
  const { label, champion, candidate, target, margin, z, delimiter } = options;
  const head = await readHead(file, delimiter);
  const cells = [label, champion, candidate].map((name) => {
    const cell = head.columns.indexOf(name);
    if (cell >= 0) return cell;
    throw new FairwayError(
      'input.invalid',
      `${file} has no column ${JSON.stringify(name)}; there are: ${head.columns.join(', ')}.`,
    );
  });
  const { rows, paired } = await comparedIn(head, cells, target);
  const asked: GateAsked = { margin, z };
  return { passes: passesGate(paired, asked), rows, paired, interval: pairedInterval(paired) };
}

type Head = Awaited<ReturnType<typeof readHead>>;

async function comparedIn(
  head: Head,
  cells: readonly number[],
  target: Target,
): Promise<Pick<GateAnswer, 'rows' | 'paired'>> {
  if (target === 'class') {
    const text = (row: ByteRow, cell: number) => cellText(row.text(cell));
    const [outcomes, champion, candidate] = await columnsOf(head, cells, text, (outcome) => outcome !== null);
    return { rows: outcomes.length, paired: pairedAccuracy(champion, candidate, outcomes) };
  }
  const number = (row: ByteRow, cell: number) => numberIn(head, row, cell);
  const [outcomes, champion, candidate] = await columnsOf(head, cells, number, (outcome) => !Number.isNaN(outcome));
  if (target === 'event') checkEvents(head, outcomes);
  const compare = target === 'event' ? pairedAuc : pairedErrors;
  return { rows: outcomes.length, paired: compare(champion, candidate, outcomes) };
}

/** NaN where it is missing: a model that gave none cannot be compared. A text is a column that was mistaken for another. */
function numberIn({ file, columns }: Head, row: ByteRow, cell: number): number {
  const value = row.number(cell);
  if (Number.isNaN(value) || Number.isFinite(value)) return value;
  const seen = JSON.stringify(row.text(cell).slice(0, 40));
  throw new FairwayError(
    'input.invalid',
    `${file}, line ${row.line}: ${columns[cell]} is ${seen}, which is no finite number. Give --target class where classes are predicted.`,
  );
}

/** Outcome, champion and candidate of the rows whose outcome is known. */
async function columnsOf<T>(
  head: Head,
  cells: readonly number[],
  read: (row: ByteRow, cell: number) => T,
  isKnown: (outcome: T) => boolean,
): Promise<[outcomes: T[], champion: T[], candidate: T[]]> {
  const columns: [T[], T[], T[]] = [[], [], []];
  await eachRow(head, (row) => {
    if (row.problem !== undefined || row.cells !== head.columns.length) {
      const why = row.problem ?? `it has ${row.cells} cells, and the header ${head.columns.length}`;
      throw new FairwayError('input.invalid', `${head.file}, line ${row.line}: ${why}.`);
    }
    const [outcome, champion, candidate] = cells.map((cell) => read(row, cell)) as [T, T, T];
    if (!isKnown(outcome)) return;
    columns[0].push(outcome);
    columns[1].push(champion);
    columns[2].push(candidate);
  });
  return columns;
}

function checkEvents({ file }: Head, outcomes: readonly number[]): void {
  const other = outcomes.find((one) => one !== 0 && one !== 1);
  if (other === undefined) return;
  throw new FairwayError(
    'input.invalid',
    `${file} has the outcome ${other}: an event is 0 or 1. Give --target number or --target class for others.`,
  );
}

const FIGURE: Readonly<Record<Target, string>> = { event: 'AUC', number: 'mean absolute error', class: 'accuracy' };

export function gateText({ passes, rows, paired, interval }: GateAnswer, { target, margin, z }: Options): string {
  const on = `on ${rows.toLocaleString('en-US')} rows`;
  if (paired === null) return `Refused: the two models cannot be compared ${on}; the champion stays.`;
  const known = interval === null ? '' : ` (95 %: ${interval.map((end) => end.toFixed(4)).join(' to ')})`;
  const beyond = z === undefined ? '' : ` and ${z} standard errors beyond chance`;
  const { difference } = paired;
  const by = `${Math.abs(difference).toFixed(4)}${target === 'number' ? ' of it' : ''}`;
  const how = difference === 0 ? 'no better' : `${difference > 0 ? 'better' : 'worse'} by ${by}`;
  return `${passes ? 'Passed' : 'Refused'}: ${FIGURE[target]} ${paired.second.toPrecision(4)} against ${paired.first.toPrecision(4)} of the champion ${on}: ${how}${known}, asked for ${margin}${beyond}.`;
}
