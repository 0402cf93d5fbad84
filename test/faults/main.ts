/** `npm run faults -- --rounds N --json FILE`: tells the story N times, each time killing every process at other moments. */
import { parseArgs } from 'node:util';
import { publish } from '../bench/result.ts';
import { campaign } from './campaign.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
publish('faults', await campaign(Number(values.rounds), Number(values.seed)), values.json);
