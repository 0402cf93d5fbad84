import { expect } from 'vitest';
import { writerCampaign } from './campaign.ts';
import type { Story } from './story.ts';
import { STORIES } from './stories.ts';

/** In each story; `npm run faults -- writer` kills at all of its boundaries. */
const KILLS = 2;
const SEED = 20_261_123;

/** What `npm test` tells of a story: the writer killed at some of its boundaries leaves exactly one of everything. */
export async function shortRound(story: Story): Promise<void> {
  const [told] = await writerCampaign({
    stories: [story],
    rounds: KILLS,
    // Not the same boundary of each.
    seed: SEED + 7 * STORIES.indexOf(story),
    world: async () => ({}),
    say: () => {},
  });
  expect(told?.results.filter(({ died, wrong }) => !died || wrong.length > 0)).toEqual([]);
  expect(told?.boundaries).toBeGreaterThan(20);
  expect(told?.results.length).toBeGreaterThan(0);
}
