import { writeFileSync } from 'node:fs';
import { type Baseline, canonicalJson, checkName, checkVersion, FairwayError } from '@fairway/core';
import { baselineOf } from '@fairway/monitor';
import { Command } from 'commander';
import { openSpool } from './analyze-column.ts';
import { type Read, readBaseline, readHead } from './analyze-table.ts';
import { columnLines } from './analyze-text.ts';
import { oneCharacter } from './analyze.ts';

type Options = {
  readonly label?: string;
  readonly score?: string;
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
    .option('--label <column>', 'true outcome, 0 or 1: no input')
    .option('--score <column>', 'score of held-out rows: what decay is measured against')
    .option('--model <name>', 'model it belongs to, e.g. home-equity')
    .option('--version <version>', 'its version, e.g. 1')
    .option('--ignore <column>', 'a column that is no input, such as an id; may be given again', another, [])
    .option('--delimiter <char>', 'where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--out <file>', 'where to write it; - for standard output alone', 'baseline.json')
    .action(writeBaseline);
}

async function writeBaseline(file: string, options: Options): Promise<void> {
  const { label, score, ignore, delimiter, out } = options;
  const model = options.model === undefined ? '' : checkName('Model', options.model);
  const version = options.version === undefined ? '' : checkVersion(options.version);
  const head = await readHead(file, delimiter);
  for (const [flag, name] of [['--label', label], ['--score', score], ...ignore.map((one) => ['--ignore', one])]) {
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
    const read = await readBaseline(head, { label, score, ignore, delimiter }, () => spool.newColumn());
    const { baseline, leftOut } = baselineOf(read.tally, { model, version, source: read.sha256 });
    if (score !== undefined && baseline.performance.rows === 0) throw oneClass(file, read);
    const text = `${canonicalJson(baseline)}\n`;
    if (out === '-') process.stdout.write(text);
    else writeFileSync(out, text);
    if (out !== '-')
      for (const line of [...columnLines(baseline, leftOut, read), ...summary(baseline, out)]) console.log(line);
  } finally {
    spool.close();
  }
}

function oneClass(file: string, { tally }: Read): FairwayError {
  const [nonEvents, events] = tally.labels;
  return new FairwayError(
    'input.invalid',
    `${file} has ${nonEvents} non-events and ${events} events with a score from 0 to 1 among its labels: performance needs both.`,
  );
}

function summary({ performance: { auc, ks, rows } }: Baseline, out: string): string[] {
  const held =
    rows === 0 ? [] : [`  AUC ${auc.toFixed(4)}, KS ${ks.toFixed(4)} on ${rows.toLocaleString('en-US')} rows`];
  return [...held, `Written to ${out}.`];
}
