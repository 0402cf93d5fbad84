import { expect, it } from 'vitest';
import { isCommonRefusal, pushError } from './push-error.ts';

it.each([
  ['[rejected] (non-fast-forward)', 'git.race'],
  ['[rejected] (stale info)', 'git.race'],
  ['[rejected] (fetch first)', 'git.race'],
  ['[rejected] (remote ref updated since checkout)', 'git.race'],
  ["[remote rejected] (cannot lock ref 'refs/heads/x': is at 1 but expected 2)", 'git.race'],
  ['[remote rejected] (failed to update ref)', 'git.race'],
  ['[remote rejected] (incorrect old value provided)', 'git.race'],
  ['[remote rejected] (reference already exists)', 'git.race'],
  ['[remote rejected] (Base branch was modified. Review and try the merge again.)', 'git.race'],
  ['remote ref does not exist', 'git.race'],
  ['[remote rejected] (protected branch hook declined)', 'git.refused'],
  ['[remote rejected] (pre-receive hook declined)', 'git.refused'],
  ['[remote rejected] (hook declined)', 'git.refused'],
  ['[remote rejected] (push declined due to repository rule violations)', 'git.refused'],
  ['[remote rejected] (deletion prohibited)', 'git.refused'],
  ['[remote rejected] (shallow update not allowed)', 'git.refused'],
  ['[remote rejected] (unpacker error) fsck error in packed object', 'git.refused'],
  ['[remote rejected] (unpacker error)', 'git.unavailable'],
  ['[remote failure] (remote failed to report status)', 'git.unavailable'],
  ['[remote rejected] (write error: No space left on device)', 'disk.full'],
])('sorts %j', (summary, code) => {
  expect(pushError('x', summary, '').code).toBe(code);
});

it('tells a rule that is worded like a race from a race, by what the forge adds', () => {
  const words = 'error: GH006: Protected branch update failed for refs/heads/x.';
  const error = pushError('x', '[remote rejected] (failed to update ref)', words);
  expect(error.code).toBe('git.refused');
  expect(error.message).toContain('Protected branch update failed for refs/heads/x.');
});

it.each([
  'GitLab: API is not accessible',
  'GitLab: Internal API unreachable',
  'GitLab: Internal API error (502)',
  'Gitea: Internal Server Error Unable to contact gitea: Post http://0.0.0.0:3000/api/internal/hook: connection refused',
  'Forgejo: Internal Server Connection Error',
])('waits for a forge that its own hook does not reach: %j', (words) => {
  const declined = '[remote rejected] (pre-receive hook declined)';
  const error = pushError('x', declined, words);
  expect(error).toMatchObject({ code: 'git.unavailable', disposition: 'retryable' });
  expect(error.message).toContain(words);
  expect(isCommonRefusal(declined, `remote: ${words}`)).toBe(false);
});

it.each(['[remote rejected] (pre-receive hook declined)', 'error: RPC failed; HTTP 413 curl 22'])(
  'takes %j for a refusal of the whole push',
  (words) => expect(isCommonRefusal(words)).toBe(true),
);
it('takes the refusal of one ref for its own', () => {
  expect(isCommonRefusal('[remote rejected] (hook declined)')).toBe(false);
});
