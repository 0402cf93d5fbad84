import { succeeded } from '@fairway/core';
import { expect, test } from 'vitest';
import type { StoredChange } from '../../change.ts';
import { marker } from '../../render/body.ts';
import type { Step, StepContext } from '../step.ts';
import { whileAsked } from './guards.ts';

const REVISION = 2;
const stored = (facts: object = {}): StoredChange =>
  ({
    change: {
      id: 'r1',
      kind: 'retrain',
      model: 'm',
      version: '1',
      environment: 'prod',
      phase: 'requested',
      history: [],
    },
    evidence: {
      kind: 'retrain',
      revision: REVISION,
      request: { model: 'm', version: '1', environment: 'prod', actor: 'fairway-monitor' },
    },
    facts,
  }) as unknown as StoredChange;

const HEAD = 'a'.repeat(40);
type Live = ReadonlyArray<readonly [environment: string, version: string]>;

const OURS = marker('r1');

/**
 * What a guarded step says where these versions are live, and what the forge was told of the pull request under its name, which is
 * in `state` and has this `body`.
 */
async function said(live: Live, facts: object = {}, state = 'open', body = OURS) {
  const told: unknown[] = [];
  const step = { name: 'propose', run: async () => succeeded({ phase: 'proposed' as const }) } as unknown as Step;
  const context = {
    repository: { head: async () => 'f'.repeat(40), branch: async () => HEAD, push: async () => undefined },
    history: { parent: async () => undefined },
    changes: {
      live: async () => live.map(([environment, version]) => ({ id: 'd9', model: 'm', environment, version })),
    },
    forge: {
      find: async () => ({ number: 7, state, headSha: HEAD, body }),
      setStatus: async () => undefined,
      comment: async (_number: number, _marker: string, text: string) => void told.push(text),
      edit: async (_number: number, fields: object) => void told.push(fields),
    },
  } as unknown as StepContext;
  const result = await whileAsked(step).run(stored(facts), context);
  return { output: result.status === 'succeeded' ? result.output : undefined, told };
}

const GOES_ON = { output: { phase: 'proposed' }, told: [] };

test.each([
  ['its version is live', [['prod', '1']]],
  ['nothing is live', []],
  ['another version is live elsewhere', [['dev', '2']]],
] as const)('a retraining goes on where %s', async (_what, live) => {
  expect(await said(live)).toEqual(GOES_ON);
});

test('a retraining ends where another version has come to serve; its pull request is closed with a comment', async () => {
  const reason = 'Version 2 is live in prod (change d9); the evidence is about version 1.';
  const { output, told } = await said([['prod', '2']]);
  expect(output).toMatchObject({ phase: 'superseded', reason, notice: { event: 'superseded' } });
  expect(told).toEqual([expect.stringMatching(/^\*\*Withdrawn\.\*\* Version 2 is live in prod/), { state: 'closed' }]);
});

test('what is merged already cannot be taken back', async () => {
  expect(await said([['prod', '2']], {}, 'merged')).toEqual(GOES_ON);
});

test('a retraining ends when it was withdrawn, but not when only an earlier revision was', async () => {
  const withdrawn = (revision: number) => ({ withdrawn: { revision, reason: 'It performs well again.' } });
  const { output } = await said([], withdrawn(REVISION));
  expect(output).toMatchObject({ phase: 'superseded', reason: 'It performs well again.' });
  expect(await said([], withdrawn(REVISION - 1))).toEqual(GOES_ON);
});

test('a pull request of somebody else under its name is left as it is', async () => {
  const { output, told } = await said([['prod', '2']], {}, 'open', `Mine, not ${marker('r2')}`);
  expect(output).toMatchObject({ phase: 'superseded' });
  expect(output).not.toHaveProperty('pullRequest');
  expect(told).toEqual([]);
});

test('one without the marker is its own where the head is the commit that it has pushed', async () => {
  const { output, told } = await said([['prod', '2']], { headSha: HEAD }, 'open', '');
  expect(output).toMatchObject({ phase: 'superseded', pullRequest: { number: 7 } });
  expect(told).toContainEqual({ state: 'closed' });
});
