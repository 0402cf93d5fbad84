import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Baseline, FairwayError, type VerdictState } from '@fairway/core';
import {
  analysisPage,
  analyzeWindow,
  baselineOf,
  DEFAULT_POLICY,
  defaultPolicy,
  parsePolicy,
  type Policy,
  type Reference,
  tableOf,
  type WindowAnalysis,
  worst,
} from '@fairway/monitor';
import { Command, InvalidArgumentError } from 'commander';
import { openSpool, type Spool } from './analyze-column.ts';
import { type Head, type Read, readBaseline, readHead, readWindow, type Roles } from './analyze-table.ts';
import { analysisText, columnLines } from './analyze-text.ts';

type Options = {
  readonly baseline?: string;
  readonly window: readonly string[];
  readonly label?: string;
  readonly score?: string;
  readonly baselineScore?: string;
  readonly ignore: readonly string[];
  readonly delimiter?: string;
  readonly cutoff: number;
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
    .option('--label <column>', 'true outcome: 0, 1, or empty where it is not known')
    .option('--score <column>', 'probability of the event that the model gave')
    .option('--baseline-score <column>', 'the same in the baseline (default: the first window is what decay is from)')
    .option('--ignore <column>', 'a column that is no input, such as an id; may be given again', more, [])
    .option('--delimiter <char>', 'where it is not seen in the header: one character, or tab', oneCharacter)
    .option('--cutoff <score>', 'an event is predicted from this score on', probability, 0.5)
    .option('--policy <file>', 'policy.yaml to judge by (default: see --print-policy)')
    .option('--print-policy', 'print the policy that holds where none is given', false)
    .option('--json <file>', 'write all figures as JSON; - for standard output alone')
    .option('--html <file>', 'write a report that needs nothing but itself')
    .addHelpText(
      'after',
      '\nExit codes: 0 healthy · 3 warning · 4 alert · 5 not enough data · 1 failed, the last line says why · 2 wrong usage\nOf several windows, the verdict that must not be overlooked counts: alert, warning, not enough data, healthy.',
    )
    .action(analyze);
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

async function analyze(options: Options): Promise<void> {
  if (options.printPolicy) return console.log(DEFAULT_POLICY.trimEnd());
  const { baseline, window } = options;
  if (baseline === undefined || window.length === 0) {
    throw new FairwayError('input.invalid', 'Nothing to compare: give --baseline FILE and at least one --window FILE.');
  }
  const policy = policyOf(options);
  const spool = openSpool();
  try {
    const { windows, base, leftOut, read } = await analyzeFiles({ ...options, baseline }, policy, spool);
    const verdict = worst(windows.map((one) => one.verdict));
    const inputs = base.variables.map(({ name, kind }) => ({ name, kind }));
    const result = { windows, verdict, baseline: { name: basename(baseline), rows: base.rows, inputs, leftOut } };
    if (options.json === '-') console.log(JSON.stringify(result, undefined, 2));
    else if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
    if (options.html !== undefined) writeFileSync(options.html, analysisPage(result.baseline, base, windows));
    if (options.json !== '-') for (const line of columnLines(base, leftOut, read)) console.log(line);
    if (options.json !== '-') console.log(analysisText(windows));
    process.exitCode = EXIT[verdict];
  } finally {
    spool.close();
  }
}

function policyOf({ policy, score, label }: Options): Policy {
  if (policy === undefined) return defaultPolicy({ score: score !== undefined, label: label !== undefined });
  let text: string;
  try {
    text = readFileSync(policy, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new FairwayError('input.invalid', `There is no file ${policy}; check the path of --policy.`);
  }
  return parsePolicy(text, undefined);
}

type Found = {
  readonly windows: readonly WindowAnalysis[];
  readonly base: Baseline;
  readonly leftOut: readonly string[];
  readonly read: Read;
};

async function analyzeFiles(
  options: Options & { readonly baseline: string },
  policy: Policy,
  spool: Spool,
): Promise<Found> {
  const { label, score, baselineScore, ignore, delimiter } = options;
  const heads: Head[] = [];
  const baseHead = await readHead(options.baseline, delimiter);
  for (const file of options.window) heads.push(await readHead(file, delimiter));
  requireColumns(options, baseHead, heads);
  const ignored = [...ignore, ...(score === undefined ? [] : [score])];
  const baseRoles: Roles = { label, score: baselineScore, ignore: ignored, delimiter };
  const read = await readBaseline(baseHead, baseRoles, () => spool.newColumn());
  const { baseline, leftOut } = baselineOf(read.tally, { model: '', version: '', source: read.sha256 });
  if (baseline.variables.length === 0) {
    throw new FairwayError('input.invalid', `${options.baseline} has no column left to compare: ${leftOut.join(' ')}`);
  }
  const kinds = new Map(baseline.variables.map(({ name, kind }) => [name, kind]));
  const held = baseline.performance.rows > 0;
  let reference: Reference = {
    baseline,
    tally: read.tally,
    scores: held ? tableOf(read.tally) : undefined,
    scoresFrom: held ? options.baseline : undefined,
  };
  const windows: WindowAnalysis[] = [];
  const earlier: ReturnType<typeof analyzeWindow>['counts'][] = [];
  const depth = Math.max(1, ...policy.rules.map(({ periods }) => periods?.of ?? 1)) - 1;
  for (const head of heads) {
    const tally = await readWindow(head, { label, score, ignore, delimiter }, kinds, () => spool.newColumn());
    const found = analyzeWindow(
      nameOf(head.file, heads),
      tally,
      reference,
      policy,
      options.cutoff,
      earlier.slice(0, depth),
    );
    windows.push(found.window);
    if (depth > 0) earlier.unshift(found.counts);
    ({ reference } = found);
  }
  return { windows, base: reference.baseline, leftOut, read };
}

/** `q1` of `data/q1.csv`; the whole path where two files would share it. */
function nameOf(file: string, heads: readonly Head[]): string {
  const short = (path: string) => basename(path).replace(/\.[a-z]{2,5}$/i, '');
  return heads.filter((head) => short(head.file) === short(file)).length > 1 ? file : short(file);
}

/** A role that no file has is a typing error; one that some lack is told of in their windows. */
function requireColumns(options: Options, base: Head, windows: readonly Head[]): void {
  const { label, score, baselineScore, ignore } = options;
  const miss = (flag: string, name: string, where: string, { columns }: Head) =>
    new FairwayError(
      'input.invalid',
      `${where} no column ${JSON.stringify(name)} (${flag}); there are: ${columns.join(', ')}.`,
    );
  const first = windows[0] ?? base;
  const has = (name: string) => windows.some(({ columns }) => columns.includes(name));
  const where = windows.length === 1 ? `${first.file} has` : 'The windows have';
  if (score !== undefined && !has(score)) throw miss('--score', score, where, first);
  if (label !== undefined && !has(label)) throw miss('--label', label, where, first);
  if (baselineScore !== undefined && !base.columns.includes(baselineScore))
    throw miss('--baseline-score', baselineScore, `${base.file} has`, base);
  if (label !== undefined && !base.columns.includes(label) && baselineScore !== undefined)
    throw miss('--label', label, `--baseline-score needs labels beside it, but ${base.file} has`, base);
  const stray = ignore.find((name) => ![base, ...windows].some(({ columns }) => columns.includes(name)));
  if (stray !== undefined) throw miss('--ignore', stray, 'No file has the column; there is', base);
}
