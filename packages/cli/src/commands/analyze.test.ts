import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson, groupScores, type Scalar, type VariableBaseline, variableBaseline } from '@fairway/core';
import {
  analysisPage,
  baselineOf,
  DEFAULT_POLICY,
  defaultPolicy,
  parsePolicy,
  type WindowAnalysis,
} from '@fairway/monitor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSpool } from './analyze-column.ts';
import { analyzeFiles, type Files } from './analyze-files.ts';
import { readBaseline, readHead } from './analyze-table.ts';
import { analysisText, columnLines } from './analyze-text.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairway-analyze-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

type Asked = Partial<Files> & Pick<Files, 'baseline' | 'window'>;

async function analyze(asked: Asked) {
  const spool = openSpool();
  const options: Files = { ignore: [], cutoff: 0.5, ...asked };
  const policy = (isNumber: boolean) =>
    defaultPolicy({ score: asked.score !== undefined, label: asked.label !== undefined, isNumber });
  try {
    return await analyzeFiles(options, policy, spool);
  } finally {
    spool.close();
  }
}

/** Deterministic rows: an input, a category, a label that the score ranks a little. */
function rows(count: number, change: (row: number) => string = line): string {
  return `BAD,x,c,s\n${Array.from({ length: count }, (_, row) => change(row)).join('\n')}\n`;
}
const line = (row: number) =>
  `${row % 7 === 0 ? 1 : 0},${(row * 37) % 101},${row % 3 === 0 ? 'a' : 'b'},${((row * 13) % 97) / 100}`;

const columns = { label: 'BAD', score: 's' } as const;

/** Other tests may hold both cores. */
const timeout = 60_000;

describe('what cannot be used is said in a sentence', { timeout }, () => {
  const good = rows(50);
  test.each<[what: string, baseline: string, window: string, sentence: RegExp, asked?: Partial<Files>]>([
    ['an empty file', good, '', /w\.csv is empty: it needs a header and rows/],
    ['a header without rows', good, 'BAD,x,c,s\n', /w\.csv has a header but no rows/],
    ['one column', good, 'BAD\n1\n', /w\.csv has one column only, "BAD": name its delimiter/],
    ['another delimiter', good, good.replaceAll(',', '^'), /one column only, "BAD\^x\^c\^s"/],
    ['a wrong delimiter', good, good, /one column only/, { delimiter: ';' }],
    ['no score column', good, good, /no column "p" \(--score\); there are: BAD, x, c, s\./, { score: 'p' }],
    ['no label column', good, good, /no column "Y" \(--label\)/, { label: 'Y' }],
    ['no baseline score', good, good, /b\.csv has no column "q" \(--baseline-score\)/, { baselineScore: 'q' }],
    ['a stray --ignore', good, good, /^No file has a column "id" \(--ignore\); there are: BAD/, { ignore: ['id'] }],
    ['what is no text', good, 'BAD,x,c,s\n\u00001,2,a,0.1\n', /w\.csv is no text: give it as CSV in UTF-8\./],
    ['a short row', good, 'BAD,x,c,s\n1,2\n', /w\.csv, line 2: it has 2 cells for 4 columns\./],
    ['a label of 2', good, 'BAD,x,c,s\n1,2,a,0.1\n2,2,a,0.1\n', /line 3: BAD is "2", but a label is 0, 1, or empty/],
    ['columns twice', good, 'x,x\n1,2\n', /more than one column "x"/],
    ['an open quote', good, 'BAD,x,c,s\n1,"2,a,0.1\n', /line 2 opens a quote that is never closed/],
    ['Parquet', good, 'PAR1\u0015', /w\.csv is a Parquet file: export it as CSV/],
    ['a baseline of labels only', 'BAD,s\n1,0.2\n', good, /b\.csv has no column to compare/],
    [
      'one class in the baseline',
      rows(9, (row) => line(row).replace(/^./, '0')),
      good,
      /only one class with a score in s: leave --baseline-score out/,
      { baselineScore: 's' },
    ],
  ])('%s', async (_what, baseline, window, sentence, asked = {}) => {
    const files = { baseline: file('b.csv', baseline), window: [file('w.csv', window)] };
    await expect(analyze({ ...files, ...columns, ...asked })).rejects.toThrow(sentence);
  });

  test('a policy that asks for an input which the baseline lacks, before any window is read', async () => {
    const files = { baseline: file('b.csv', good), window: [file('w.csv', 'BAD,x,c,s\n1,2\n')] };
    const asked = { ...files, ...columns, ignore: [], cutoff: 0.5, policy: 'policy.yaml' };
    const given = parsePolicy(DEFAULT_POLICY.replace('scope: each-input', 'scope: LOAN'), undefined);
    const spool = openSpool();
    await expect(analyzeFiles(asked, () => given, spool)).rejects.toThrow(
      /policy\.yaml asks for what is not there: rules\[4\]\.scope is LOAN, which b\.csv lacks; its inputs are x, c\. rules\[5\]\.limit is impossible: b\.csv has 2 inputs/,
    );
    spool.close();
  });

  test('a file that is not there', async () => {
    const baseline = file('b.csv', good);
    await expect(analyze({ baseline, window: [join(folder, 'none.csv')] })).rejects.toThrow(/There is no file/);
  });
});

const first = async (asked: Asked): Promise<WindowAnalysis> => (await analyze(asked)).windows[0] as WindowAnalysis;

describe('what can be used is judged for what it is', { timeout }, () => {
  const base = () => file('base.csv', rows(2000));
  const window = (text: string) => [file('window.csv', text)];

  test('the same rows again: healthy, and nothing moved', async () => {
    const one = await first({ baseline: base(), window: window(rows(2000)), ...columns });
    expect(one).toMatchObject({ name: 'window', rows: 2000, labelled: 2000, verdict: 'healthy', findings: [] });
    expect(one.psi).toEqual({ x: 0, c: 0 });
  });

  test.each<[string, string, Partial<WindowAnalysis>, RegExp]>([
    ['one row', rows(1), { verdict: 'insufficient', auc: null }, /1 row: the policy judges nothing below 500 rows/],
    [
      'one class',
      rows(2000, (row) => line(row).replace(/^./, '0')),
      { auc: null, ks: null, gini: null },
      /All labels are 0/,
    ],
    [
      'no labels',
      rows(2000, (row) => line(row).replace(/^./, '')),
      { labelled: 0, eventRate: null, verdict: 'insufficient' },
      /No row has a label in BAD/,
    ],
    [
      'few labels',
      rows(2000, (row) => (row % 4 === 0 ? line(row) : line(row).replace(/^./, ''))),
      { verdict: 'insufficient' },
      /25 % of the rows are labelled, below the 80 %/,
    ],
  ])('%s', async (_what, text, expected, note) => {
    const one = await first({ baseline: base(), window: window(text), ...columns });
    expect(one).toMatchObject(expected);
    expect(one.notes.join(' ')).toMatch(note);
    expect(one.findings).toEqual([]);
  });

  test.each<[string, (row: number) => string, string, string | null, number]>([
    [
      'NaN and impossible scores',
      (row) => line(row).replace(/[^,]*$/, row < 20 ? 'x' : '0.5'),
      'invalid-score',
      's',
      0.01,
    ],
    ['missing scores', (row) => (row < 20 ? line(row).replace(/[^,]*$/, '') : line(row)), 'missing-score', 's', 0.01],
    ['padded categories', (row) => line(row).replace(',a,', ',a  ,'), 'padded-category', 'c', 667 / 2000],
    [
      'text among numbers',
      (row) => (row < 2 ? line(row).replace(/,\d+,/, ',7;5,') : line(row)),
      'not-a-number',
      'x',
      0.001,
    ],
    ['a constant score', (row) => line(row).replace(/[^,]*$/, '0.5'), 'constant-score', null, 1],
    [
      'new categories',
      (row) => (row % 20 === 0 ? line(row).replace(/,[ab],/, ',z,') : line(row)),
      'new-category',
      'c',
      0.05,
    ],
    [
      'values out of range',
      (row) => (row % 20 === 0 ? line(row).replace(/,\d+,/, ',999,') : line(row)),
      'out-of-range',
      'x',
      0.05,
    ],
    ['all missing', (row) => line(row).replace(/,\d+,/, ',NA,'), 'missing-rise', 'x', 1],
  ])('%s', async (_what, change, rule, variable, value) => {
    const one = await first({ baseline: base(), window: window(rows(2000, change)), ...columns });
    expect(one.findings.find((finding) => finding.rule === rule)).toMatchObject({ rule, variable, value });
    expect(one.verdict).toBe('warning');
  });

  test('another set of columns is an alert, and its figures are not made up', async () => {
    const text = rows(2000, line).replace('BAD,x,c,s', 'BAD,y,c,s');
    const one = await first({ baseline: base(), window: window(text), ...columns });
    expect(one).toMatchObject({ verdict: 'alert', psi: { x: null }, missing: { x: 1 } });
    expect(one.findings[0]).toMatchObject({ rule: 'missing-column', variable: 'x' });
  });

  test('a baseline without label or score; a window without what another has', async () => {
    const baseline = file('plain.csv', rows(2000).replaceAll(/^[^,]*,|,[^,]*$/gm, ''));
    const plain = file('plain-window.csv', rows(2000).replaceAll(/^[^,]*,|,[^,]*$/gm, ''));
    const { windows } = await analyze({ baseline, window: [plain, file('full.csv', rows(2000))], ...columns });
    expect(windows.map(({ verdict }) => verdict)).toEqual(['insufficient', 'healthy']);
    expect(windows[0]?.notes.join(' ')).toMatch(/plain-window\.csv has no column BAD: what rests on it is not known/);
  });

  test('a baseline score is what decay is measured against', async () => {
    const worse = rows(2000, (row) => line(row).replace(/^./, row % 97 < 14 ? '1' : '0'));
    const better = rows(2000, (row) => `${(row * 13) % 97 > 80 ? 1 : 0}${line(row).slice(1)}`);
    const baseline = file('better.csv', better);
    const { windows, base: profile } = await analyze({
      baseline,
      window: window(worse),
      ...columns,
      baselineScore: 's',
    });
    expect(profile.performance).toMatchObject({ auc: 1, ks: 1, rows: 2000 });
    expect(windows[0]?.findings.map(({ rule }) => rule)).toContain('gini-decay');
    expect(windows[0]?.verdict).toBe('alert');
  });

  test('the text and the page hold the figures and escape what comes from outside', async () => {
    const evil = rows(2000).replace('x', '<script>x\u001B[2J');
    const files = { baseline: file('evil.csv', evil), window: [file('<b>evil.csv', evil)] };
    const { windows, base: profile, leftOut, read } = await analyze({ ...files, ...columns });
    const text = [...columnLines(profile, leftOut, read), analysisText(windows)].join('\n');
    expect(text).toContain('95 % interval');
    expect(text).not.toContain('\u001B');
    const page = analysisPage({ name: '<i>train', rows: 1, leftOut }, profile, windows);
    expect(page).toContain('&lt;script&gt;x');
    expect(page).not.toMatch(/<script|<b>evil|<i>train|https?:\/\/|src=/);
    expect(page.match(/<svg class="chart"[^>]* role="img"/g)?.length).toBe(page.match(/<figure>/g)?.length);
    expect(page.match(/<figcaption>/g)?.length).toBe(page.match(/<details>/g)?.length);
  });
});

describe('a baseline read in a stream', { timeout }, () => {
  const profile = async (text: string) => {
    const spool = openSpool();
    try {
      const head = await readHead(file('stream.csv', text), undefined);
      const roles = { label: 'BAD', score: 's', ignore: [], delimiter: undefined };
      const read = await readBaseline(head, roles, () => spool.newColumn());
      return { ...baselineOf(read.tally, { model: 'm', version: '1', source: read.sha256 }), read };
    } finally {
      spool.close();
    }
  };

  test('has the bins of all values sorted, also where they no longer fit a block', async () => {
    const count = 35_000;
    const text = rows(count, (row) => `${row % 7 === 0 ? 1 : 0},${Math.sin(row) * 1e3},${row % 3},${(row % 89) / 90}`);
    const cells = text
      .trim()
      .split('\n')
      .slice(1)
      .map((one) => one.split(','));
    const { baseline } = await profile(text);
    const column = (at: number): Scalar[] => cells.map((row) => Number(row[at]));
    expect(baseline.variables).toEqual([
      variableBaseline('x', 'numeric', column(1)),
      variableBaseline('c', 'numeric', column(2)),
    ]);
    const groups = groupScores(column(3) as number[], column(0) as number[]);
    expect(baseline.scores.map(([, ...counts]) => counts)).toEqual(groups.map(([, ...counts]) => counts));
    expect(baseline).toMatchObject({ rows: count, events: 5000, performance: { rows: count, events: 5000 } });
    expect(canonicalJson((await profile(text)).baseline)).toBe(canonicalJson(baseline));
  });

  test('takes a column for text as soon as one cell is, wherever it stands', async () => {
    const { baseline, read } = await profile(rows(3000, (row) => (row === 2999 ? '0,n/k,a,0.5' : line(row))));
    expect(baseline.variables.map(({ kind }) => kind)).toEqual(['category', 'category']);
    expect(columnLines(baseline, [], read).join('\n')).toMatch(/x is compared as text: line 3001 holds "n\/k"/);
  });

  test('says which column looks like an id, and which stands in a window only', async () => {
    const numbered = rows(1500).split('\n');
    const text = numbered.map((one, row) => (one === '' ? one : `${row === 0 ? 'id' : row},${one}`)).join('\n');
    const window = file(
      'more.csv',
      text.replaceAll(/^.*$/gm, (one) => (one === '' ? one : `${one},7`)).replace('s,7', 's,more'),
    );
    const { base, leftOut, read } = await analyze({ baseline: file('ids.csv', text), window: [window], ...columns });
    const lines = columnLines(base, leftOut, read).join('\n');
    expect(lines).toMatch(/id is different in every row: leave it out by --ignore id/);
    expect(lines).toMatch(/Not in the baseline, so left out: more\./);
  });

  test('keeps the commonest 50 categories, and leaves out what names every row', async () => {
    const many = await profile(rows(3000, (row) => `0,1,k${row % 60 < 55 ? row % 60 : 0},0.5`));
    const { categories, counts } = many.baseline.variables[1] as Extract<VariableBaseline, { kind: 'category' }>;
    expect([categories.length, categories[0], counts[0], counts.at(-1)]).toEqual([50, 'k0', 300, 250]);
    const ids = await profile(rows(10_002, (row) => `0,1,id-${row},0.5`));
    expect(ids.baseline.variables.map(({ name }) => name)).toEqual(['x']);
    expect(ids.leftOut).toEqual([
      'c is left out: it has more than 10,000 different texts, so it looks like an identifier.',
    ]);
  });
});

const shared = (path: string) => fileURLToPath(new URL(`../../../../../shared/${path}`, import.meta.url));
const data = (name: string) => shared(`data/hmeq/${name}`);
const present = existsSync(data('perf_1_q1.csv')) && existsSync(shared('reference/hmeq-q1-q2.json'));

type Published = {
  inputs: Record<string, Record<string, number>>;
  performance: Record<string, number> & {
    auc_ci95: number[];
    'confusion_0.5': object;
    lift: Array<{ depth: number; captured_response: number; cumulative_lift: number }>;
  };
};

describe.skipIf(!present)(
  'the worked figures of the public HMEQ data (skipped where ../shared is absent)',
  { timeout },
  () => {
    const close = (found: unknown, published: unknown) => {
      expect(Math.abs(Number(found) - Number(published))).toBeLessThanOrEqual(
        1e-9 + 1e-9 * Math.abs(Number(published)),
      );
    };

    test('quarters one and two, to 1e-9', async () => {
      const window = [data('perf_1_q1.csv'), data('perf_2_q2.csv')];
      const { windows } = await analyze({ baseline: data('train.csv'), window, label: 'BAD', score: 'P_BAD1' });
      const { periods } = JSON.parse(readFileSync(shared('reference/hmeq-q1-q2.json'), 'utf8')) as {
        periods: Record<string, Published>;
      };
      for (const [index, one] of windows.entries()) {
        const { inputs, performance } = periods[`q${index + 1}`] as Published;
        for (const [name, published] of Object.entries(inputs)) {
          close(one.psiWithMissing[name], published['psi_with_missing_bin']);
          const pairs = {
            psi: 'psi_right_closed',
            jsDivergence: 'js_divergence_base2',
            ksTwoSample: 'ks2_D',
            wasserstein: 'wasserstein_norm',
            chiSquare: 'chi2',
          };
          for (const [ours, theirs] of Object.entries(pairs)) {
            if (published[theirs] !== undefined) close(one.inputs[name]?.[ours], published[theirs]);
          }
        }
        const named = {
          auc: 'auc',
          gini: 'gini',
          ks: 'ks_class',
          brier: 'brier_ase',
          rase: 'rase',
          logLoss: 'logloss',
          ece: 'ece10',
          meanScore: 'mean_score',
        };
        for (const [ours, theirs] of Object.entries(named)) close(one.figures[ours], performance[theirs]);
        for (const side of [0, 1]) close(one.aucInterval?.[side], performance.auc_ci95[side]);
        for (const [name, value] of Object.entries(performance['confusion_0.5'])) {
          if (name in one.figures) close(one.figures[name], value);
        }
        for (const { depth, captured_response: gain, cumulative_lift: lift } of performance.lift) {
          close(one.figures[`gain${Math.round(depth * 100)}`], gain);
          close(one.figures[`lift${Math.round(depth * 100)}`], lift);
        }
      }
      close(windows[0]?.figures['targetPsi'], 0.0005812397397);
      close(windows[1]?.figures['scorePsi'], 0.0004683735299);
      expect(windows.map(({ figures }) => figures['p1'])).toEqual([0, 2]);
    });

    test('rules speak when they should: not on the hold-out, not in quarter one, but in quarter two', async () => {
      const window = [data('perf_1_q1.csv'), data('perf_2_q2.csv')];
      const { windows } = await analyze({ baseline: data('train.csv'), window, label: 'BAD', score: 'P_BAD1' });
      expect(windows.map(({ verdict }) => verdict)).toEqual(['healthy', 'alert']);
      expect(windows[1]?.findings.map(({ rule, variable }) => [rule, variable])).toEqual([
        ['gini-decay', null],
        ['auc-slip', null],
        ['input-psi', 'LOAN'],
        ['input-psi', 'VALUE'],
        ['out-of-range', 'LOAN'],
        ['out-of-range', 'VALUE'],
      ]);
      const quiet = await analyze({ baseline: data('train.csv'), window: [data('test.csv')], label: 'BAD' });
      expect(quiet.windows[0]).toMatchObject({ verdict: 'healthy', findings: [], rows: 596 });
    });
  },
);

describe('labels that are numbers', { timeout }, () => {
  /** Prices: the prediction is off by `error` of itself, one way and the other. */
  const prices = (count: number, error: number, shift = 0) =>
    `price,x,c,s\n${Array.from({ length: count }, (_, row) => {
      const price = 100 + ((row * 37) % 400) + 0.5;
      return `${price},${(row * 37) % 101},${row % 3 === 0 ? 'a' : 'b'},${price * (1 + (row % 2 === 0 ? error : -error)) + shift}`;
    }).join('\n')}\n`;
  const asked = { label: 'price', score: 's' } as const;

  test('three rows, worked by hand, and what the text, the page and the verdict say of them', async () => {
    const baseline = file('numbers-train.csv', prices(1000, 0.1));
    const three = file('numbers-3.csv', 'price,x,c,s\n12,1,a,10\n19,2,a,20\n26.0,3,b,30\n,4,b,31\n');
    const found = await analyze({ ...asked, baseline, baselineScore: 's', window: [three], target: 'number' });
    const [window] = found.windows;
    // Errors -2, 1, 4; the true values 12, 19, 26 lie 7, 0, 7 from their mean.
    expect(window?.figures).toMatchObject({ mae: 7 / 3, rmse: Math.sqrt(7), eventRate: null, auc: null });
    expect(window?.figures['rSquared']).toBeCloseTo(1 - 21 / 98, 12);
    expect(window).toMatchObject({ rows: 4, labelled: 3, verdict: 'insufficient' });
    expect(analysisText(found.windows)).toMatch(/MAE +2\.3333\n.*RMSE +2\.6458\n.*R2 +0\.7857/);
    expect(analysisPage({ name: 'b', rows: 1, leftOut: [] }, found.base, found.windows)).toContain(
      'Mean absolute error',
    );
    expect(found.base.regression?.performance).toMatchObject({ rows: 1000 });
  });

  test('are seen without being told; the same data is healthy, a larger error alerts, moved predictions warn', async () => {
    const baseline = file('numbers-train.csv', prices(1000, 0.1));
    const window = [prices(1000, 0.1), prices(1000, 0.2), prices(1000, 0.1, 300)].map((text, index) =>
      file(`numbers-${index}.csv`, text),
    );
    const { windows } = await analyze({ ...asked, baseline, baselineScore: 's', window });
    const rules = windows.map(({ verdict, findings }) => [verdict, ...findings.map(({ rule }) => rule)]);
    expect(rules).toEqual([['healthy'], ['alert', 'error-rise'], ['alert', 'error-rise', 'prediction-psi']]);
    expect(windows[0]?.figures).toMatchObject({ predictionPsi: 0, predictionDrift: 0 });
  });

  test('without scores in the baseline the first window is what later ones are held against', async () => {
    const baseline = file('numbers-bare.csv', 'price,x,c\n100.5,1,a\n200.5,2,b\n');
    const window = [prices(1000, 0.1), prices(1000, 0.2)].map((text, index) => file(`numbers-w${index}.csv`, text));
    const { windows } = await analyze({ ...asked, baseline, window });
    expect(windows[0]?.notes.join(' ')).toContain('measured against numbers-w0');
    expect(windows[1]?.findings.map(({ rule }) => rule)).toContain('error-rise');
  });

  test('a label that is no number is named with its line; whole numbers beside probabilities stay a mistake', async () => {
    const baseline = file('numbers-train.csv', prices(1000, 0.1));
    const text = file('numbers-text.csv', `${prices(5, 0.1)}dear,1,a,2\n`);
    await expect(analyze({ ...asked, baseline, window: [text] })).rejects.toThrow(
      /line 7.*price is "dear", but where labels are numbers/,
    );
    const two = file(
      'two.csv',
      rows(50, (row) => (row === 9 ? '2,1,a,0.5' : line(row))),
    );
    await expect(analyze({ ...columns, baseline: file('base.csv', rows(50)), window: [two] })).rejects.toThrow(
      /a label is 0, 1, or empty/,
    );
  });
});

describe('segments', { timeout }, () => {
  /** The score ranks everybody well but those with c = b and x above 50: there it is turned round, or means nothing. */
  const world = (broken: boolean) =>
    rows(6000, (row) => {
      const [x, c] = [(row * 37) % 101, row % 3 === 0 ? 'b' : 'a'];
      const p = ((row * 7919) % 1000) / 1000;
      const bad = (row * 104_729) % 1000 < p * 1000 ? 1 : 0;
      return `${bad},${x},${c},${broken && c === 'b' && x > 50 ? 1 - p : p}`;
    });

  test('of two inputs the broken one is found with its rows, its interval and what it is compared with', async () => {
    const baseline = file('seg-train.csv', world(false));
    const window = [file('seg-same.csv', world(false)), file('seg-broken.csv', world(true))];
    const { windows, base } = await analyze({
      ...columns,
      baseline,
      baselineScore: 's',
      window,
      segment: ['c', 'c,x'],
    });
    expect(windows[0]?.segments).toEqual([]);
    const [first, second] = windows[1]?.segments ?? [];
    expect(first).toMatchObject({ where: { c: 'b' }, metric: 'auc', labelled: 2000, overall: windows[1]?.auc });
    expect(Object.keys(second?.where ?? {})).toEqual(['c', 'x']);
    expect(second?.where['c']).toBe('b');
    expect(second?.value).toBeLessThan(0.4);
    expect(second?.interval[1]).toBeLessThan(second?.overall ?? 0);
    expect(analysisText(windows)).toMatch(
      /< {2}c b: AUC 0\.\d{4} \(0\.\d{4} to 0\.\d{4}\) against 0\.\d{4} of all, on 2,000 labelled rows/,
    );
    expect(analysisPage({ name: 'b', rows: 1, leftOut: [] }, base, windows)).toContain('on 2,000 labelled rows');
  });

  test('of numbers the segment with the larger mean error is found, missing values being a bin', async () => {
    const prices = `price,x,s\n${Array.from({ length: 1000 }, (_, row) => {
      const price = 100.5 + ((row * 37) % 400);
      return row % 4 === 0 ? `${price},,${price + 30 + (row % 3)}` : `${price},${row % 5},${price + 10 + (row % 3)}`;
    }).join('\n')}\n`;
    const [baseline, asked] = [file('seg-prices.csv', prices), { label: 'price', score: 's', segment: ['x'] } as const];
    const { windows } = await analyze({ ...asked, baseline, baselineScore: 's', window: [baseline] });
    // 750 rows are off by 11 on the mean, 250 by 31.
    const [only, ...others] = windows[0]?.segments ?? [];
    // Nobody has asked for rows that lack an input: they are always looked at.
    expect(others).toEqual([{ ...only, where: { 'any-missing': 'yes' } }]);
    expect(only).toMatchObject({ where: { x: 'missing' }, metric: 'mae', labelled: 250, eventRate: null });
    expect(only?.value).toBeCloseTo(31, 1);
    expect(only?.overall).toBeCloseTo(16, 1);
  });

  test('what is no input, three of them, or one twice is refused in a sentence', async () => {
    const baseline = file('seg-train.csv', world(false));
    for (const segment of ['nobody', 'c,x,c', 'c,c'])
      await expect(analyze({ ...columns, baseline, window: [baseline], segment: [segment] })).rejects.toThrow(
        `--segment ${segment} must name one input, or two by a comma; there are: x, c, any-missing.`,
      );
  });
});
