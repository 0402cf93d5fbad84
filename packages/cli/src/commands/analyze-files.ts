import { basename, resolve, sep } from 'node:path';
import { type Baseline, FairwayError } from '@fairway/core';
import {
  ANY_MISSING,
  anyMissing,
  analyzeWindow,
  baselineOf,
  lookBack,
  misfits,
  type Policy,
  type Reference,
  type SegmentInput,
  tableOf,
  type WindowAnalysis,
} from '@fairway/monitor';
import type { Spool } from './analyze-column.ts';
import {
  hasNumberLabels,
  type Head,
  type Read,
  readBaseline,
  readHead,
  readWindow,
  type Roles,
  scoreColumns,
} from './analyze-table.ts';

/** What is compared. */
export type Files = {
  readonly baseline: string;
  readonly window: readonly string[];
  readonly label?: string;
  readonly score?: string;
  readonly baselineScore?: string;
  readonly ignore: readonly string[];
  /** Inputs, one or two by a comma each, in whose bins the model is looked at by itself. */
  readonly segment?: readonly string[];
  readonly delimiter?: string;
  readonly cutoff: number;
  /** The model predicts one of these; then a score is several columns by commas, or one that holds the class. */
  readonly classes?: readonly string[];
  /** Left out: as the labels of the first file that has some look like. */
  readonly target?: 'class' | 'number';
  /** The file that the policy is from: what it asks for must be there. Rules of the default policy that cannot speak stay silent. */
  readonly policy?: string;
};

export type Found = {
  readonly windows: readonly WindowAnalysis[];
  readonly base: Baseline;
  readonly leftOut: readonly string[];
  readonly read: Read;
};

/** Reads baseline and windows and judges the windows in their order. Throws `input.invalid` in sentences for what cannot be used. */
export async function analyzeFiles(
  options: Files,
  policyOf: (isNumber: boolean) => Policy,
  spool: Spool,
): Promise<Found> {
  const { delimiter } = options;
  const heads: Head[] = [];
  const baseHead = await readHead(options.baseline, delimiter);
  for (const file of options.window) heads.push(await readHead(file, delimiter));
  requireColumns(options, baseHead, heads);
  const isNumber = await isNumberTarget(options, baseHead, heads);
  const policy = policyOf(isNumber);
  const { base, leftOut, read, reference } = await profile(options, isNumber, baseHead, spool);
  if (options.policy !== undefined) requireFit(options.policy, policy, base, options.baseline);
  const { windows } = await windowsOf({ ...options, isNumber }, policy, heads, reference, spool);
  return { windows, base, leftOut: [...leftOut, ...onlyInWindows(options, baseHead, heads)], read };
}

async function isNumberTarget(files: Files, base: Head, windows: readonly Head[]): Promise<boolean> {
  const { label, score, target, classes } = files;
  if (classes !== undefined) return false;
  if (target !== undefined || label === undefined) return target === 'number';
  const first = windows.find(({ columns }) => columns.includes(label)) ?? base;
  return hasNumberLabels(first, label, score);
}

function requireFit(file: string, policy: Policy, base: Baseline, baseline: string): void {
  const unfit = misfits(policy, base, basename(baseline));
  if (unfit.length > 0)
    throw new FairwayError('policy.invalid', `${file} asks for what is not there: ${unfit.join(' ')}`);
}

function onlyInWindows(files: Files, base: Head, windows: readonly Head[]): string[] {
  const known = new Set([...base.columns, ...files.ignore, files.label, ...scoreColumns(files)]);
  const names = [...new Set(windows.flatMap(({ columns }) => columns))].filter((name) => !known.has(name));
  return names.length === 0 ? [] : [`Not in the baseline, so left out: ${names.join(', ')}.`];
}

async function profile(
  { baseline, label, score, classes, baselineScore, ignore, delimiter }: Files,
  isNumber: boolean,
  head: Head,
  spool: Spool,
) {
  const ignored = [...ignore, ...scoreColumns({ score, classes })];
  const roles: Roles = { label, score: baselineScore, ignore: ignored, delimiter, isNumber, classes };
  const read = await readBaseline(head, roles, () => spool.newColumn());
  const { baseline: base, leftOut } = baselineOf(read.tally, { model: '', version: '', source: read.sha256 });
  if (base.variables.length === 0) {
    throw new FairwayError('input.invalid', `${baseline} has no column to compare. ${leftOut.join(' ')}`.trim());
  }
  const held = base.performance.rows > 0;
  if (baselineScore !== undefined && classes === undefined && !held && (base.regression?.performance.rows ?? 0) === 0) {
    throw new FairwayError(
      'input.invalid',
      isNumber
        ? `${baseline} holds no row with a number in ${label} and in ${baselineScore}: leave --baseline-score out.`
        : `${baseline} holds only one class with a score in ${baselineScore}: leave --baseline-score out.`,
    );
  }
  const scores = held ? tableOf(read.tally) : undefined;
  const reference: Reference = { baseline: base, tally: read.tally, scores, scoresFrom: held ? baseline : undefined };
  return { base, leftOut, read, reference };
}

async function windowsOf(
  { label, score, classes, ignore, delimiter, cutoff, segment, isNumber }: Files & { readonly isNumber: boolean },
  policy: Policy,
  heads: readonly Head[],
  first: Reference,
  spool: Spool,
): Promise<{ readonly windows: readonly WindowAnalysis[] }> {
  const kinds = new Map(first.baseline.variables.map(({ name, kind }) => [name, kind]));
  const windows: WindowAnalysis[] = [];
  const earlier: ReturnType<typeof analyzeWindow>['counts'][] = [];
  const depth = lookBack(policy);
  const asked = segmentsOf([...new Set([...(segment ?? []), ANY_MISSING])], first.baseline);
  let reference = first;
  for (const [at, head] of heads.entries()) {
    const { tally, segments } = await readWindow(
      head,
      { label, score, classes, ignore, delimiter, isNumber },
      kinds,
      () => spool.newColumn(),
      asked,
    );
    const name = nameOf(at, heads);
    const found = analyzeWindow({
      name,
      tally,
      given: reference,
      policy,
      cutoff,
      earlier: earlier.slice(0, depth),
      segments,
    });
    windows.push(found.window);
    if (depth > 0) earlier.unshift(found.counts);
    ({ reference } = found);
  }
  return { windows };
}

/** Rows that lack an input are always looked at; an input of that name is no other than what its column holds. */
function segmentsOf(given: readonly string[], { variables }: Baseline): SegmentInput[][] {
  const known = variables.some(({ name }) => name === ANY_MISSING) ? variables : [...variables, anyMissing(variables)];
  return given.map((text) => {
    const names = text.split(',').map((name) => name.trim());
    const found = names.flatMap((name) => known.filter((one) => one.name === name));
    if (found.length === names.length && names.length <= 2 && new Set(names).size === names.length) return found;
    const inputs = known.map(({ name }) => name).join(', ');
    throw new FairwayError(
      'input.invalid',
      `--segment ${text} must name one input, or two by a comma; there are: ${inputs}.`,
    );
  });
}

/** `q1` of `data/q1.csv`; with as many folders as tell it from other files of that name, and a number where one is given again. */
function nameOf(at: number, heads: readonly Head[]): string {
  const paths = heads.map(({ file }) => resolve(file));
  const path = paths[at] as string;
  const others = paths.filter((one) => one !== path);
  const most = path.split(sep).length;
  let depth = 1;
  while (depth < most && others.some((one) => ending(one, depth) === ending(path, depth))) depth += 1;
  const before = paths.slice(0, at).filter((one) => one === path).length;
  // They differ in what `ending` leaves out.
  const name = depth < most ? ending(path, depth) : (heads[at] as Head).file;
  return before === 0 ? name : `${name} (${before + 1})`;
}

const ending = (path: string, depth: number): string =>
  path
    .replace(/\.[a-z]{2,5}$/i, '')
    .split(sep)
    .slice(-depth)
    .join('/');

/** A role that no file has is a typing error; one that some lack is told of in their windows. */
function requireColumns(options: Files, base: Head, windows: readonly Head[]): void {
  const { label, baselineScore, ignore } = options;
  const miss = (flag: string, name: string, where: string, { columns }: Head) =>
    new FairwayError(
      'input.invalid',
      `${where} column ${JSON.stringify(name)} (${flag}); there are: ${columns.join(', ')}.`,
    );
  const first = windows[0] ?? base;
  const has = (name: string) => windows.some(({ columns }) => columns.includes(name));
  const where = windows.length === 1 ? `${first.file} has no` : 'No window has a';
  for (const name of scoreColumns(options)) if (!has(name)) throw miss('--score', name, where, first);
  if (label !== undefined && !has(label)) throw miss('--label', label, where, first);
  for (const name of scoreColumns({ score: baselineScore, classes: options.classes }))
    if (!base.columns.includes(name)) throw miss('--baseline-score', name, `${base.file} has no`, base);
  if (label !== undefined && !base.columns.includes(label) && baselineScore !== undefined)
    throw miss('--label', label, `--baseline-score needs labels beside it, but ${base.file} has no`, base);
  const stray = ignore.find((name) => ![base, ...windows].some(({ columns }) => columns.includes(name)));
  if (stray !== undefined) throw miss('--ignore', stray, 'No file has a', base);
}
