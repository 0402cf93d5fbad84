/**
 * `npm run faults -- --rounds N --json FILE`: tells the story N times, each time killing every process at other moments; kills the
 * writer once at each boundary between it and the world; and strikes the way of a prediction N times under traffic.
 * `story`, `writer` or `capture` before the options (or as `--only`) does one of the three. Each round of `capture` prints its seed: `capture
 * --rounds 1 --seed S` is that round again. `--fault TEXT` draws only faults whose name has it, `--worlds N` runs N side by side.
 */
import { parseArgs } from 'node:util';
import { startOwnPostgres } from '../harness/postgres.ts';
import { atMost, print, type Result, write } from '../bench/result.ts';
import { campaign } from './campaign.ts';
import { captureCampaign } from './capture/campaign.ts';
import { killAtEachPoint } from './writer-points.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    fault: { type: 'string' },
    worlds: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const PARTS = ['story', 'writer', 'capture'];
const parts = [...positionals, ...(values.only === undefined ? [] : [values.only])];
const unknown = parts.filter((part) => !PARTS.includes(part));
// Nothing struck would look like nothing broken.
if (unknown.length > 0) throw new Error(`There is no part ${unknown.join(', ')}: use ${PARTS.join(', ')}.`);
const wanted = (what: string) => parts.length === 0 || parts.includes(what);
const results: Result[] = [];
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
if (wanted('story')) results.push(...(await campaign(rounds, seed)));
if (wanted('writer')) results.push(...(await writerPoints()));
if (wanted('capture')) {
  const { fault: only, worlds } = values;
  const order = { rounds, seed, worlds: Number(worlds), ...(only === undefined ? {} : { only }) };
  results.push(...(await captureCampaign({ ...order, say: (line) => console.log(line) })));
}
print(results);
if (values.json !== undefined) write('faults', results, values.json);

async function writerPoints(): Promise<Result[]> {
  const postgres = await startOwnPostgres();
  const { points, results: told } = await killAtEachPoint(
    { postgres },
    (all) => all,
    ({ point, wrong }) =>
      console.log(
        `${wrong.length === 0 ? 'ok    ' : 'WRONG '} ${point}${wrong.map((sentence) => `; ${sentence}`).join('')}`,
      ),
  );
  const reached = told.filter(({ died }) => died).length;
  const bad = told.filter(({ wrong }) => wrong.length > 0).length;
  return [
    atMost(
      'writer-boundaries-not-reached',
      points.length - reached,
      'boundaries',
      0,
      `of ${points.length}, enumerated`,
    ),
    atMost(
      'writer-kills-without-exactly-one-of-everything',
      bad,
      'kills',
      0,
      'branch, pull request, comment, card, change',
    ),
  ];
}
