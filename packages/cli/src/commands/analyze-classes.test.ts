import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analysisPage, defaultPolicy } from '@fairway/monitor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSpool } from './analyze-column.ts';
import { analyzeFiles, type Files } from './analyze-files.ts';
import { classNames, scoreColumns } from './analyze-table.ts';
import { analysisText } from './analyze-text.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairway-classes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CLASSES = ['oak', 'fir', 'elm'];

/** Three hundred of each class. `missed`: of each hundred elms so many are taken for firs. */
function file(name: string, missed: number): string {
  const rows = Array.from({ length: 900 }, (_, row) => {
    const truth = row % 3;
    const said = truth === 2 && Math.floor(row / 3) % 100 < missed ? 1 : truth;
    const p = CLASSES.map((_, at) => (at === said ? 0.8 : 0.1));
    return `${CLASSES[truth]},${(row * 37) % 101},${(row * 53) % 89},${(row * 71) % 83},${p.join()},${CLASSES[said]}`;
  });
  const path = join(folder, name);
  writeFileSync(path, `tree,x,y,z,P_oak,P_fir,P_elm,said\n${rows.join('\n')}\n`);
  return path;
}

async function analyze(asked: Partial<Files> & Pick<Files, 'baseline' | 'window'>) {
  const spool = openSpool();
  const policy = () => defaultPolicy({ score: true, label: true, isClasses: true });
  try {
    const given = { label: 'tree', classes: CLASSES, ignore: [], cutoff: 0.5, ...asked };
    return await analyzeFiles(given, policy, spool);
  } finally {
    spool.close();
  }
}
const COLUMNS = 'P_oak,P_fir,P_elm';

test('probabilities by class: a class that is missed alerts, with its figures in text and report', async () => {
  const baseline = file('train.csv', 0);
  const window = [file('same.csv', 0), file('missed.csv', 50)];
  const asked = { baseline, window, score: COLUMNS, baselineScore: COLUMNS, ignore: ['said'] };
  const { windows, base } = await analyze(asked);
  expect(base.classification).toMatchObject({
    classes: CLASSES,
    columns: COLUMNS.split(','),
    predicted: [300, 300, 300],
  });
  expect(base.variables.map(({ name }) => name)).toEqual(['x', 'y', 'z']);
  expect(windows.map(({ verdict }) => verdict)).toEqual(['healthy', 'alert']);
  // 150 of 900 rows are wrong, all of them elms; each says 0.8.
  expect(windows[1]?.figures).toMatchObject({
    accuracy: expect.closeTo(5 / 6, 12),
    kappa: expect.closeTo(0.75, 12),
    logLoss: expect.closeTo(-(5 * Math.log(0.8) + Math.log(0.1)) / 6, 8),
    auc: null,
    eventRate: null,
  });
  expect(windows[1]?.classes?.['elm']).toEqual({
    classRecall: 0.5,
    classPrecision: 1,
    // Half of them say what all others say.
    classAuc: expect.closeTo(0.75, 12),
  });
  expect(windows[1]?.findings.map(({ rule, variable }) => [rule, variable])).toEqual([
    ['accuracy-decay', null],
    ['class-recall', 'elm'],
    ['class-psi', null],
  ]);
  expect(analysisText(windows)).toMatch(/recall of elm +1\.0000 +0\.5000/);
  expect(analysisPage({ name: 'b', rows: 900, leftOut: [] }, base, windows)).toContain('Recall of elm');
});

test('a column with the predicted class is enough; decay is then from the first window', async () => {
  const baseline = file('train2.csv', 0);
  const window = [file('first.csv', 0), file('second.csv', 50)];
  const { windows } = await analyze({ baseline, window, score: 'said', ignore: COLUMNS.split(',') });
  expect(windows.map(({ verdict }) => verdict)).toEqual(['healthy', 'alert']);
  expect(windows[0]?.notes.join()).toContain('measured against first');
  expect(windows[1]?.figures).toMatchObject({ accuracy: expect.closeTo(5 / 6, 12), classBrier: null, logLoss: null });
});

test('the segment in which a class is missed is found, from probabilities and from the predicted class', async () => {
  const baseline = file('train3.csv', 0);
  // Elms are one in three of every segment; here those with a large x are missed.
  const text = `tree,x,g,P_oak,P_fir,P_elm,said\n${Array.from({ length: 900 }, (_, row) => {
    const [truth, isFar] = [row % 3, row % 4 === 0];
    const said = isFar ? (truth + 1) % 3 : truth;
    const p = CLASSES.map((_each, at) => (at === said ? 0.8 : 0.1));
    return `${CLASSES[truth]},${row % 50},${isFar ? 'far' : 'near'},${p.join()},${CLASSES[said]}`;
  }).join('\n')}\n`;
  const path = join(folder, 'far.csv');
  writeFileSync(path, text);
  for (const columns of [
    { score: COLUMNS, ignore: ['said'] },
    { score: 'said', ignore: COLUMNS.split(',') },
  ]) {
    const { windows } = await analyze({ baseline: path, window: [path], ...columns, segment: ['g', 'x'] });
    expect(windows[0]?.segments).toMatchObject([
      { where: { g: 'far' }, metric: 'accuracy', value: 0, overall: 0.75, labelled: 225, eventRate: null },
    ]);
    expect(analysisText(windows)).toContain('g far: accuracy 0.0000 (0.0000 to 0.0000) against 0.7500 of all');
  }
  expect(
    (await analyze({ baseline, window: [baseline], score: COLUMNS, segment: ['x'] })).windows[0]?.segments,
  ).toEqual([]);
});

test('classes and columns that do not fit each other are refused in a sentence', async () => {
  expect(() => scoreColumns({ score: 'P_oak,P_fir', classes: CLASSES })).toThrow(
    'There are 3 classes (--classes) and 2 columns (P_oak, P_fir)',
  );
  for (const text of ['oak', 'oak,oak', 'oak,,fir']) expect(() => classNames(text)).toThrow('2 to 200 different names');
  const baseline = file('train3.csv', 0);
  await expect(analyze({ baseline, window: [baseline], score: 'P_oak,P_fir,P_ash' })).rejects.toThrow(
    'has no column "P_ash" (--score)',
  );
});
