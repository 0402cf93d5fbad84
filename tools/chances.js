// What a test run forgives, and tells: tests that needed another try, and a few files that failed beside all others and passed alone.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { bin, run, vitest } from './run.js';

/** More than these fail for a reason, not by chance. */
const MOST_ALONE = 3;

const here = (file) => relative(process.cwd(), file);
const firstLine = (text) => String(text).split('\n', 1)[0].slice(0, 300);
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);

/** The report of a project's run, its errors outside tests included; undefined: it did not run to its end. */
export function reportOf(name) {
  const report = read(`.cache/${name}.json`);
  return report && { ...report, unhandled: read(`.cache/${name}.unhandled.json`) ?? [] };
}

/** Tests that passed only on another try, each with why it failed before. */
export const retried = ({ testResults }) =>
  testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
      .map((test) => `${here(name)} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`),
  );

/** Files of a run that did not pass, each with its first reason. */
export function troubled({ testResults, unhandled }) {
  const files = new Map();
  for (const { name, status, message, assertionResults } of testResults) {
    if (status !== 'failed') continue;
    const failed = assertionResults.find((test) => test.status === 'failed');
    files.set(here(name), firstLine(failed ? `${failed.fullName}: ${failed.failureMessages[0]}` : message));
  }
  for (const { file, message } of unhandled)
    if (!files.has(file)) files.set(file, `an error that nobody caught: ${firstLine(message)}`);
  return files;
}

/**
 * Runs the few files that failed once more, with nothing beside them and without another try. `told` is what passed then, and why it had
 * not before; `report` has these results in place of the first ones, and `code` is `firstCode` unless nothing is left that failed.
 */
export async function aloneAgain(project, first, firstCode) {
  const files = troubled(first);
  const isChance = files.size > 0 && files.size <= MOST_ALONE && [...files.keys()].every((file) => existsSync(file));
  if (!isChance) return { report: first, code: firstCode, told: [] };
  const name = `${project}-alone`;
  console.log(`\nOnce more, alone: ${[...files.keys()].join(', ')}`);
  const again = ['--retry=0', '--maxWorkers=1', ...files.keys()];
  const { code } = await run(name, bin('vitest'), [...vitest(project, name), ...again], { live: true });
  const second = reportOf(name);
  if (code !== 0 || !second) return { report: first, code: firstCode, told: [] };
  const told = [...files].map(([file, why]) => `${file}: ${why}`);
  return { report: withResults(first, second), code: 0, told };
}

/** The counts of the first run with the files of the second in their place. */
export function withResults(first, second) {
  const again = new Set(second.testResults.map(({ name }) => name));
  const testResults = [...first.testResults.filter(({ name }) => !again.has(name)), ...second.testResults];
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (...states) => all.filter(({ status }) => states.includes(status)).length;
  return {
    ...first,
    testResults,
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('skipped', 'pending', 'disabled'),
    numTodoTests: count('todo'),
  };
}
