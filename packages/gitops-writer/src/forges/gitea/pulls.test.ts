import { expect, it } from 'vitest';
import { isForeign, isOwn, type Pull, toPullRequest } from './pulls.ts';

const pull = (more: Partial<Pull> = {}): Pull => ({
  number: 7,
  html_url: 'https://git.example.com/o/r/pulls/7',
  state: 'open',
  merged: false,
  title: 'T',
  head: { label: 'fairway/b', ref: 'fairway/b', sha: '1', repo_id: 5 },
  base: { label: 'main', ref: 'main', sha: '2', repo_id: 5 },
  ...more,
});
const head = pull().head;

it.each([
  ['its own branch', {}, true, false],
  ['a fork', { head: { ...head, repo_id: 6 } }, false, true],
  ['a fork that is gone', { head: { ...head, repo_id: -1 } }, false, true],
  ['another base', { base: { ...pull().base, ref: 'release' } }, false, false],
])('%s', (_what, more, own, foreign) =>
  expect([isOwn(pull(more), 'main'), isForeign(pull(more), 'main')]).toEqual([own, foreign]),
);

it.each([
  [{ mergeable: true }, 'ready'],
  [{ mergeable: false }, 'unknown'],
  [{}, 'unknown'],
  [{ mergeable: false, draft: true }, 'draft'],
  [{ mergeable: true, state: 'closed' as const }, 'unknown'],
])('%j stands as %s', (more, kind) => expect(toPullRequest(pull(more)).standing.kind).toBe(kind));

it('keeps the name of a branch that is gone', () => {
  const gone = pull({ head: { ...head, ref: 'refs/pull/7/head' }, state: 'closed', merged: true });
  expect(toPullRequest(gone)).toMatchObject({ branch: 'fairway/b', state: 'merged' });
});
