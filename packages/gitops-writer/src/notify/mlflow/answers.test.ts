import { FairwayError } from '@fairway/core';
import { expect, it } from 'vitest';
import type { Answer } from '../../ports.ts';
import { mlflowAnswers } from './answers.ts';

const ANSWER: Answer = {
  idempotencyKey: 'k1',
  eventId: 'e1',
  changeId: 'c1',
  model: 'home-equity',
  version: '3',
  environment: 'prod',
  outcome: 'live',
  pullRequest: 'https://forge.example.com/pulls/7',
  mergeCommit: 'abc',
  at: '2026-03-01T10:11:12.000Z',
};

function told(fail?: (key: string) => Error | undefined) {
  const tags: Array<readonly [string, string]> = [];
  const answers = mlflowAnswers({
    parse: (to) => (to === 'mlflow:he/3' ? { name: 'he', version: '3' } : undefined),
    setTag: (name, version, key, value) => {
      const error = fail?.(key);
      if (error !== undefined) return Promise.reject(error);
      expect([name, version]).toEqual(['he', '3']);
      tags.push([key, value]);
      return Promise.resolve();
    },
  });
  return {
    tags,
    answer: (more: Partial<Answer> = {}, to: string | undefined = 'mlflow:he/3') =>
      answers.answer({ ...ANSWER, ...more }, to),
  };
}

it('writes a tag for each part of the answer, the outcome last', async () => {
  const { tags, answer } = told();
  expect(await answer()).toEqual({ kind: 'accepted' });
  expect(tags).toEqual([
    ['fairway.prod.change', 'c1'],
    ['fairway.prod.reason', ''],
    ['fairway.prod.pull_request', 'https://forge.example.com/pulls/7'],
    ['fairway.prod.merge_commit', 'abc'],
    ['fairway.prod.at', '2026-03-01T10:11:12.000Z'],
    ['fairway.prod.outcome', 'live'],
  ]);
});

it('keeps environments apart, and reasons short enough for a tag', async () => {
  const { tags, answer } = told();
  await answer({ environment: 'dev', outcome: 'failed', reason: 'x'.repeat(9_000) });
  expect(tags.every(([key]) => key.startsWith('fairway.dev.'))).toBe(true);
  expect(tags.find(([key]) => key.endsWith('reason'))?.[1]).toHaveLength(4_000);
});

it('is dead where no retry will mend it, and tries again where one may', async () => {
  const { answer } = told();
  expect(await answer({}, 'sas:1')).toMatchObject({
    kind: 'dead',
    reason: expect.stringContaining('names no version'),
  });
  const gone = told(() => new FairwayError('model.unknown', 'Version 3 of he is gone.'));
  expect(await gone.answer()).toEqual({ kind: 'dead', reason: 'Version 3 of he is gone.' });
  const away = (detail: Record<string, unknown>) => new FairwayError('registry.unavailable', 'It is away.', { detail });
  expect(await told(() => away({})).answer()).toEqual({ kind: 'retry', reason: 'It is away.' });
  const busy = told((key) => (key.endsWith('outcome') ? away({ retryAfterMs: 9_000 }) : undefined));
  expect(await busy.answer()).toEqual({ kind: 'retry', reason: 'It is away.', afterMs: 9_000 });
  expect(busy.tags).toHaveLength(5);
});
