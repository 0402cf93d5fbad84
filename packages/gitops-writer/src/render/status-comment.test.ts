import type { PullRequest } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import { type CommentState, STATUS_MARKER, statusComment } from './status-comment.ts';

const sha = (digit: string) => digit.repeat(40);
const pullRequest: PullRequest = {
  number: 12,
  url: 'https://forge.example/o/r/pulls/12',
  state: 'open',
  headSha: sha('c'),
};

describe('the status comment', () => {
  it.each<[CommentState, string]>([
    [{ kind: 'waiting', merge: 'review' }, 'Waiting for review'],
    [{ kind: 'waiting', merge: 'auto' }, 'Fairway merges this by itself'],
    [
      { kind: 'void', approved: sha('a'), head: sha('b'), edits: { authors: ['Bob'], paths: ['models/m/x.yaml'] } },
      `given for head \`${sha('a')}\`; the branch was edited by \`Bob\` and is now at \`${sha('b')}\`.\n\n- \`models/m/x.yaml\`\n\nRestore`,
    ],
    [
      { kind: 'void', approved: sha('a'), head: sha('b'), edits: { authors: [], paths: [] } },
      'edited by somebody and is now',
    ],
    [{ kind: 'conflicted' }, 'In conflict with the default branch'],
    [
      { kind: 'superseded', by: { id: 'x', version: '3', pullRequest } },
      'Superseded** by [pull request 12](https://forge.example/o/r/pulls/12): version 3',
    ],
    [{ kind: 'superseded', by: { id: 'abc', version: '3' } }, 'by change `abc`'],
    [
      { kind: 'blocked', reason: '2 reviews required\n@ops' },
      'The forge says:\n\n> 2 reviews required\n> \\@\u200Bops\n',
    ],
    [{ kind: 'queued', reason: 'position 2' }, 'In the merge queue.** The forge says:\n\n> position 2'],
    [{ kind: 'draft', reason: '' }, '> no reason given'],
    [
      { kind: 'strayed', reason: 'Pull request #12 goes to branch dev.' },
      'Pointed to another branch.** Pull request \\#\u200B12 goes to branch dev. Set its base back',
    ],
    [{ kind: 'rejected', by: 'bob' }, 'closed without a merge by `bob`'],
    [{ kind: 'rejected' }, 'closed without a merge. The workflow'],
    [{ kind: 'merged', commit: sha('d') }, `Merged** as \`${sha('d')}\``],
    [{ kind: 'live', reason: '2 of 2 pods serve the version.' }, '**Live.** 2 of 2 pods'],
    [{ kind: 'done', reason: 'retired: it is gone' }, '**Done.** retired: it is gone'],
    [{ kind: 'failed', reason: 'The rollout failed: <b>' }, '> The rollout failed: \\<b\\>'],
    [
      { kind: 'rolled-back', by: { id: 'x', version: '1', pullRequest }, reason: 'It failed.' },
      'Rolled back** by [pull request 12](https://forge.example/o/r/pulls/12), which restores version 1:\n\n> It failed.',
    ],
  ])('%j', (state, shown) => {
    expect(statusComment(state)).toContain(shown);
    expect(statusComment(structuredClone(state))).toBe(statusComment(state));
  });

  it('stays short and forges no marker, whatever an edited branch holds', () => {
    const names = Array.from({ length: 500 }, (_, i) => `${STATUS_MARKER} \`${i}\` fixes #1`);
    const text = statusComment({
      kind: 'void',
      approved: sha('a'),
      head: sha('b'),
      edits: { authors: names, paths: names },
    });
    expect(text).not.toContain('<!--');
    expect(text).toContain('and 490 more authors');
    expect(text).toContain('- and 480 more files');
    expect(text.length).toBeLessThan(4_000);
  });
});
