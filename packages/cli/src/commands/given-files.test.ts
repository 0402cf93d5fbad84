import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkOutputs, readGiven, writeGiven } from './given-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-given-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
writeFileSync(at('data.csv'), 'a,b\n');
symlinkSync(at('data.csv'), at('link.csv'));
mkdirSync(at('reports'));

test('what can be written is let through, also over a file that is there', () => {
  writeFileSync(at('old.json'), 'old');
  checkOutputs(
    [
      ['--json', at('new.json')],
      ['--html', at('old.json')],
    ],
    [at('data.csv')],
  );
  checkOutputs([
    ['--json', '-'],
    ['--html', '-'],
  ]);
  writeGiven(['--json', at('old.json')], 'new');
  expect(readFileSync(at('old.json'), 'utf8')).toBe('new');
});

test.each([
  ['a folder', [['--json', at('reports')]], /^--json .*reports cannot be written: it is a folder\.$/],
  ['a folder that is not there', [['--html', at('none/r.html')]], /there is no folder .*none\.$/],
  ['below a file', [['--html', at('data.csv/r.html')]], /data\.csv is no folder\.$/],
  ['an input', [['--json', at('data.csv')]], /it is read by the same command\.$/],
  ['an input by another spelling', [['--json', at('reports/../data.csv')]], /it is read by the same command\.$/],
  ['an input by a link', [['--json', at('link.csv')]], /it is read by the same command\.$/],
  [
    'two of the same',
    [
      ['--json', at('x')],
      ['--html', at('./x')],
    ],
    /^--html .* it is what --json names too\.$/,
  ],
] as const)('%s is refused before any work', (_what, outputs, sentence) => {
  expect(() => checkOutputs(outputs, [at('data.csv')])).toThrow(sentence);
});

test('a folder that closed meanwhile is a sentence too', () => {
  expect(() => writeGiven(['--json', at('gone/x.json')], '{}')).toThrow(/there is no folder .*gone\.$/);
});

test.skipIf(process.getuid?.() === 0)('what this user may not read or write is said (root may all)', () => {
  writeFileSync(at('secret'), '');
  chmodSync(at('secret'), 0o000);
  expect(() => readGiven(at('secret'))).toThrow(/may not be read by this user/);
  expect(() => checkOutputs([['--json', at('secret')]])).toThrow(/this user may not write there/);
});

test.each([
  ['none.yaml', /There is no file .*none\.yaml; check its path\./],
  ['reports', /reports is a folder, and no file\./],
  ['data.csv/x', /There is no file .*; check its path\./],
])('reading %s', (name, sentence) => expect(() => readGiven(at(name))).toThrow(sentence));
