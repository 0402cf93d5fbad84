/** `npm run faults`: tells the story while everything is killed, and strikes the writer and the way of a prediction. */
import { startOwnPostgres } from '../harness/postgres.ts';
import { atMost, print, type Result, write } from '../bench/result.ts';
import { commandLine, refuse } from '../harness/command-line.ts';
import { campaign } from './campaign.ts';
import { captureCampaign } from './capture/campaign.ts';
import { type Told, writerCampaign } from './writer/campaign.ts';
import { STORIES } from './writer/stories.ts';

const PARTS = ['story', 'writer', 'capture'];
const USAGE = `npm run faults -- [story] [writer] [capture] [--rounds N] [--seed S] [--json FILE]

  story          tells the story N times, each time killing every process at other moments
  writer         kills the writer at N boundaries between it and the world in each story of a change; at every one without --rounds
  capture        strikes the way of a prediction N times under traffic, and prints the seed of each round

  --rounds N     how often (3)
  --seed S       of the first round (1); a round of capture again: capture --rounds 1 --seed S
  --only PART    the same as PART
  --story TEXT   writer: stories whose name has it
  --fault TEXT   capture: draws only faults whose name has it
  --worlds N     capture: so many side by side (1)
  --json FILE    what was found, as JSON`;
const { positionals, values } = commandLine(USAGE, {
  rounds: { type: 'string' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string' },
  fault: { type: 'string' },
  story: { type: 'string' },
  worlds: { type: 'string', default: '1' },
  json: { type: 'string' },
});
const parts = [...positionals, ...(values.only === undefined ? [] : [values.only])];
const unknown = parts.filter((part) => !PARTS.includes(part));
const [rounds, seed, worlds] = [Number(values.rounds ?? 3), Number(values.seed), Number(values.worlds)];
const stories = STORIES.filter(({ name }) => name.includes(values.story ?? ''));
// Nothing struck would look like nothing broken.
if (unknown.length > 0) refuse(USAGE, `There is no part ${unknown.join(', ')}: use ${PARTS.join(', ')}.`);
if ([rounds, worlds].some((count) => !Number.isInteger(count) || count < 1) || !Number.isInteger(seed))
  refuse(USAGE, '--rounds and --worlds are numbers from 1 on, --seed a whole number.');
if (stories.length === 0)
  refuse(USAGE, `There is no story of that name: ${STORIES.map(({ name }) => name).join(', ')}.`);
const wanted = (what: string) => parts.length === 0 || parts.includes(what);
const results: Result[] = [];
if (wanted('story')) results.push(...(await campaign(rounds, seed)));
if (wanted('writer')) results.push(...(await writerPoints()));
if (wanted('capture')) {
  const { fault: only } = values;
  const order = { rounds, seed, worlds, ...(only === undefined ? {} : { only }) };
  results.push(...(await captureCampaign({ ...order, say: (line) => console.log(line) })));
}
print(results);
if (values.json !== undefined) write('faults', results, values.json);

async function writerPoints(): Promise<Result[]> {
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
