import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../guards/source.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-analyze-'));
  writeFileSync(join(dir, 'train.csv'), rows(3000, 1));
  writeFileSync(join(dir, 'same.csv'), rows(3000, 1).replaceAll(',', ';'));
  writeFileSync(join(dir, 'moved.csv'), rows(3000, 1.5));
  writeFileSync(join(dir, 'worse.csv'), rows(3000, 1, 0));
  writeFileSync(join(dir, 'few.csv'), rows(20, 1));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Two thirds of the best-scored fifth are events where `skill` is 1; anybody may be one where it is 0. */
function rows(count: number, stretch: number, skill = 1): string {
  const lines = Array.from({ length: count }, (_, row) => {
    const score = ((row * 61) % 100) / 100;
    const isEvent = skill === 1 ? score >= 0.8 && row % 3 > 0 : row % 7 === 0;
    return `${isEvent ? 1 : 0},${((row * 37) % 101) * stretch},${row % 3 === 0 ? 'a' : 'b'},${(row * 29) % 53},${score}`;
  });
  return `BAD,income,job,age,P\n${lines.join('\n')}\n`;
}

const fairway = (...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'packages', 'cli', 'bin', 'fairway.js'), ...args], {
    cwd: dir,
    encoding: 'utf8',
  });
const analyze = (window: string, ...more: string[]) =>
  fairway('analyze', '--baseline', 'train.csv', '--window', window, '--label', 'BAD', '--score', 'P', ...more);

test.each([
  ['same.csv', 0, 'same: healthy'],
  ['moved.csv', 3, 'moved: WARNING'],
  ['worse.csv', 4, 'worse: ALERT'],
  ['few.csv', 5, 'few: not enough data'],
])('the verdict of %s is exit code %d', (window, code, words) => {
  const { status, stdout, stderr } = analyze(window, '--baseline-score', 'P');
  expect([stderr, status]).toEqual(['', code]);
  expect(stdout).toContain(words);
});

test('what cannot be used is told apart from every verdict', () => {
  const missing = analyze('none.csv');
  expect([missing.status, missing.stderr]).toEqual([1, 'fairway: There is no file none.csv; check the path.\n']);
  expect(analyze('same.csv', '--cutoff', '2').status).toBe(2);
  const nothing = fairway('analyze', '--label', 'BAD');
  expect(nothing.status).toBe(2);
  expect(nothing.stderr).toMatch(/Nothing to compare: give --baseline FILE/);
  writeFileSync(join(dir, 'no.yaml'), 'rules: []\n');
  expect(analyze('same.csv', '--policy', 'no.yaml').stderr).toMatch(/^fairway: no\.yaml: The policy is not usable: /);
});

test('where its answers cannot be written is said before anything is read, and no input is written over', () => {
  const before = readFileSync(join(dir, 'same.csv'), 'utf8');
  const told = (...options: string[]) => {
    const { status, stderr, stdout } = analyze('same.csv', ...options);
    expect([status, stdout]).toEqual([1, '']);
    return stderr;
  };
  expect(told('--json', 'none/a.json')).toBe(
    'fairway: --json none/a.json cannot be written: there is no folder none.\n',
  );
  expect(told('--html', '.')).toBe('fairway: --html . cannot be written: it is a folder.\n');
  expect(told('--json', './same.csv')).toMatch(/cannot be written: it is read by the same command/);
  expect(told('--json', 'a', '--html', 'a')).toMatch(/--html a cannot be written: it is what --json names too/);
  expect(fairway('baseline', 'same.csv', '--out', 'same.csv').stderr).toMatch(/it is read by the same command/);
  expect(readFileSync(join(dir, 'same.csv'), 'utf8')).toBe(before);
});

test('JSON alone on standard output, and a page beside it; the printed policy judges as the default does', () => {
  const page = join(dir, 'report.html');
  const { status, stdout } = analyze('moved.csv', '--json', '-', '--html', page);
  const { windows, verdict } = JSON.parse(stdout) as { windows: Array<Record<string, unknown>>; verdict: string };
  expect([status, verdict]).toEqual([3, 'warning']);
  expect(windows[0]).toMatchObject({ name: 'moved', rows: 3000, labelled: 3000, missing: { income: 0, job: 0 } });
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/);
  writeFileSync(join(dir, 'policy.yaml'), fairway('analyze', '--print-policy').stdout);
  const again = analyze('moved.csv', '--json', '-', '--policy', 'policy.yaml');
  expect(again.stdout).toBe(stdout);
});

test('a baseline is the same bytes twice', () => {
  const baseline = () => fairway('baseline', 'train.csv', '--label', 'BAD', '--score', 'P', '--out', '-').stdout;
  const first = baseline();
  expect(JSON.parse(first)).toMatchObject({ definition: 1, rows: 3000, performance: { rows: 3000 } });
  expect(baseline()).toBe(first);
});

test('a baseline states segments and classes, or says in a sentence why it cannot', () => {
  const baseline = (...more: string[]) => fairway('baseline', 'train.csv', ...more, '--out', '-');
  const events = ['--label', 'BAD', '--score', 'P'];
  const declared = baseline(...events, '--segment', 'job', '--segment', 'age');
  expect(JSON.parse(declared.stdout)).toMatchObject({ segments: ['job', 'age'], performance: { rows: 3000 } });
  const anyMissing = baseline(...events, '--segment', 'any-missing');
  expect(JSON.parse(anyMissing.stdout)).toMatchObject({ segments: ['any-missing'] });
  expect(baseline(...events, '--segment', 'nobody').stderr).toContain(
    '--segment nobody: name up to 4 different inputs; there are: income, job, age, any-missing.',
  );
  const classes = ['--label', 'job', '--score', 'job', '--classes', 'b,a', '--ignore', 'P'];
  const several = baseline(...classes, '--segment', 'age');
  expect(JSON.parse(several.stdout)).toMatchObject({
    segments: ['age'],
    classification: { classes: ['b', 'a'], columns: [], predicted: [2000, 1000] },
  });
  expect(baseline('--label', 'job', '--classes', 'b').status).toBe(2);
  expect(baseline('--label', 'BAD', '--score', 'job').stderr).toMatch(
    /train\.csv: 3,000 cells of job are no scores from 0 to 1 \(first in line 2: "[ab]"\).*check --score\./,
  );
  const told = fairway('baseline', 'train.csv', '--label', 'job', '--score', 'job', '--classes', 'b,a').stdout;
  expect(told).toMatch(/classes {5}b, a\n {2}accuracy 1\.0000/);
});
