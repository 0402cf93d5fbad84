import { expect, it } from 'vitest';
import { refusalOf } from './merge.ts';
import { standingOf } from './pulls.ts';

it.each([
  [409, 'Head branch was modified. Review and try the merge again.', 'moved'],
  [405, 'Base branch was modified. Review and try the merge again.', 'not-yet'],
  [405, 'Pull Request is not mergeable', 'not-yet'],
  [405, 'Merge conflict', 'not-yet'],
  [405, 'Merge already in progress', 'not-yet'],
  [409, 'Something else', 'not-yet'],
  [405, 'At least 1 approving review is required by reviewers with write access.', 'blocked'],
  [405, 'Required status check "build" is expected.', 'blocked'],
  [405, 'Repository rule violations found\n\nChanges must be made by owners', 'blocked'],
  [405, 'Merge commits are not allowed on this repository.', 'blocked'],
  [405, 'Pull Request is still a draft', 'blocked'],
  [200, '', undefined],
  [403, 'Resource not accessible by integration', undefined],
])('%i %j is %s', (status, message, kind) => {
  const answer = refusalOf(7, { status, data: { message } });
  expect(answer?.kind).toBe(kind);
  if (answer !== undefined && answer.kind !== 'merged') expect(answer.reason).toContain('#7');
});

it.each([
  ['clean', 'ready'],
  ['unstable', 'ready'],
  ['has_hooks', 'ready'],
  ['blocked', 'blocked'],
  ['behind', 'blocked'],
  ['dirty', 'blocked'],
  ['draft', 'draft'],
  ['unknown', 'unknown'],
  ['something new', 'unknown'],
  [null, 'unknown'],
])('%s stands as %s', (mergeable_state, kind) => {
  expect(standingOf({ state: 'open', draft: false, mergeable_state }).kind).toBe(kind);
  expect(standingOf({ state: 'open', draft: true, mergeable_state }).kind).toBe('draft');
  expect(standingOf({ state: 'closed', draft: false, mergeable_state }).kind).toBe('unknown');
});
