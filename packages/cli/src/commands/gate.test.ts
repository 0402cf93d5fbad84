import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gateCommand, gateOfFile, gateText, type Options } from './gate.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairway-gate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS = { label: 'y', champion: 'old', candidate: 'new' };
const asked = (options: Partial<Options>): Options => ({ ...COLUMNS, target: 'event', margin: 0, ...options });

async function answer(rows: readonly string[], options: Partial<Options>) {
  const file = join(folder, 'scored.csv');
  writeFileSync(file, `${rows.join('\n')}\n`);
  const found = await gateOfFile(file, asked(options));
  return { ...found, text: gateText(found, asked(options)) };
}

test('ranks the same rows by two models: worked in core, here from a file, rows without outcome left out', async () => {
  const rows = [
    'id;y;old;new',
    '1;1;.9;.8',
    '2;1;.7;.5',
    '3;1;.4;.5',
    '4;0;.6;.5',
    '5;0;.3;.6',
    '6;;.3;.6',
    '7;0;.2;.1',
  ];
  const found = await answer(rows, { margin: 0.01 });
  expect(found).toMatchObject({ passes: false, rows: 6, paired: { difference: expect.closeTo(-2 / 9, 12) } });
  expect(found.text).toBe(
    'Refused: AUC 0.6667 against 0.8889 of the champion on 6 rows: worse by 0.2222 (95 %: -0.7444 to 0.3000), asked for 0.01.',
  );
});

test('numbers by the mean absolute error, in shares of it', async () => {
  const rows = ['y,old,new', '10,12,11', '20,16,21', '30,36,26'];
  const found = await answer(rows, { target: 'number', margin: 0.02, z: 1.96 });
  expect(found).toMatchObject({ passes: true, paired: { first: 4, second: 2, difference: 0.5 } });
  expect(found.text).toBe(
    'Passed: mean absolute error 2.000 against 4.000 of the champion on 3 rows: better by 0.5000 of it (95 %: 0.2171 to 0.7829), asked for 0.02 and 1.96 standard errors beyond chance.',
  );
});

test('classes by accuracy; blanks around a name do not matter, a missing prediction is wrong', async () => {
  const found = await answer(['y,old,new', 'oak, oak,oak', 'fir,oak,fir', 'fir,,fir', 'ash,ash,oak'], {
    target: 'class',
  });
  expect(found).toMatchObject({ passes: true, rows: 4, paired: { first: 0.5, second: 0.75, difference: 0.25 } });
  expect((await answer(['y,old,new', 'oak,oak,oak'], { target: 'class', z: 1 })).passes).toBe(false);
});

test('what cannot be compared does not pass; what cannot be read is said', async () => {
  const silent = await answer(['y,old,new', '1,NaN,0.4', '0,0.1,0.2'], {});
  expect(silent).toMatchObject({ passes: false, paired: null });
  expect(silent.text).toBe('Refused: the two models cannot be compared on 2 rows; the champion stays.');
  await expect(answer(['y,old,new', '3,1,2'], {})).rejects.toThrow('has the outcome 3: an event is 0 or 1.');
  await expect(answer(['y,old,new', '1,.5,.5', 'yes,.5,.5'], {})).rejects.toThrow(
    'line 3: y is "yes", which is no finite number. Give --target class where classes are predicted.',
  );
  await expect(answer(['y,old,new', '1,.5,oak'], { target: 'number' })).rejects.toThrow('line 2: new is "oak"');
  await expect(answer(['y,old', '1,0.5'], {})).rejects.toThrow('has no column "new"; there are: y, old.');
  await expect(answer(['y,old,new', '1,0.5'], {})).rejects.toThrow('line 2: it has 2 cells, and the header 3.');
});

test('takes margin and evidence from the environment of the retrain Job', () => {
  const command = gateCommand().exitOverride();
  const [margin, z] = ['--margin', '--z'].map((flag) => command.options.find(({ long }) => long === flag));
  expect([margin?.envVar, margin?.mandatory, z?.envVar]).toEqual(['FAIRWAY_GATE_MARGIN', true, 'FAIRWAY_GATE_Z']);
});
