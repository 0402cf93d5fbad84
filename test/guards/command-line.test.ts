import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { commandLine, refuse } from '../harness/command-line.ts';
import { ROOT } from './source.ts';

const USAGE = 'npm run thing -- [--json FILE]';
const asked = (...args: string[]) => {
  process.argv = ['node', 'main.ts', ...args];
  return commandLine(USAGE, { json: { type: 'string' }, rounds: { type: 'string', default: '3' } });
};

const { argv } = process;
const told: string[] = [];
beforeEach(() => {
  told.length = 0;
  for (const stream of ['log', 'error'] as const)
    vi.spyOn(console, stream).mockImplementation((line: string) => void told.push(`${stream}: ${line}`));
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
});
afterEach(() => {
  process.argv = argv;
  vi.restoreAllMocks();
});

test('a command gets its words and options', () => {
  const { positionals, values } = asked('one', 'two', '--json', 'file');
  expect({ positionals, ...values }).toMatchObject({ positionals: ['one', 'two'], json: 'file', rounds: '3' });
  expect(told).toEqual([]);
});

test.each(['--help', '-h'])('%s tells how it is used, and that is no failure', (option) => {
  expect(() => asked('one', option)).toThrow('exit 0');
  expect(told).toEqual([`log: ${USAGE}`]);
});

test.each([
  [['--jsom', 'file'], "Unknown option '--jsom'."],
  [['--json'], "Option '--json <value>' argument missing."],
  [['-x'], "Unknown option '-x'."],
])('%j is refused in a sentence, with the usage', (args, sentence) => {
  expect(() => asked(...args)).toThrow('exit 2');
  expect(told).toEqual([`error: ${sentence}\n\n${USAGE}`]);
});

test('what a command refuses by itself ends like that, too', () => {
  expect(() => refuse(USAGE, 'There is no such thing.')).toThrow('exit 2');
  expect(told).toEqual([`error: There is no such thing.\n\n${USAGE}`]);
});

test.each(['bench', 'faults', 'fuzz'])('npm run %s is such a command', (name) => {
  const main = readFileSync(`${ROOT}/test/${name}/main.ts`, 'utf8');
  expect(main).toContain('commandLine(USAGE, {');
  expect(main).not.toMatch(/parseArgs|throw new Error/);
});
