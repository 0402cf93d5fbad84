import { expect, it } from 'vitest';
import { type Request, ruleAgainst, standingOf, toPullRequest } from './requests.ts';

const request = (more: Partial<Request> = {}): Request => ({
  iid: 7,
  web_url: 'https://gitlab.example.com/g/p/-/merge_requests/7',
  state: 'opened',
  title: 'T',
  description: 'one\n\\/close',
  source_branch: 'b',
  target_branch: 'main',
  source_project_id: 1,
  target_project_id: 1,
  sha: 'head',
  labels: [],
  ...more,
});

it.each([
  ['mergeable', 'ready', false],
  ['checking', 'unknown', false],
  ['unchecked', 'unknown', false],
  ['preparing', 'unknown', false],
  ['approvals_syncing', 'unknown', false],
  ['not_open', 'unknown', false],
  ['conflict', 'blocked', false],
  ['ci_still_running', 'blocked', false],
  ['ci_must_pass', 'blocked', true],
  ['not_approved', 'blocked', true],
  ['discussions_not_resolved', 'blocked', true],
  ['need_rebase', 'blocked', true],
  ['draft_status', 'draft', true],
  ['something_new', 'blocked', true],
])('%s stands as %s; a rule: %s', (detailed_merge_status, kind, isRule) => {
  expect(standingOf(request({ detailed_merge_status })).kind).toBe(kind);
  expect(ruleAgainst(request({ detailed_merge_status })) !== undefined).toBe(isRule);
  expect(standingOf(request({ detailed_merge_status, state: 'merged' })).kind).toBe('unknown');
});

it.each([
  ['can_be_merged', 'ready', true],
  ['cannot_be_merged', 'blocked', false],
  ['unchecked', 'unknown', false],
  [undefined, 'unknown', false],
])('merge_status %s of an old release stands as %s; a rule, when it is refused: %s', (merge_status, kind, isRule) => {
  expect(standingOf(request({ merge_status })).kind).toBe(kind);
  expect(ruleAgainst(request({ merge_status })) !== undefined).toBe(isRule);
});

it('waits by itself where it was told to', () => {
  const waiting = request({ detailed_merge_status: 'ci_still_running', merge_when_pipeline_succeeds: true });
  expect(standingOf(waiting).kind).toBe('queued');
});

it.each([
  [{ merge_commit_sha: 'merge', squash_commit_sha: 'squash' }, 'merge'],
  [{ merge_commit_sha: null, squash_commit_sha: 'squash' }, 'squash'],
  [{ merge_commit_sha: null, squash_commit_sha: null }, 'head'],
])('what landed of %j is %s', (commits, mergeCommit) => {
  expect(toPullRequest(request({ ...commits, state: 'merged' }))).toMatchObject({ state: 'merged', mergeCommit });
  expect(toPullRequest(request(commits))).not.toHaveProperty('mergeCommit');
});

it('reads the body as it was given, and a locked one as open', () => {
  expect(toPullRequest(request({ state: 'locked' }))).toMatchObject({ state: 'open', body: 'one\n/close' });
});
