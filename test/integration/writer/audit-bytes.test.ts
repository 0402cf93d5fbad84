import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { audit } from '@fairway/gitops-writer';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deploy, folderOf, gitopsHistory, type GitopsHistory } from './gitops-history.ts';

let history: GitopsHistory;
const second = deploy('2', 'prod');
let merge: string;
let files: readonly string[];

beforeAll(() => {
  history = gitopsHistory();
  history.merge(deploy('1', 'dev'));
  history.merge(deploy('1', 'prod'));
  merge = history.merge(second);
  files = history.git(['ls-tree', '-r', '--name-only', 'main', 'models/m/environments/']).split('\n');
});
afterAll(() => history.remove());

const findings = async (branch: string) =>
  (await audit({ folder: history.dir, branch, signatures: false, environment: history.environment })).findings;

/** Moves `attack` to a commit whose tree is that of the merge but for one file. */
function attack(path: string, bytes: Buffer, parents: readonly string[], message: string): void {
  const index = join(history.dir, '.git', 'attack-index');
  const env = { ...history.environment, GIT_INDEX_FILE: index };
  const git = (args: readonly string[], input: string | Buffer = '') =>
    execFileSync('git', args, { cwd: history.dir, env, input, encoding: 'utf8' }).trim();
  git(['read-tree', merge]);
  const blob = git(['hash-object', '-w', '--no-filters', '--stdin'], bytes);
  git(['update-index', '--cacheinfo', `100644,${blob},${path}`]);
  const commit = git(
    ['commit-tree', git(['write-tree']), ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'],
    message,
  );
  git(['update-ref', 'refs/heads/attack', commit]);
}

it('finds any change of a single byte below an environment, however it came in', async () => {
  expect(await findings('main')).toEqual([]);
  const [base = '', head = ''] = history.git(['rev-parse', `${merge}^1`, `${merge}^2`]).split('\n');
  const ways = {
    'a later commit': [[merge], 'Tidy up'],
    'the merge itself': [[base, head], 'Merge'],
    'a squash of more than was approved': [[base], second.message],
  } as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...(Object.keys(ways) as Array<keyof typeof ways>)),
      fc.nat(),
      fc.nat(),
      fc.constantFrom('change', 'insert', 'remove'),
      fc.nat({ max: 255 }),
      async (way, file, at, edit, byte) => {
        const path = files[file % files.length] ?? '';
        const before = history.read(path);
        const offset = at % before.length;
        fc.pre(edit === 'insert' || before[offset] !== byte);
        const tail = before.subarray(edit === 'insert' ? offset : offset + 1);
        const added = edit === 'remove' ? [] : [Buffer.from([byte])];
        const bytes = Buffer.concat([before.subarray(0, offset), ...added, tail]);
        fc.pre(!bytes.equals(before));
        const [parents, message] = ways[way];
        attack(path, bytes, parents, message);
        expect(await findings('attack'), `${edit} byte ${offset} of ${path}`).not.toEqual([]);
      },
    ),
    { numRuns: 30 },
  );
});

it('reads a thousand commits and changes at once', async () => {
  const of = (index: number) => deploy(String(1 + (index % 9)), 'dev', `event-${index}`);
  const streamed = Array.from({ length: 1_000 }, (_, index) => {
    const { files: written, message } = of(index);
    const lines = written.map(
      ({ path, text }) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
    );
    const from = index === 0 ? 'from refs/heads/main^0\n' : '';
    const date = 1_795_000_000 + index;
    return `commit refs/heads/many\ncommitter W <w@example.com> ${date} +0000\ndata ${Buffer.byteLength(message)}\n${message}${from}D ${folderOf('dev')}\n${lines.join('')}`;
  });
  history.git(['fast-import', '--quiet'], streamed.join(''));
  const report = await audit({
    folder: history.dir,
    branch: 'many',
    signatures: false,
    environment: history.environment,
  });
  expect(report).toMatchObject({ changes: 1_003, findings: [] });
  expect(report.served).toHaveLength(1_003);
});
