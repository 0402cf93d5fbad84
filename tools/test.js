// npm test: the check, then every test with real servers and processes. Ends with the runner's own counts.
import { mkdirSync, rmSync } from 'node:fs';
import { aloneAgain, reportOf, retried } from './chances.js';
import { bin, run, vitest } from './run.js';

const PROJECTS = ['unit', 'integration', 'e2e'];
mkdirSync('.cache', { recursive: true });
for (const project of PROJECTS)
  for (const name of [project, `${project}-alone`])
    for (const kind of ['json', 'unhandled.json']) rmSync(`.cache/${name}.${kind}`, { force: true });

const codes = {};
codes.unit = (await run('check', process.execPath, ['tools/check.js'], { live: true })).code;
// Side by side: a story waits for its own timers where the integration tests compute. What is told live is the longer one.
const [integration, e2e] = await Promise.all([
  run('integration', bin('vitest'), vitest('integration'), { live: true }),
  run('e2e', bin('vitest'), vitest('e2e')),
]);
console.log(e2e.output);
Object.assign(codes, { integration: integration.code, e2e: e2e.code });

const total = { passed: 0, failed: 0, skipped: 0 };
const again = [];
let failed = false;
for (const project of PROJECTS) {
  const first = reportOf(project);
  if (first === undefined) {
    console.log(`The ${project} tests left no report: they did not run to their end.`);
    failed = true;
    continue;
  }
  // The check shares nothing with anybody: what fails there is no chance.
  const { report, code, told } =
    project === 'unit'
      ? { report: first, code: codes.unit, told: [] }
      : await aloneAgain(project, first, codes[project]);
  failed ||= code !== 0;
  again.push(...told.map((one) => `alone, ${one}`), ...retried(report));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not even be loaded counts as a failure of its own.
  total.failed += report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
}
if (again.length > 0) console.log(`\nPassed only on another try:\n${again.map((one) => `  ${one}`).join('\n')}`);
if (failed && total.failed === 0) console.log('No test failed, but a step above did.');
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = failed || total.failed > 0 ? 1 : 0;
