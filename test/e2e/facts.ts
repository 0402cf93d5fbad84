import { expect } from 'vitest';
import type { Told } from '../harness/demo.ts';

/** The story's client puts so many predictions into a call. */
const CALL = 20;

/**
 * What must be true of every told story, whatever was killed while it was told. `gain`: how much AUC and KS must have
 * risen. `agentKilled`: calls in the memory of a killed agent may be gone, and then the agent that follows has told them.
 */
export function expectStory(told: Told, options: { v1Windows: number; gain: number; agentKilled?: boolean }): void {
  expect(told.output).not.toMatch(/\n\s+at .*\(.*:\d+:\d+\)/);
  expect(told.code, told.output).toBe(0);
  const { pullRequests, windows, cards, sent, stored, killedCalls } = told.summary ?? expect.fail('no summary');
  if (!options.agentKilled) expect(killedCalls).toBe(0);
  expect(stored).toBeLessThanOrEqual(sent);
  expect(sent - stored).toBeLessThanOrEqual(killedCalls * CALL);
  expect(windows.reduce((sum, window) => sum + window.predictions, 0)).toBe(stored);

  expect(pullRequests.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'deploy merged',
    'retrain merged',
    'deploy merged',
  ]);
  for (const { mergeCommit } of pullRequests) expect(mergeCommit).toMatch(/^[0-9a-f]{40}$/);

  const first = windows.filter(({ version }) => version === '1');
  const second = windows.filter(({ version }) => version === '2');
  expect(first.length).toBe(options.v1Windows);
  expect(second.length).toBeGreaterThanOrEqual(1);
  for (const window of windows) expect(window.labelled).toBe(window.predictions);
  expect(first.at(-1)?.verdict).toBe('alert');
  expect(first.slice(0, -1).map(({ verdict }) => verdict)).not.toContain('alert');
  expect(second.map(({ verdict }) => verdict)).not.toContain('alert');
  const decayed = first.at(-1);
  const recovered = second[0];
  expect(recovered?.auc ?? 0).toBeGreaterThan((decayed?.auc ?? 1) + options.gain);
  expect(recovered?.ks ?? 0).toBeGreaterThan((decayed?.ks ?? 1) + options.gain);

  expect(cards.filter(({ event }) => event === 'alert').length).toBe(1);
  // The story ends when everybody was told, and the last that there is to tell is how the new version does.
  expect(told.summary?.cardsUnderWay).toBe(0);
  if (second.at(-1)?.verdict === 'healthy') expect(cards.map(({ event }) => event)).toContain('recovered');
  expect(cards.filter(({ valid }) => !valid)).toEqual([]);
}
