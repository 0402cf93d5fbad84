import { expect, it } from 'vitest';
import { pushError } from './push-error.ts';

it.each([
  ['!\tabc:refs/heads/x\t[rejected] (non-fast-forward)', 'git.race'],
  ['!\tabc:refs/heads/x\t[rejected] (stale info)', 'git.race'],
  ["!\tabc:refs/heads/x\t[remote rejected] (cannot lock ref 'refs/heads/x': is at 1 but expected 2)", 'git.race'],
  ['!\tabc:refs/heads/x\t[remote rejected] (incorrect old value provided)', 'git.race'],
  ['remote: error: GH006: Protected branch update failed for refs/heads/main.', 'git.refused'],
  ['!\tabc:refs/heads/x\t[remote rejected] (pre-receive hook declined)', 'git.refused'],
  ["fatal: Authentication failed for 'http://forge/x.git/'", 'git.refused'],
  ["fatal: unable to access 'http://forge/x.git/': The requested URL returned error: 403", 'git.refused'],
  ["fatal: unable to access 'http://forge/x.git/': The requested URL returned error: 502", 'git.unavailable'],
  ["fatal: unable to access 'http://forge/x.git/': Connection refused", 'git.unavailable'],
  ['fatal: write error: No space left on device', 'disk.full'],
])('sorts %j', (output, code) => {
  expect(pushError('x', output).code).toBe(code);
});
