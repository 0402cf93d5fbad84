import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WindowAnalysis } from '@fairway/monitor';
import { METRICS } from '../../../packages/monitor/src/metrics/registry.ts';
import { ROOT } from '../../guards/source.ts';
import { atMost, type Result } from '../result.ts';
import { writeTable } from './table.ts';

const MILLION = 1_000_000;
const FAIRWAY = join(ROOT, 'packages', 'cli', 'bin', 'fairway.js');
const HEALTHY_OR_NOT = [0, 3, 4];

/** What judging a million rows in files costs. */
export const analyze = (): Promise<Result[]> =>
  inFolder(async (dir) => [...(await million(dir)), ...(await tenMillion(dir))]);

/** How near the figures are to the published ones. */
export const publishedFigures = (): Promise<Result[]> => inFolder(published);

async function inFolder(work: (dir: string) => Promise<Result[]>): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  try {
    // The first run after a change of the sources bundles them.
    execFileSync(process.execPath, [FAIRWAY, 'analyze', '--print-policy'], { stdio: 'ignore' });
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function million(dir: string): Promise<Result[]> {
  const [baseline, window] = [join(dir, 'baseline.csv'), join(dir, 'window.csv')];
  writeTable(baseline, MILLION, 1);
  writeTable(window, MILLION, 2, 0.1);
  const roles = ['--label', 'BAD', '--score', 'SCORE', '--baseline-score', 'SCORE'];
  const { seconds, mb, cpu } = await measured(['analyze', '--baseline', baseline, '--window', window, ...roles]);
  const note = `window of 1 M rows × 12 inputs, label and score, against a baseline of 1 M rows: both files read; ${cpu} s of CPU`;
  return [
    atMost('analyze-1m-rows', seconds, 's', 15, note),
    atMost('analyze-1m-rows-rss', mb, 'MB', 400, 'peak of the process'),
  ];
}

async function tenMillion(dir: string): Promise<Result[]> {
  const file = join(dir, 'ten.csv');
  writeTable(file, MILLION, 3);
  const text = readFileSync(file);
  const body = text.subarray(text.indexOf(10) + 1);
  for (let copy = 1; copy < 10; copy++) appendFileSync(file, body);
  const out = join(dir, 'baseline.json');
  const { seconds, mb } = await measured(['baseline', file, '--label', 'BAD', '--score', 'SCORE', '--out', out]);
  rmSync(file);
  const note = `10 M rows × 12 inputs (1 M generated rows ten times over) in ${seconds} s; peak of the process`;
  return [atMost('baseline-10m-rows-rss', mb, 'MB', 300, note)];
}

/** Runs the CLI; its highest resident memory is what Linux counted just before its end. */
function measured(args: readonly string[]): Promise<{ seconds: number; mb: number; cpu: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, [FAIRWAY, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  let kb = 0;
  let cpu = 0;
  const look = () => {
    const status = `/proc/${child.pid}/status`;
    if (existsSync(status)) kb = Math.max(kb, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1] ?? 0));
    if (existsSync(status)) cpu = cpuSeconds(`/proc/${child.pid}/stat`);
  };
  const watch = setInterval(look, 20);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(watch);
      if (!HEALTHY_OR_NOT.includes(code ?? 1)) return reject(new Error(`fairway ${args[0]} ended with ${code}`));
      resolve({ seconds: Math.round((performance.now() - began) / 100) / 10, mb: Math.round(kb / 1024), cpu });
    });
  });
}

/** User and system time so far: Linux counts both in hundredths of a second, after the name in brackets. */
function cpuSeconds(stat: string): number {
  const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Math.round((Number(fields[11]) + Number(fields[12])) / 10) / 10;
}

type Published = {
  readonly inputs: Readonly<
    Record<string, { readonly psi_right_closed?: number; readonly psi_with_missing_bin: number }>
  >;
  readonly performance: { readonly auc: number; readonly ks_class: number };
};

/** Largest differences to the published figures of the public data, where that lies beside the checkout. */
async function published(dir: string): Promise<Result[]> {
  const shared = join(ROOT, '..', 'shared');
  const data = (name: string) => join(shared, 'data', 'hmeq', name);
  if (!existsSync(data('train.csv'))) return [];
  const reference = readFileSync(join(shared, 'reference', 'hmeq-q1-q2.json'), 'utf8');
  const { periods } = JSON.parse(reference) as { periods: Record<string, Published> };
  const files = [data('perf_1_q1.csv'), data('perf_2_q2.csv')];
  const json = join(dir, 'analysis.json');
  const windows = files.flatMap((file) => ['--window', file]);
  await measured([
    'analyze',
    '--baseline',
    data('train.csv'),
    ...windows,
    '--label',
    'BAD',
    '--score',
    'P_BAD1',
    '--json',
    json,
  ]);
  const found = (JSON.parse(readFileSync(json, 'utf8')) as { windows: WindowAnalysis[] }).windows;
  let [ranking, binned, psi] = [0, 0, 0];
  for (const [index, one] of found.entries()) {
    const { inputs, performance } = periods[`q${index + 1}`] as Published;
    const from = fromCounts(files[index] as string);
    ranking = Math.max(ranking, off(one.auc, performance.auc), off(one.ks, performance.ks_class));
    binned = Math.max(binned, off(from.auc, performance.auc), off(from.ks, performance.ks_class));
    for (const [name, { psi_right_closed: right, psi_with_missing_bin: missing }] of Object.entries(inputs)) {
      psi = Math.max(psi, off(one.psiWithMissing[name], missing), right === undefined ? 0 : off(one.psi[name], right));
    }
  }
  const note = 'largest difference over both quarters of the public data';
  return [
    atMost('auc-ks-from-counts', binned, '', 0.0005, `${note}, scores in 1e-4 bins`),
    atMost('auc-ks-from-files', ranking, '', 1e-9, `${note}, single scores`),
    atMost('psi', psi, '', 1e-9, `${note}, 12 inputs, with and without missing values`),
  ];
}

const off = (value: number | null | undefined, published: number): number =>
  Math.abs((value ?? Number.NaN) - published);

/** AUC and KS as the monitor has them: from score bins alone. */
function fromCounts(file: string): { auc: number | null; ks: number | null } {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const [label, score] = ['BAD', 'P_BAD1'].map((name) => header.split(';').indexOf(name));
  const bins = new Map<number, [number, number, number, number]>();
  for (const cells of lines.map((line) => line.split(';'))) {
    const bin = Math.min(Math.floor(Number(cells[score ?? 0]) * 10_000), 9999);
    const counts = bins.get(bin) ?? [bin, 0, 0, 0];
    counts[cells[label ?? 0] === '1' ? 3 : 2]++;
    bins.set(bin, counts);
  }
  const counts = { variables: {}, scores: [...bins.values()].sort((a, b) => a[0] - b[0]) };
  const value = (metric: 'auc' | 'ks') => METRICS[metric].evaluate(counts, undefined, '')?.value ?? null;
  return { auc: value('auc'), ks: value('ks') };
}
