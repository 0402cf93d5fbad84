// npm run check: everything that must hold before a commit, side by side. Prints the output of what failed.
import { bin, run, vitest } from './run.js';

const startedAt = Date.now();
const results = await Promise.all([
  run('types', bin('tsc'), ['-b']).then(async (types) => [
    types,
    await run('unused', bin('knip'), ['--cache', '--no-progress']),
  ]),
  run('format', bin('biome'), ['format', '.']).then(async (format) => [
    format,
    await run('lint', bin('oxlint'), ['--type-aware', '--deny-warnings']),
    await run('unit', bin('vitest'), vitest('unit')),
  ]),
]);
const all = results.flat();
for (const { name, code, output } of all) if (code !== 0) console.log(`── ${name} ──\n${output.trim()}\n`);
const told = all.flatMap(({ code, output }) => (code === 0 ? output.split('\n') : []));
for (const line of told.filter((each) => each.startsWith('skipped: '))) console.log(line);
for (const { name, code, ms } of all)
  console.log(`${code === 0 ? '✔' : '✘'} ${name.padEnd(8)} ${(ms / 1000).toFixed(1)} s`);
console.log(
  `check ${all.every(({ code }) => code === 0) ? 'passed' : 'failed'} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
);
process.exitCode = all.every(({ code }) => code === 0) ? 0 : 1;
