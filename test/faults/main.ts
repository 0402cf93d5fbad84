/**
 * `npm run faults -- --rounds N --json FILE`: tells the story N times, each time killing every process at other moments, and
 * kills the writer once at each boundary between it and the world. `--only story|writer` does one of the two.
 */
import { parseArgs } from 'node:util';
import { startOwnPostgres } from '../harness/postgres.ts';
import { atMost, publish, type Result } from '../bench/result.ts';
import { campaign } from './campaign.ts';
import { killAtEachPoint } from './writer-points.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const wanted = (what: string) => values.only === undefined || values.only === what;
const results: Result[] = [];
if (wanted('story')) results.push(...(await campaign(Number(values.rounds), Number(values.seed))));
if (wanted('writer')) results.push(...(await writerPoints()));
publish('faults', results, values.json);

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
