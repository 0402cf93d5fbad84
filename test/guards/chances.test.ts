import { expect, test } from 'vitest';
import { type Report, retried, troubled, withResults } from '../../tools/chances.js';

const at = (file: string) => `${process.cwd()}/${file}`;
const passed = (fullName: string, ...failureMessages: string[]) => ({ fullName, status: 'passed', failureMessages });
const failed = (fullName: string, ...failureMessages: string[]) => ({ fullName, status: 'failed', failureMessages });
type File = Report['testResults'][number];
const file = (name: string, status: string, assertionResults: File['assertionResults'], message = ''): File => ({
  name: at(name),
  status,
  message,
  assertionResults,
});
const report = (testResults: readonly File[], unhandled: Report['unhandled'] = []): Report => ({
  testResults,
  unhandled,
  success: false,
});

test('a test that passed on another try is told with its first reason; one that failed, or passed at once, is not', () => {
  const results = [passed('a', 'Error: late\n    at x', 'Error: later'), passed('b'), failed('c', 'Error: wrong')];
  expect(retried(report([file('test/one.test.ts', 'failed', results)]))).toEqual(['test/one.test.ts > a: Error: late']);
});

test('a file is in trouble by a test, by a hook, by not being loaded, and by an error that nobody caught', () => {
  const found = troubled(
    report(
      [
        file('test/a.test.ts', 'failed', [passed('1'), failed('2', 'Error: wrong\n    at x')]),
        file('test/b.test.ts', 'failed', [passed('1')], 'Hook timed out'),
        file('test/c.test.ts', 'failed', [], 'Cannot find module'),
        file('test/d.test.ts', 'passed', [passed('1')]),
        file('test/e.test.ts', 'passed', [passed('1')]),
      ],
      [
        { file: 'test/a.test.ts', message: 'terminating connection' },
        { file: 'test/d.test.ts', message: 'terminating connection' },
        { file: '', message: 'of nobody' },
      ],
    ),
  );
  expect([...found]).toEqual([
    ['test/a.test.ts', '2: Error: wrong'],
    ['test/b.test.ts', 'Hook timed out'],
    ['test/c.test.ts', 'Cannot find module'],
    ['test/d.test.ts', 'an error that nobody caught: terminating connection'],
    ['', 'an error that nobody caught: of nobody'],
  ]);
});

test('the results of a second run take the place of the first ones, and every test counts once', () => {
  const first = report([
    file('test/a.test.ts', 'failed', [passed('1'), failed('2', 'Error: wrong')]),
    file('test/b.test.ts', 'passed', [passed('3'), { fullName: '4', status: 'skipped', failureMessages: [] }]),
  ]);
  const second = report([file('test/a.test.ts', 'passed', [passed('1'), passed('2')])]);
  expect(withResults(first, second)).toMatchObject({
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 1,
    numTodoTests: 0,
  });
});
