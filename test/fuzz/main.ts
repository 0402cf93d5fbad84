/**
 * `npm run fuzz -- [NAME] --rounds N --seed S --json FILE`: throws what is broken at what reads files of strangers, N cases for each
 * campaign, each campaign in a process of its own. `--path P` runs the one case that a failure names. Exit 1 when an invariant broke.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atMost, print, type Result, write } from '../bench/result.ts';
import { commandLine, refuse } from '../harness/command-line.ts';
import { CAMPAIGNS } from './campaigns.ts';

const USAGE = `npm run fuzz -- [NAME...] [--rounds N] [--seed S] [--path P] [--json FILE]

  NAME           of a campaign, or of some: ${Object.keys(CAMPAIGNS).join(', ')}
  --rounds N     cases of each campaign (10000)
  --seed S       of the cases; another each time without it
  --path P       the one case of this seed that a failure names
  --json FILE    what was found, as JSON`;
const { positionals, values } = commandLine(USAGE, {
  rounds: { type: 'string', default: '10000' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  path: { type: 'string' },
  json: { type: 'string' },
});
const order = { rounds: Number(values.rounds), seed: Number(values.seed), path: values.path };
if (!Number.isInteger(order.rounds) || order.rounds < 1 || !Number.isInteger(order.seed))
  refuse(USAGE, '--rounds is a number from 1 on, --seed a whole number.');
const names = positionals.length > 0 ? positionals : Object.keys(CAMPAIGNS);
const unknown = names.find((name) => CAMPAIGNS[name] === undefined);
if (unknown !== undefined) refuse(USAGE, `There is no campaign ${JSON.stringify(unknown)}.`);
const results: Result[] = [];
for (const name of names) results.push(...(await run(name)));
print(results);
if (values.json !== undefined) write('fuzz', results, values.json);
if (results.some(({ ok }) => !ok)) process.exitCode = 1;

/** No word for so long: the campaign hangs, in a loop that no timer of its own could leave. */
function run(name: string): Promise<Result[]> {
  const patienceMs = 120_000;
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [name, JSON.stringify(order)]);
  return new Promise((resolve) => {
    let results: Result[] | undefined;
    let cases = 0;
    const hang = () => child.kill('SIGKILL');
    let timer = setTimeout(hang, patienceMs);
    child.on('message', (message: { readonly cases: number } | { readonly results: Result[] }) => {
      clearTimeout(timer);
      if ('results' in message) results = message.results;
      else {
        cases = message.cases;
        console.log(`${name}: ${cases} of ${order.rounds} cases`);
        timer = setTimeout(hang, patienceMs);
      }
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const why = `ended by ${signal ?? `exit ${code}`} after ${cases} cases, seed ${order.seed}`;
      resolve(results ?? [atMost(`${name}-crashed`, 1, 'processes', 0, why)]);
    });
  });
}
