import { expect, test } from 'vitest';
import { captureCampaign } from './capture/campaign.ts';

// What may be late is for the campaign on a quiet machine to say: `npm run faults -- capture`.
const TOLD = ['capture-delayed-predictions', 'capture-rounds-wrong'];

test('struck at seeded moments, capture stores every answered prediction once and fails none', {
  timeout: 400_000,
}, async () => {
  const lines: string[] = [];
  const results = await captureCampaign({ rounds: 3, seed: 20_261_122, say: (line) => lines.push(line) });
  const missed = results.filter(({ id, ok }) => !ok && !TOLD.includes(id));
  expect({ missed, lines: missed.length === 0 ? [] : lines }).toEqual({ missed: [], lines: [] });
});
