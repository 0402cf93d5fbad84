import { expect, it } from 'vitest';
import { refusalOf } from './merge.ts';

it.each([
  [409, 'head out of date', 'moved'],
  [409, 'merge push out of date', 'not-yet'],
  [409, 'MergeConflicts', 'not-yet'],
  [405, 'Please try again later', 'not-yet'],
  [405, 'The pull request is already merged.', 'not-yet'],
  [405, 'Work in progress PRs cannot be merged', 'blocked'],
  [405, 'PR is not ready to be merged', 'blocked'],
  [405, 'Does not have enough approvals', 'blocked'],
  [405, 'User not allowed to merge PR', 'blocked'],
  [405, 'rebase is not allowed an allowed merge style for this repository', 'blocked'],
  [423, 'repository is archived', 'blocked'],
  [200, '', undefined],
  [404, 'not found', undefined],
])('%i %j is %s', (status, message, kind) => {
  const answer = refusalOf(7, { status, data: { message } });
  expect(answer?.kind).toBe(kind);
  if (answer !== undefined && answer.kind !== 'merged') expect(answer.reason).toContain(message);
});
