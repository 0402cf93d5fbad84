/**
 * `npm run faults -- --rounds N --json FILE`: tells the story N times, each time killing every process at other moments; kills the
 * writer at N boundaries between it and the world in each story of a change; and strikes the way of a prediction N times under traffic.
 * `story`, `writer` or `capture` before the options (or as `--only`) does one of the three. `writer` without `--rounds` goes through every
 * boundary, and with `--story TEXT` through stories whose name has it. Each round of `capture` prints its seed: `capture
 * --rounds 1 --seed S` is that round again. `--fault TEXT` draws only faults whose name has it, `--worlds N` runs N side by side.
 */
import { parseArgs } from 'node:util';
import { startOwnPostgres } from '../harness/postgres.ts';
import { atMost, print, type Result, write } from '../bench/result.ts';
import { campaign } from './campaign.ts';
import { captureCampaign } from './capture/campaign.ts';
import { type Told, writerCampaign } from './writer/campaign.ts';
import { STORIES } from './writer/stories.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    fault: { type: 'string' },
    story: { type: 'string' },
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
const [rounds, seed] = [Number(values.rounds ?? 3), Number(values.seed)];
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
  const stories = STORIES.filter(({ name }) => name.includes(values.story ?? ''));
  if (stories.length === 0)
    throw new Error(`There is no story of that name: ${STORIES.map(({ name }) => name).join(', ')}.`);
  const told = await writerCampaign({
    stories,
    seed,
    ...(values.rounds === undefined ? {} : { rounds }),
    world: async () => ({ postgres: await startOwnPostgres() }),
    say: (line) => console.log(line),
  });
  const count = (wanted: (result: Told['results'][number]) => boolean) =>
    told.reduce((sum, { results: each }) => sum + each.filter(wanted).length, 0);
  const boundaries = told.reduce((sum, one) => sum + one.boundaries, 0);
  const kills = `${count(() => true)} kills at ${boundaries} boundaries of ${told.length} stories`;
  return [
    atMost(
      'writer-boundaries-not-reached',
      count(({ died }) => !died),
      'boundaries',
      0,
      kills,
    ),
    atMost(
      'writer-kills-without-exactly-one-of-everything',
      count(({ wrong }) => wrong.length > 0),
      'kills',
      0,
      'branch, pull request, comment, card, change, and the right bytes',
    ),
  ];
}
