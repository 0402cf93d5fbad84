import { FairwayError } from '@fairway/core';
import { expect, it } from 'vitest';
import type { StoredChange } from '../change.ts';
import type { ForgePullRequest, Repository } from '../ports.ts';
import { dropBranch, publish } from './publish.ts';
import type { StepContext } from './step.ts';

const OURS = 'a'.repeat(40);
const THEIRS = 'b'.repeat(40);
const PULL = { number: 7, state: 'closed', headSha: THEIRS } as ForgePullRequest;

/** The branch is asked for only by who goes on. */
const GOES_ON = (): Promise<string | undefined> => Promise.reject(new Error('the branch is looked at'));

type Given = {
  readonly isKnown?: boolean;
  readonly headSha?: string;
  readonly branch?: () => Promise<string | undefined>;
  /** Of any commit. */
  readonly parent?: string;
};

/** Publishes a change on a forge that knows one pull request under its name. */
function published(pull: ForgePullRequest | undefined, given: Given = {}) {
  const { isKnown = false, headSha = OURS, branch = GOES_ON, parent } = given;
  const pullRequest = { number: 7, url: 'https://forge.example/7', state: 'open' as const, headSha };
  const stored = {
    change: {
      kind: 'deploy',
      model: 'm',
      environment: 'prod',
      branch: 'fairway/deploy/m/prod/1',
      ...(isKnown ? { pullRequest } : {}),
    },
    evidence: { kind: 'deploy' },
    facts: { headSha },
  } as unknown as StoredChange;
  const context = {
    forge: { find: async () => pull, read: async () => pull },
    history: { parent: async () => parent, relation: async () => ({ kind: 'before' }) },
    repository: {
      head: async () => 'c'.repeat(40),
      branch,
    },
  } as unknown as StepContext;
  return publish(stored, context);
}

it('takes a pull request of ours that has ended for how the change stands', async () => {
  const ours = { ...PULL, headSha: OURS };
  expect(await published(ours)).toEqual({ pullRequest: ours, facts: { headSha: OURS } });
});

it('takes a closed one that was never ours for no answer, and goes on', async () => {
  await expect(published(PULL)).rejects.toThrow('the branch is looked at');
});

it.each<[string, ForgePullRequest, boolean]>([
  ['closed with an edited head, where it was ours', PULL, true],
  ['merged with another head, under our name', { ...PULL, state: 'merged' }, false],
])('tells of one that was %s, without a head of ours', async (_, pull, isKnown) => {
  expect(await published(pull, { isKnown })).toEqual({ pullRequest: pull, facts: {} });
});

it('takes no commit for its own that is based on anything but the default branch', async () => {
  const stays = async () => THEIRS;
  await expect(published(undefined, { branch: stays, parent: 'd'.repeat(40) })).rejects.toMatchObject({
    code: 'git.refused',
  });
});

it('leaves commits of somebody else on its branch alone, by the newest look at it', async () => {
  const stays = async () => THEIRS;
  await expect(published(undefined, { branch: stays })).rejects.toMatchObject({
    code: 'git.refused',
    message: expect.stringContaining('already holds commits that Fairway did not write; delete the branch'),
  });
  let looks = 0;
  const deleted = async () => (looks++ === 0 ? THEIRS : undefined);
  await expect(published(undefined, { branch: deleted })).rejects.toMatchObject({ code: 'git.race' });
});

it.each<[string, FairwayError, boolean]>([
  ['moved meanwhile', new FairwayError('git.race', 'it moved'), true],
  ['under a rule that lets nobody delete it', new FairwayError('git.refused', 'GH013'), true],
  ['asked for with a token that ran out', new FairwayError('git.refused', '401', { disposition: 'retryable' }), false],
  ['of a remote that is away', new FairwayError('git.unavailable', '503'), false],
])('lets a branch be that is %s, unless another try may delete it', async (_, error, stays) => {
  const repository = { branch: async () => OURS, push: () => Promise.reject(error) } as unknown as Repository;
  const dropped = dropBranch(repository, 'fairway/x', OURS);
  if (stays) expect(await dropped).toBeUndefined();
  else await expect(dropped).rejects.toBe(error);
});
