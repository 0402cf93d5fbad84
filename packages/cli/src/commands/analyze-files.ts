import { basename } from 'node:path';
import { type Baseline, FairwayError } from '@fairway/core';
import { analyzeWindow, baselineOf, type Policy, type Reference, tableOf, type WindowAnalysis } from '@fairway/monitor';
import type { Spool } from './analyze-column.ts';
import { type Head, type Read, readBaseline, readHead, readWindow, type Roles } from './analyze-table.ts';

/** What is compared. */
export type Files = {
  readonly baseline: string;
  readonly window: readonly string[];
  readonly label?: string;
  readonly score?: string;
  readonly baselineScore?: string;
  readonly ignore: readonly string[];
  readonly delimiter?: string;
  readonly cutoff: number;
};

export type Found = {
  readonly windows: readonly WindowAnalysis[];
  readonly base: Baseline;
  readonly leftOut: readonly string[];
  readonly read: Read;
};

/** Reads baseline and windows and judges the windows in their order. Throws `input.invalid` in sentences for what cannot be used. */
export async function analyzeFiles(options: Files, policy: Policy, spool: Spool): Promise<Found> {
  const { delimiter } = options;
  const heads: Head[] = [];
  const baseHead = await readHead(options.baseline, delimiter);
  for (const file of options.window) heads.push(await readHead(file, delimiter));
  requireColumns(options, baseHead, heads);
  const { base, leftOut, read, reference } = await profile(options, baseHead, spool);
  const { windows } = await windowsOf(options, policy, heads, reference, spool);
  return { windows, base, leftOut: [...leftOut, ...onlyInWindows(options, baseHead, heads)], read };
}

function onlyInWindows({ label, score, ignore }: Files, base: Head, windows: readonly Head[]): string[] {
  const known = new Set([...base.columns, ...ignore, label, score]);
  const names = [...new Set(windows.flatMap(({ columns }) => columns))].filter((name) => !known.has(name));
  return names.length === 0 ? [] : [`Not in the baseline, so left out: ${names.join(', ')}.`];
}

async function profile({ baseline, label, score, baselineScore, ignore, delimiter }: Files, head: Head, spool: Spool) {
  const ignored = [...ignore, ...(score === undefined ? [] : [score])];
  const roles: Roles = { label, score: baselineScore, ignore: ignored, delimiter };
  const read = await readBaseline(head, roles, () => spool.newColumn());
  const { baseline: base, leftOut } = baselineOf(read.tally, { model: '', version: '', source: read.sha256 });
  if (base.variables.length === 0) {
    throw new FairwayError('input.invalid', `${baseline} has no column to compare. ${leftOut.join(' ')}`.trim());
  }
  const held = base.performance.rows > 0;
  if (baselineScore !== undefined && !held) {
    throw new FairwayError(
      'input.invalid',
      `${baseline} holds only one class with a score in ${baselineScore}: leave --baseline-score out.`,
    );
  }
  const scores = held ? tableOf(read.tally) : undefined;
  const reference: Reference = { baseline: base, tally: read.tally, scores, scoresFrom: held ? baseline : undefined };
  return { base, leftOut, read, reference };
}

async function windowsOf(
  { label, score, ignore, delimiter, cutoff }: Files,
  policy: Policy,
  heads: readonly Head[],
  first: Reference,
  spool: Spool,
): Promise<{ readonly windows: readonly WindowAnalysis[] }> {
  const kinds = new Map(first.baseline.variables.map(({ name, kind }) => [name, kind]));
  const windows: WindowAnalysis[] = [];
  const earlier: ReturnType<typeof analyzeWindow>['counts'][] = [];
  const depth = Math.max(1, ...policy.rules.map(({ periods }) => periods?.of ?? 1)) - 1;
  let reference = first;
  for (const head of heads) {
    const tally = await readWindow(head, { label, score, ignore, delimiter }, kinds, () => spool.newColumn());
    const name = nameOf(head.file, heads);
    const found = analyzeWindow({ name, tally, given: reference, policy, cutoff, earlier: earlier.slice(0, depth) });
    windows.push(found.window);
    if (depth > 0) earlier.unshift(found.counts);
    ({ reference } = found);
  }
  return { windows };
}

/** `q1` of `data/q1.csv`; the whole path where two files would share it. */
function nameOf(file: string, heads: readonly Head[]): string {
  const short = (path: string) => basename(path).replace(/\.[a-z]{2,5}$/i, '');
  return heads.filter((head) => short(head.file) === short(file)).length > 1 ? file : short(file);
}

/** A role that no file has is a typing error; one that some lack is told of in their windows. */
function requireColumns(options: Files, base: Head, windows: readonly Head[]): void {
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
