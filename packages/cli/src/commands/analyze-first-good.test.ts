import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPolicy } from '@fairway/monitor';
import { afterAll, expect, test } from 'vitest';
import { openSpool } from './analyze-column.ts';
import { analyzeFiles } from './analyze-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-first-good-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `n` rows, of which `wrong` of a hundred are ranked wrongly; `columns` may leave out an input. */
function file(name: string, n: number, wrong: number, columns = 'bad,x,s'): string {
  const rows = Array.from({ length: n }, (_, row) => {
    const label = row % 2;
    const isRight = Math.floor(row / 2) % 100 >= wrong;
    const cells: Record<string, number> = { bad: label, x: (row * 37) % 101, s: isRight === (label === 1) ? 0.8 : 0.2 };
    return columns.split(',').map((column) => cells[column]);
  });
  const path = join(folder, name);
  writeFileSync(path, `${columns}\n${rows.join('\n')}\n`);
  return path;
}

async function analyze(...window: readonly string[]) {
  const spool = openSpool();
  try {
    const baseline = file('train.csv', 1000, 0, 'bad,x');
    const files = { baseline, window, label: 'bad', score: 's', ignore: [], cutoff: 0.5 };
    return (await analyzeFiles(files, () => defaultPolicy({ score: true, label: true }), spool)).windows;
  } finally {
    spool.close();
  }
}

test('a first file that is too small, or lacks a column, is not what later ones decay from', async () => {
  const small = file('small.csv', 60, 40);
  const broken = file('broken.csv', 1000, 40, 'bad,s');
  const windows = await analyze(small, broken, file('good.csv', 1000, 10), file('worse.csv', 1000, 40));
  expect(windows.map(({ verdict }) => verdict)).toEqual(['insufficient', 'alert', 'healthy', 'alert']);
  const [first, second, third, fourth] = windows.map(({ notes }) => notes.join(' '));
  expect([first, second]).toEqual([
    expect.stringContaining('no file so far has rows and labels enough, without an alert'),
    expect.stringContaining('no file so far has rows and labels enough, without an alert'),
  ]);
  expect(third).toContain('performance and score drift are measured against good, the first good file.');
  expect(fourth).not.toContain('no scores of its own');
  expect(windows[0]?.figures['scorePsi']).toBeNull();
  // AUC 0.9 and 0.6: Gini 0.8 and 0.2.
  expect(windows[3]?.findings.find(({ rule }) => rule === 'gini-decay')).toMatchObject({
    value: expect.closeTo(0.75, 12),
    message: expect.stringContaining('it lost 75.0 % against good, its first good window'),
  });
});
