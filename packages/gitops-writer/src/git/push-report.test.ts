import { expect, it } from 'vitest';
import { forgeWords, goneRefs, parsePushReport } from './push-report.ts';

it('reads the lines of refs and no others', () => {
  const stdout =
    'To http://forge/x.git\n*\tabc:refs/heads/a\t[new branch]\n \tdef:refs/heads/b\t1..2\n=\tdef:refs/heads/c\t[up to date]\n' +
    '-\t:refs/heads/d\t[deleted]\n!\tabc:refs/heads/e\t[rejected] (stale info)\nDone\n';
  expect([...parsePushReport(stdout).values()].map(({ ref, ok }) => `${ref} ${ok}`)).toEqual([
    'refs/heads/a true',
    'refs/heads/b true',
    'refs/heads/c true',
    'refs/heads/d true',
    'refs/heads/e false',
  ]);
});

it('finds the refs that were gone', () => {
  const stderr = "error: unable to delete 'refs/heads/x': remote ref does not exist\nerror: failed to push some refs\n";
  expect([...goneRefs(stderr)]).toEqual(['refs/heads/x']);
});

it("keeps the forge's words about this ref, else all of them, without progress", () => {
  const stderr =
    'remote: Resolving deltas: 100% (1/1), done.        \nremote: error: GH006: Protected branch update failed for refs/heads/a.        \n' +
    'remote: error: refs/heads/b must be signed\nerror: failed to push some refs\n';
  expect(forgeWords(stderr, 'refs/heads/b')).toBe('error: refs/heads/b must be signed');
  expect(forgeWords(stderr, 'refs/heads/zzz')).toMatch(/^error: GH006.*must be signed$/);
});
