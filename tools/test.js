// npm test: the check, then every test with real servers and processes. Ends with the runner's own counts.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { bin, run, vitest } from './run.js';

const PROJECTS = ['unit', 'integration', 'e2e'];
mkdirSync('.cache', { recursive: true });
for (const project of PROJECTS) rmSync(`.cache/${project}.json`, { force: true });

const codes = [];
codes.push((await run('check', process.execPath, ['tools/check.js'], { live: true })).code);
// Side by side: a story waits for its own timers where the integration tests compute. What is told live is the longer one.
const [integration, e2e] = await Promise.all([
  run('integration', bin('vitest'), vitest('integration'), { live: true }),
  run('e2e', bin('vitest'), vitest('e2e')),
]);
console.log(e2e.output);
codes.push(integration.code, e2e.code);

const total = { passed: 0, failed: 0, skipped: 0 };
for (const project of PROJECTS) {
  try {
    const report = JSON.parse(readFileSync(`.cache/${project}.json`, 'utf8'));
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests;
    total.skipped += report.numPendingTests + report.numTodoTests;
    // A file that could not even be loaded counts as a failure of its own.
    total.failed += report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    ).length;
  } catch {
    console.log(`The ${project} tests left no report: they did not run to their end.`);
    codes.push(1);
  }
}
const failed = codes.some((code) => code !== 0);
if (failed && total.failed === 0) console.log('No test failed, but a step above did.');
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = failed || total.failed > 0 ? 1 : 0;
