import { type Change, type FairwayError, succeeded } from '@fairway/core';
import { expect, test } from 'vitest';
import type { StoredChange } from '../../change.ts';
import { marker } from '../../render/body.ts';
import type { Step, StepContext } from '../step.ts';
import { unlessRetired } from './guards.ts';

const HEAD = 'a'.repeat(40);
const MODEL_YAML = `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: risk@example.com
source: { registry: directory }
environments:
  - { name: dev, namespace: m-dev, merge: auto }
`;

type Given = {
  readonly environment?: string;
  readonly text?: string | undefined;
  readonly retirement?: Change['phase'] | undefined;
  readonly state?: string;
};

/** What a guarded step says of a change for an environment, and what the forge was told of its pull request. */
async function said({ environment = 'gone', text = MODEL_YAML, retirement = 'merged', state = 'open' }: Given) {
  const told: unknown[] = [];
  const change = { id: 'c1', kind: 'deploy', model: 'm', version: '1', environment, phase: 'proposed', branch: 'b' };
  const stored = { change, evidence: { kind: 'deploy' }, facts: { headSha: HEAD } } as unknown as StoredChange;
  const step = { name: 'await-merge', run: async () => succeeded({ phase: 'rejected' as const }) } as unknown as Step;
  const context = {
    repository: {
      head: async () => HEAD,
      branch: async () => undefined,
      read: async () => (text === '' ? undefined : { text, blob: text }),
      folders: async () => [],
    },
    changes: { list: async () => ({ changes: [{ id: 'r1', phase: retirement }] }) },
    forge: {
      find: async () => ({ number: 7, state, headSha: HEAD, body: marker('c1') }),
      setStatus: async () => undefined,
      comment: async (_number: number, _marker: string, words: string) => void told.push(words),
      edit: async (_number: number, edit: object) => void told.push(edit),
    },
  } as unknown as StepContext;
  try {
    const result = await unlessRetired(step).run(stored, context);
    return { output: result.status === 'succeeded' ? result.output : undefined, told };
  } catch (error) {
    return { thrown: (error as FairwayError).code };
  }
}

const GOES_ON = { output: { phase: 'rejected' }, told: [] };
const RETIRED = { phase: 'superseded', reason: 'gone of m was retired (change r1).' };

test('a change whose environment was retired is superseded, and its pull request closed', async () => {
  const { output, told } = await said({});
  expect(output).toMatchObject(RETIRED);
  expect(told).toEqual([expect.stringContaining('**Superseded.** gone of m was retired'), { state: 'closed' }]);
});

test('also where a writer died when it had closed the pull request: that was no person', async () => {
  expect(await said({ state: 'closed' })).toMatchObject({ output: RETIRED, told: [] });
});

test.each([
  ['its environment is there', { environment: 'dev' }],
  ['nobody has retired it', { retirement: 'rejected' as const }],
  ['it is merged', { state: 'merged' }],
  ['model.yaml cannot be read', { text: 'kind: 5\n' }],
  ['there is no model.yaml', { text: '' }],
])('the step goes on where %s', async (_what, given) => {
  expect(await said(given)).toEqual(GOES_ON);
});
