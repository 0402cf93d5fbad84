import type { Approval, Change, Phase } from '@fairway/core';
import { expect, it } from 'vitest';
import type { ChangeEvidence, Notice, StoredChange } from '../change.ts';
import { answerVia } from './answers.ts';
import { announcing, telling } from './outgoing.ts';

const AT = '2026-11-22T10:00:00.000Z';
const TO = 'https://viya.example.com/workflow/callback?ticket=42';
const rules = { origins: ['https://viya.example.com'], schemes: ['sas'] };
const tell = telling({ teams: true, answerVia: (answerTo) => answerVia(answerTo, rules) });
const notice: Notice = { event: 'failed', title: 'It failed', text: 'Why.', facts: [], links: [], tone: 'attention' };

/** A deploy change that walked through `phases`. */
function stored(phases: readonly Phase[], approval: Partial<Approval> = { answerTo: TO }): StoredChange {
  const phase = phases.at(-1) ?? 'requested';
  const change: Change = {
    id: 'c0ffee',
    kind: 'deploy',
    model: 'home-equity',
    version: '2',
    environment: 'prod',
    phase,
    reason: 'A sentence.',
    branch: 'b',
    actor: 'alice',
    pullRequest: { number: 7, url: 'https://forge.example.com/pulls/7', state: 'merged', headSha: 'a'.repeat(40) },
    createdAt: AT,
    updatedAt: AT,
    history: phases.map((one) => ({ phase: one, at: AT })),
  };
  const evidence = { kind: 'deploy', approval: { eventId: 'event-1', ...approval }, digest: 'd' } as ChangeEvidence;
  return { change, evidence, facts: { mergeCommit: 'b'.repeat(40) }, attempts: 0 };
}

const channels = (told: ReturnType<typeof tell>) => told.map(({ channel, event }) => `${channel} ${event}`);

it('answers the workflow with the whole outcome', () => {
  const [, answer] = tell(stored(['requested', 'merged', 'failed']), notice);
  expect(answer).toMatchObject({
    channel: 'answer',
    event: 'failed',
    title: 'https://viya.example.com is told: home-equity 2 in prod is failed',
    content: {
      via: 'http',
      to: TO,
      answer: {
        eventId: 'event-1',
        changeId: 'c0ffee',
        model: 'home-equity',
        version: '2',
        environment: 'prod',
        outcome: 'failed',
        reason: 'A sentence.',
        pullRequest: 'https://forge.example.com/pulls/7',
        mergeCommit: 'b'.repeat(40),
        at: AT,
      },
    },
  });
  expect(answer?.deliveryId).toMatch(/^a-[0-9a-f]{20}$/);
});

it.each<[string, Phase[], boolean, string[]]>([
  ['an open change says nothing', ['requested', 'proposed'], false, []],
  ['a notice on the way is a card', ['requested', 'proposed'], true, ['teams failed']],
  ['live without a notice', ['requested', 'merged', 'live'], false, ['answer live']],
  ['rejected', ['requested', 'rejected'], true, ['teams failed', 'answer rejected']],
  ['superseded before it was live', ['proposed', 'superseded'], false, ['teams superseded', 'answer superseded']],
  ['superseded after it was live', ['proposed', 'live', 'superseded'], false, []],
  ['rolled back after it was live', ['proposed', 'live', 'rolled-back'], false, ['answer rolled-back']],
])('%s', (_, phases, noticed, wanted) => {
  expect(channels(tell(stored(phases), noticed ? notice : undefined))).toEqual(wanted);
});

it('says each thing under the same id, and different things under different ones', () => {
  const ids = (phase: Phase) => tell(stored(['requested', phase]), notice).map(({ deliveryId }) => deliveryId);
  expect(ids('live')).toEqual(ids('live'));
  expect(new Set([...ids('live'), ...ids('rolled-back')]).size).toBe(3);
});

it('answers nobody who gave no address, or one that nobody here can tell, and a registry by its own way', () => {
  expect(tell(stored(['live'], {}), undefined)).toEqual([]);
  expect(tell(stored(['live'], { answerTo: 'mlflow:home-equity/2' }), undefined)).toEqual([]);
  expect(tell(stored(['live'], { answerTo: 'sas:p/m' }), undefined)).toMatchObject([
    { channel: 'answer', content: { via: 'sas', to: 'sas:p/m' } },
  ]);
});

it('tells once of what no change stands for', () => {
  const announce = announcing({ teams: true });
  const ids = (model: string, key: string) => announce(model, [key], notice).map(({ deliveryId }) => deliveryId);
  expect(ids('home-equity', '1.ab')).toEqual(ids('home-equity', '1.ab'));
  expect(ids('home-equity', '1.ab')).not.toEqual(ids('home-equity', '2.cd'));
  const both = announcing({ teams: true, webhook: true })('home-equity', [], notice);
  expect(both.map(({ channel, deliveryId }) => [channel, deliveryId])).toEqual([
    ['teams', both[0]?.deliveryId],
    ['webhook', `${both[0]?.deliveryId}-webhook`],
  ]);
  expect(announcing({ teams: false })('home-equity', [], notice)).toEqual([]);
});

it('leaves people to the monitor where it has no channel of its own, under the id that a card would have', () => {
  const change = stored(['requested', 'failed'], {});
  const people = { monitor: true, answerVia: () => undefined };
  const [card] = telling({ ...people, teams: true })(change, notice);
  expect(card?.channel).toBe('teams');
  const deliveryId = card?.deliveryId;
  expect(telling({ ...people, teams: false })(change, notice)).toEqual([
    {
      channel: 'monitor',
      deliveryId,
      event: 'failed',
      title: 'It failed',
      content: { model: 'home-equity', content: { ...notice, deliveryId } },
    },
  ]);
});
