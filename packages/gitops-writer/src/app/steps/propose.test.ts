import { expect, test } from 'vitest';
import type { StoredChange } from '../../change.ts';
import { marker } from '../../render/body.ts';
import type { StepContext } from '../step.ts';
import { propose } from './propose.ts';

const HEAD = 'a'.repeat(40);
const stored = {
  change: { id: 'c1', kind: 'deploy', model: 'm', version: '1', environment: 'prod', phase: 'built', branch: 'b' },
  evidence: { kind: 'deploy' },
  facts: { headSha: HEAD },
} as unknown as StoredChange;

/** What the step says once a newer version has been proposed, and what it did to a pull request under its name that it does not know. */
async function overtaken(pull: object | undefined) {
  const done: unknown[] = [];
  const context = {
    changes: {
      newer: async () => ({ id: 'c2', version: '2', pullRequest: { number: 9, url: 'https://forge.example/9' } }),
    },
    history: { parent: async () => undefined },
    repository: {
      head: async () => HEAD,
      branch: async () => HEAD,
      push: async (branch: string, commit: string | undefined) => void done.push([branch, commit]),
    },
    forge: {
      find: async () => pull,
      comment: async (number: number, _marker: string, text: string) => void done.push([number, text]),
      setStatus: async (_commit: string, { state }: { state: string }) => void done.push(state),
      edit: async (number: number, edit: object) => void done.push([number, edit]),
    },
  } as unknown as StepContext;
  const result = await propose.run(stored, context);
  return { output: result.status === 'succeeded' ? result.output : undefined, done };
}

const OVERTAKEN = { phase: 'superseded', reason: 'Version 2 was approved after it (change c2).' };
const DROPPED = ['b', undefined];
const body = `Ours ${marker('c1')}`;

test('a change that was overtaken drops its branch', async () => {
  expect(await overtaken(undefined)).toEqual({ output: OVERTAKEN, done: [DROPPED] });
});

test('one that had opened its pull request before its writer died closes that with a link', async () => {
  const { output, done } = await overtaken({ number: 7, state: 'open', headSha: HEAD, body });
  expect(output).toMatchObject({ ...OVERTAKEN, pullRequest: { number: 7, state: 'closed' } });
  const link = expect.stringContaining('Superseded** by [pull request 9](https://forge.example/9)');
  expect(done).toEqual([[7, link], 'failure', [7, { state: 'closed' }], DROPPED]);
});

test('the pull request of somebody else under its name is left as it is', async () => {
  const theirs = { number: 7, state: 'open', headSha: 'f'.repeat(40), body: 'Mine' };
  expect(await overtaken(theirs)).toEqual({ output: OVERTAKEN, done: [DROPPED] });
});
