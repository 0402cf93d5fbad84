import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DEFAULT_POLICY, parsePolicy } from '@fairway/monitor';
import { afterAll, expect, test } from 'vitest';
import { openSpool } from './analyze-column.ts';
import { analyzeFiles } from './analyze-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-analyze-policy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A thousand rows; x is missing in `share` of them. */
function file(name: string, share: number): string {
  const path = join(folder, name);
  const rows = Array.from({ length: 1000 }, (_, row) => `${row % 10 < share * 10 ? '' : row % 101},${row % 7}`);
  writeFileSync(path, ['x,y', ...rows, ''].join('\n'));
  return path;
}

test('a rule with a limit for leaving looks back over the windows as the monitor does', async () => {
  const rule =
    "{ id: gone, metric: missing, scope: x, op: '>=', limit: 0.5, leave: { limit: 0.1 }, severity: warning }";
  const policy = parsePolicy(DEFAULT_POLICY.replace(/rules:[^]*notify/, `rules: [${rule}]\nnotify`), undefined);
  const window = [0.6, 0.2, 0].map((share, index) => file(`w${index}.csv`, share));
  const spool = openSpool();
  try {
    const files = { baseline: file('b.csv', 0), window, ignore: [], cutoff: 0.5 };
    const { windows } = await analyzeFiles(files, () => policy, spool);
    expect(windows.map(({ verdict }) => verdict)).toEqual(['warning', 'warning', 'healthy']);
  } finally {
    spool.close();
  }
});

test('one file given twice, and two files of one name, are told apart', async () => {
  mkdirSync(join(folder, 'later'));
  const [baseline, one, other] = [file('names.csv', 0), file('same.csv', 0), file('later/same.csv', 0)];
  const [csv, text] = [file('kind.csv', 0), file('kind.txt', 0)];
  const spool = openSpool();
  try {
    const files = { baseline, window: [one, one, other, baseline, csv, text], ignore: [], cutoff: 0.5 };
    const policy = parsePolicy(DEFAULT_POLICY, undefined);
    const { windows } = await analyzeFiles(files, () => policy, spool);
    expect(windows.map(({ name }) => name)).toEqual([
      `${basename(folder)}/same`,
      `${basename(folder)}/same (2)`,
      'later/same',
      'names',
      csv,
      text,
    ]);
  } finally {
    spool.close();
  }
});

test('a loss that no share can be told of is said, not passed over', async () => {
  const path = join(folder, 'scored.csv');
  // Scores fall where outcomes rise: the ranking is worse than none.
  const rows = Array.from({ length: 2000 }, (_, row) => `${row % 2},${row % 2 === 0 ? 0.9 : 0.1},${row % 101}`);
  writeFileSync(path, ['BAD,s,x', ...rows, ''].join('\n'));
  const rule = "{ id: gini-decay, metric: gini, compare: relative-decay, op: '>', limit: 0.1, severity: alert }";
  const policy = parsePolicy(DEFAULT_POLICY.replace(/rules:[^]*notify/, `rules: [${rule}]\nnotify`), undefined);
  const spool = openSpool();
  try {
    const given = { label: 'BAD', score: 's', baselineScore: 's', ignore: [], cutoff: 0.5 };
    const { windows } = await analyzeFiles({ ...given, baseline: path, window: [path] }, () => policy, spool);
    const [{ verdict, notes, unanswered } = { verdict: '', notes: [] }] = windows;
    expect([verdict, unanswered?.map(({ rules, lacks }) => [rules, lacks])]).toEqual([
      'insufficient',
      [[['gini-decay'], 'reference']],
    ]);
    expect(notes.join(' ')).toMatch(
      /^gini-decay could not be evaluated\. No share of Gini can be lost: .* is -1\.000,/,
    );
  } finally {
    spool.close();
  }
});
