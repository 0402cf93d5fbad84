import { expect, it } from 'vitest';
import { branchEdits } from './branch-edits.ts';
import type { GitResult } from './environment.ts';
import type { Mirror } from './mirror.ts';
import type { Trees } from './trees.ts';

const changed = (answer: GitResult) => {
  const mirror = { remote: { url: 'https://git.example.com/x' }, ask: () => Promise.resolve(answer) };
  return branchEdits(mirror as unknown as Mirror, {} as Trees, () => Promise.resolve(answer)).changed('a', 'b');
};

it('sees no change in what has nothing in common, and no answer in what git cannot tell', async () => {
  expect(await changed({ code: 1, stdout: '', stderr: '' })).toEqual([]);
  await expect(changed({ code: 128, stdout: '', stderr: 'fatal: bad object b' })).rejects.toMatchObject({
    code: 'git.unavailable',
    message: expect.stringContaining('bad object b'),
  });
});
