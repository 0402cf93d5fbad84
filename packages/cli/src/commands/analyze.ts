import { basename } from 'node:path';
import type { VerdictState } from '@fairway/core';
import { analysisPage, defaultPolicy, defaultPolicyText, type Policy, worst } from '@fairway/monitor';
import { Command, InvalidArgumentError } from 'commander';
import { openSpool } from './analyze-column.ts';
import { analyzeFiles, type Files } from './analyze-files.ts';
import { classNames, inputsOf, readHead } from './analyze-table.ts';
import { analysisText, columnLines } from './analyze-text.ts';
import { checkOutputs, type Output, writeGiven } from './given-files.ts';
import { readPolicy } from './policy-file.ts';

type Options = Partial<Pick<Files, 'baseline'>> &
  Omit<Files, 'baseline'> & {
    readonly policy?: string;
    readonly printPolicy: boolean;
    readonly json?: string;
    readonly html?: string;
  };

/** Beside 0 (done), 1 (failed) and 2 (wrong usage) of every command. */
const EXIT: Readonly<Record<VerdictState, number>> = { healthy: 0, warning: 3, alert: 4, insufficient: 5 };

/** `fairway analyze`: profile, figures and verdict of files, by the code that judges a running model. */
export function analyzeCommand(): Command {
  const more = (value: string, before: readonly string[]) => [...before, value];
  return new Command('analyze')
    .description('compare scored files with the training data: drift, performance, verdict; needs no services')
    .option('--baseline <file>', 'training data: CSV with a header, any delimiter')
    .option('--window <file>', 'a period to judge, oldest first; may be given again', more, [])
    .option('--label <column>', 'true outcome: 0, 1, a number, or a class; empty where it is not known')
    .option('--score <column>', 'probability of the event that the model gave, or the number that it predicted')
    .option(
      '--classes <names>',
      'classes by commas, as the model orders them; --score is then a column for the probability of each, by commas, or the column of the predicted class',
      classNames,
    )
    .option(
      '--baseline-score <column>',
      'the same in the baseline (default: the first good window is what decay is from)',
    )
    .option('--ignore <column>', 'a column that is no input, such as an id; may be given again', more, [])
    .option(
      '--segment <inputs>',
      'show where the model does worst: one input or two, such as JOB,REASON; may be given again',
      more,
      [],
    )
    .option('--delimiter <char>', 'where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--target <kind>', 'class (labels 0 and 1) or number (default: seen in the labels)', targetKind)
    .option('--cutoff <score>', 'an event is predicted from this score on', probability, 0.5)
    .option('--policy <file>', 'policy.yaml to judge by (default: see --print-policy)')
    .option('--print-policy', 'print the policy that holds where none is given; with --baseline, for its inputs', false)
    .option('--json <file>', 'write all figures as JSON; - for standard output alone')
    .option('--html <file>', 'write a report that needs nothing but itself')
    .addHelpText(
      'after',
      '\nExit codes: 0 healthy · 3 warning · 4 alert · 5 not enough data · 1 failed, the last line says why · 2 wrong usage\nOf several windows, the verdict that must not be overlooked counts: alert, warning, not enough data, healthy.',
    )
    .action((options: Options, command: Command) => {
      if (options.printPolicy || (options.baseline !== undefined && options.window.length > 0)) return analyze(options);
      return command.error('error: Nothing to compare: give --baseline FILE and at least one --window FILE.');
    });
}

export function oneCharacter(text: string): string {
  const char = text === 'tab' || text === '\\t' ? '\t' : text;
  if (char.length === 1 && char !== '"' && char !== '\n') return char;
  throw new InvalidArgumentError('It must be one character (such as ; or |), or the word tab.');
}

function probability(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

function targetKind(text: string): 'class' | 'number' {
  if (text === 'class' || text === 'number') return text;
  throw new InvalidArgumentError('It must be class or number.');
}

async function analyze(options: Options): Promise<void> {
  if (options.printPolicy) {
    return console.log(await policyText(options));
  }
  const { baseline = '', window } = options;
  checkOutputs(outputsOf(options), [baseline, ...window, ...(options.policy === undefined ? [] : [options.policy])]);
  const policy = policyOf(options);
  const spool = openSpool();
  try {
    const { windows, base, leftOut, read } = await analyzeFiles({ ...options, baseline }, policy, spool);
    const verdict = worst(windows.map((one) => one.verdict));
    const inputs = base.variables.map(({ name, kind }) => ({ name, kind }));
    const result = { windows, verdict, baseline: { name: basename(baseline), rows: base.rows, inputs, leftOut } };
    if (options.json === '-') console.log(JSON.stringify(result, undefined, 2));
    else if (options.json !== undefined)
      writeGiven(['--json', options.json], `${JSON.stringify(result, undefined, 2)}\n`);
    if (options.html !== undefined) writeGiven(['--html', options.html], analysisPage(result.baseline, base, windows));
    if (options.json !== '-') for (const line of columnLines(base, leftOut, read)) console.log(line);
    if (options.json !== '-') console.log(analysisText(windows));
    process.exitCode = EXIT[verdict];
  } finally {
    spool.close();
  }
}

const outputsOf = ({ json, html }: Options): Output[] => [
  ...(json === undefined ? [] : [['--json', json] as const]),
  ...(html === undefined ? [] : [['--html', html] as const]),
];

/** The default policy; with a baseline, as its inputs can answer it. */
async function policyText({ target, baseline, delimiter, ...roles }: Options): Promise<string> {
  const kind = { isNumber: target === 'number', isClasses: roles.classes !== undefined };
  if (baseline === undefined) return defaultPolicyText(kind).trimEnd();
  const head = await readHead(baseline, delimiter);
  return defaultPolicyText({ ...kind, inputs: inputsOf(head, roles).length }).trimEnd();
}

/** Read before the tables are: what is wrong with it is known at once. */
function policyOf({ policy, score, label, classes }: Options): (isNumber: boolean) => Policy {
  if (policy === undefined) {
    const given = { score: score !== undefined, label: label !== undefined, isClasses: classes !== undefined };
    return (isNumber) => defaultPolicy({ ...given, isNumber });
  }
  const parsed = readPolicy(policy);
  return () => parsed;
}
