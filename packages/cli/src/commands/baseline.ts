import { type Baseline, canonicalJson, checkName, checkVersion, FairwayError } from '@fairway/core';
import {
  ANY_MISSING,
  baselineOf,
  metricOf,
  MOST_SEGMENT_BINS,
  MOST_SEGMENT_INPUTS,
  segmentInputs,
} from '@fairway/monitor';
import { Command } from 'commander';
import { openSpool } from './analyze-column.ts';
import { classNames, hasNumberLabels, type Read, readBaseline, readHead, scoreColumns } from './analyze-table.ts';
import { columnLines } from './analyze-text.ts';
import { oneCharacter } from './analyze.ts';
import { checkOutputs, writeGiven } from './given-files.ts';

type Options = {
  readonly label?: string;
  readonly score?: string;
  readonly classes?: readonly string[];
  readonly segment: readonly string[];
  readonly model?: string;
  readonly version?: string;
  readonly ignore: readonly string[];
  readonly delimiter?: string;
  readonly out: string;
};

/** `fairway baseline`: the reference profile of a model version, from its training data. */
export function baselineCommand(): Command {
  const another = (value: string, before: readonly string[]) => [...before, value];
  return new Command('baseline')
    .description('write the reference profile (deciles, counts) of training data; the same data gives the same bytes')
    .argument('<file>', 'CSV with a header, any delimiter')
    .option('--label <column>', 'true outcome, 0 or 1, a number, or a class: no input')
    .option('--score <column>', 'score of held-out rows: what decay is measured against')
    .option(
      '--classes <names>',
      'classes by commas, as the model orders them; --score is then a column for the probability of each, by commas, or the column of the predicted class',
      classNames,
    )
    .option('--model <name>', 'model it belongs to, e.g. home-equity')
    .option('--version <version>', 'its version, e.g. 1')
    .option(
      '--segment <input>',
      `an input in whose bins the recorder counts scores and labels too, or ${ANY_MISSING} for rows that lack an input; four at most, may be given again`,
      another,
      [],
    )
    .option('--ignore <column>', 'a column that is no input, such as an id; may be given again', another, [])
    .option('--delimiter <char>', 'where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--out <file>', 'where to write it; - for standard output alone', 'baseline.json')
    .action(writeBaseline);
}

async function writeBaseline(file: string, options: Options): Promise<void> {
  const { label, score, classes, ignore, delimiter, out } = options;
  const model = options.model === undefined ? '' : checkName('Model', options.model);
  const version = options.version === undefined ? '' : checkVersion(options.version);
  checkOutputs([['--out', out]], [file]);
  const head = await readHead(file, delimiter);
  const scores = scoreColumns({ score, classes }).map((name) => ['--score', name]);
  for (const [flag, name] of [['--label', label], ...scores, ...ignore.map((one) => ['--ignore', one])]) {
    if (name === undefined || head.columns.includes(name)) continue;
    throw new FairwayError(
      'input.invalid',
      `${file} has no column ${JSON.stringify(name)} (${flag}); there are: ${head.columns.join(', ')}.`,
    );
  }
  if (score !== undefined && label === undefined) {
    throw new FairwayError(
      'input.invalid',
      '--score says how well the model ranks only with labels: give --label too.',
    );
  }
  const spool = openSpool();
  try {
    const isNumber = label !== undefined && classes === undefined && (await hasNumberLabels(head, label, score));
    const roles = { label, score, classes, ignore, delimiter, isNumber };
    const read = await readBaseline(head, roles, () => spool.newColumn());
    const { baseline: profile, leftOut } = baselineOf(read.tally, { model, version, source: read.sha256 });
    const baseline = withSegments(profile, options.segment);
    const held = isNumber ? baseline.regression?.performance.rows : baseline.performance.rows;
    if (score !== undefined && classes === undefined && held === 0)
      throw isNumber ? noNumbers(file) : oneClass(file, read);
    const text = `${canonicalJson(baseline)}\n`;
    if (out === '-') process.stdout.write(text);
    else writeGiven(['--out', out], text);
    if (out !== '-')
      for (const line of [...columnLines(baseline, leftOut, read), ...summary(baseline, out)]) console.log(line);
  } finally {
    spool.close();
  }
}

/** Declares what the recorder counts by. */
function withSegments(baseline: Baseline, segments: readonly string[]): Baseline {
  if (segments.length === 0) return baseline;
  const declared = { ...baseline, segments };
  const inputs = [...baseline.variables.map(({ name }) => name), ANY_MISSING];
  const isKnown = segments.every((name) => inputs.includes(name)) && new Set(segments).size === segments.length;
  if (isKnown && segments.length <= MOST_SEGMENT_INPUTS && segmentInputs(declared).length > 0) return declared;
  throw new FairwayError(
    'input.invalid',
    isKnown && segments.length <= MOST_SEGMENT_INPUTS
      ? `--segment ${segments.join(', --segment ')}: one of them has more than ${MOST_SEGMENT_BINS} bins.`
      : `--segment ${segments.join(', --segment ')}: name up to ${MOST_SEGMENT_INPUTS} different inputs; there are: ${inputs.join(', ')}.`,
  );
}

const noNumbers = (file: string): FairwayError =>
  new FairwayError('input.invalid', `${file} holds no row with a number as label and as score.`);

function oneClass(file: string, { tally }: Read): FairwayError {
  const [nonEvents, events] = tally.labels;
  const { invalidScores, firstInvalidScore: first } = tally;
  if (invalidScores > 0 && first !== undefined) {
    return new FairwayError(
      'input.invalid',
      `${file}: ${invalidScores.toLocaleString('en-US')} cells of ${tally.plan.score?.name} are no scores from 0 to 1 (first in line ${first.line}: ${JSON.stringify(first.text.slice(0, 40))}), and performance needs scores of events and of non-events; check --score.`,
    );
  }
  return new FairwayError(
    'input.invalid',
    `${file} has ${nonEvents} non-events and ${events} events with a score from 0 to 1 among its labels: performance needs both.`,
  );
}

function summary(baseline: Baseline, out: string): string[] {
  const { performance, regression, classification } = baseline;
  const { auc, ks, rows } = performance;
  const held =
    rows === 0 ? [] : [`  AUC ${auc.toFixed(4)}, KS ${ks.toFixed(4)} on ${rows.toLocaleString('en-US')} rows`];
  const { mae, rmse, rSquared, rows: n } = regression?.performance ?? { mae: 0, rmse: 0, rSquared: 0, rows: 0 };
  const errors = `  MAE ${mae.toPrecision(4)}, RMSE ${rmse.toPrecision(4)}, R² ${rSquared.toFixed(4)} on ${n.toLocaleString('en-US')} rows`;
  const accuracy = metricOf('accuracy').held?.(baseline)?.value;
  const classes = [
    ...(classification === undefined ? [] : [`  classes     ${classification.classes.join(', ')}`]),
    ...(classification === undefined || accuracy === undefined ? [] : [`  accuracy ${accuracy.toFixed(4)}`]),
  ];
  return [...held, ...(n === 0 ? [] : [errors]), ...classes, `Written to ${out}.`];
}
