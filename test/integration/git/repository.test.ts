import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GitEngine } from '../../../packages/gitops-writer/src/git/engine.ts';
import { BOT, type BareRemote, bareRemote, DATE, FOLDER, gitIn, request } from './support.ts';

let remote: BareRemote;
let engine: GitEngine;
beforeEach(() => {
  remote = bareRemote();
  engine = remote.engine();
});
afterEach(() => remote.remove());

it('makes the same commit of the same request, and replaces the folder as a whole', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const first = await repository.commit(request(head));
  expect(await repository.commit(request(head))).toBe(first);
  const other = { ...request(first), files: [{ path: `${FOLDER}/b.yaml`, text: 'two\n' }] };
  const second = await repository.commit(other);
  expect(await repository.read(second, `${FOLDER}/a.yaml`)).toBeUndefined();
  expect((await repository.read(second, `${FOLDER}/b.yaml`))?.text).toBe('two\n');
  expect((await repository.read(second, 'README.md'))?.text).toBe('x\n');
  expect(await repository.folders(second, 'models/m')).toEqual(['environments']);
  expect(await repository.files(second, 'models')).toEqual([{ path: `${FOLDER}/b.yaml`, text: 'two\n' }]);
});

/** The commit that git itself makes of a request, by an index and `commit-tree`. */
function byGit(folder: string, { parent, folders, files, message, date }: ReturnType<typeof request>): string {
  const git = gitIn(folder);
  const index = { GIT_INDEX_FILE: join(folder, 'index-of-the-test') };
  git(['read-tree', parent], '', index);
  const gone =
    folders.length === 0
      ? ''
      : git(['-c', 'core.quotePath=false', 'ls-files', '--', ...folders.map((each) => `${each}/`)], '', index);
  const nothing = '0'.repeat(parent.length);
  for (const path of gone.split('\n').filter((each) => each !== ''))
    git(['update-index', '-z', '--index-info'], `0 ${nothing}\t${path}\0`, index);
  for (const { path, text } of files) {
    const blob = git(['hash-object', '-w', '--stdin'], text);
    git(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], '', index);
  }
  const who = (role: string) => ({
    [`GIT_${role}_NAME`]: BOT.name,
    [`GIT_${role}_EMAIL`]: BOT.email,
    [`GIT_${role}_DATE`]: date,
  });
  const tree = git(['write-tree'], '', index);
  return git(['commit-tree', tree, '-p', parent], message, { ...who('AUTHOR'), ...who('COMMITTER') });
}

it('makes the very commit that git makes, whatever is around the folder', async () => {
  const { repository } = engine;
  const names = [
    'models/a-1',
    'models/a',
    'models/a.b',
    'models/aa/x',
    'models/ä ö',
    'zz',
    'A',
    'models/m/policy.yaml',
  ];
  remote.push(names.length, (i) => `${names[i]}/f.txt`);
  const head = await repository.head(0);
  const several = {
    parent: head,
    folders: ['models/a', 'models/ä ö', 'models/not-there', 'zz'],
    files: [
      'models/a.yaml',
      'models/a/new',
      'models/a/deep/er',
      'models/aa/x/f.txt',
      'models/ä ö/ü',
      'a',
      'models/a0',
    ].map((path) => ({ path: path === 'models/a0' ? 'models/a0/é' : path, text: `${path}\n` })),
    message: 'Grüße\n\nBody without a line end',
    date: '2026-11-22T10:30:00.999+02:00',
  };
  for (const wanted of [several, request(head), { ...request(head), files: [] }, { ...several, folders: ['models'] }]) {
    const ours = await repository.commit(wanted);
    expect(ours).toBe(byGit(engine.mirror.folder, wanted));
  }
  expect((await engine.mirror.git(['fsck', '--strict', '--connectivity-only'])).trim()).not.toMatch(/error|missing/);
});

const part = fc.constantFrom('a', 'a-', 'a.b', 'a0', 'b', 'é', 'Z', '~');
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

it('makes the tree that git makes of any edits, or refuses them in a sentence', async () => {
  const { repository, mirror } = engine;
  let parent = await repository.head(0);
  await fc.assert(
    fc.asyncProperty(
      fc.array(path, { maxLength: 2 }),
      fc.uniqueArray(path, { maxLength: 4 }),
      fc.string({ maxLength: 5 }),
      async (folders, paths, text) => {
        const wanted = { ...request(parent), folders, files: paths.map((each) => ({ path: each, text })) };
        const made = await repository.commit(wanted).catch((error: { code: string }) => error.code);
        // What would make a folder of a file, or a file of a folder, is refused.
        if (made === 'input.invalid') return;
        expect(made).toBe(byGit(mirror.folder, wanted));
        parent = made;
      },
    ),
    // A file that is a folder's name, with nothing but a folder between.
    { numRuns: 60, examples: [[[], ['a0/Z/é', 'a0'], 'j']] },
  );
});

it('writes a folder of many models as a difference that git reads back', async () => {
  const { repository, mirror } = engine;
  const names = Array.from(
    { length: 4_000 },
    (_, i) => `models/a-model-with-a-long-name-${String(i).padStart(5, '0')}`,
  );
  remote.push(1, () => 'x');
  const parent = await repository.commit({
    ...request(await repository.head(0)),
    files: names.map((name) => ({ path: `${name}/model.yaml`, text: name })),
  });
  const one = { ...request(parent), folders: [names[0] ?? '', names[2_000] ?? '', names[3_999] ?? ''] };
  const first = await repository.commit({ ...one, files: [{ path: `${names[2_000]}/b`, text: '' }] });
  const second = await repository.commit({ ...request(first), files: [{ path: 'models/zzz/b', text: 'z' }] });
  expect(await repository.folders(second, 'models')).toHaveLength(3_999);
  expect(second).toBe(byGit(mirror.folder, { ...request(first), files: [{ path: 'models/zzz/b', text: 'z' }] }));
  await repository.push('large', second, undefined);
  expect(remote.git(['fsck', '--strict'])).not.toMatch(/error|missing/);
  expect(Number(/size-pack: (\d+)/.exec(await mirror.git(['count-objects', '-v']))?.[1])).toBeLessThan(1_500);
});

it('writes many requests at the same time into one pack, each refused for itself', async () => {
  const { repository, mirror } = engine;
  const head = await repository.head(0);
  const packs = async () => /packs: (\d+)/.exec(await mirror.git(['count-objects', '-v']))?.[1];
  const before = Number(await packs());
  const wanted = Array.from({ length: 20 }, (_, i) => request(head, `${i}\n`, `models/m${i}`));
  const bad = ['../x', '/x', 'a//b', 'a/.git/config', 'a/.GIT/x', '', 'a\nb', 'a\\b', 'README.md/x'].map((path) => ({
    ...request(head),
    files: [{ path, text: 'x' }],
  }));
  const [made, refused] = await Promise.all([
    Promise.all(wanted.map((each) => repository.commit(each))),
    Promise.allSettled(bad.map((each) => repository.commit(each))),
  ]);
  expect(new Set(made).size).toBe(20);
  expect(refused.map((each) => (each.status === 'rejected' ? each.reason.code : 'taken'))).toEqual(
    bad.map(() => 'input.invalid'),
  );
  // The first goes alone with those that came in the same turn; at most one batch more.
  expect(Number(await packs()) - before).toBeLessThanOrEqual(2);
  expect(await mirror.git(['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n');
});

it('keeps the mode of a file that people made executable, and refuses to write through a link', async () => {
  const { repository } = engine;
  const text = 'data 2\nx\n';
  remote.git(
    ['fast-import', '--quiet'],
    `commit refs/heads/main\ncommitter T <t@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100755 inline run.sh\n${text}M 120000 inline models\n${text}`,
  );
  const parent = await repository.head(0);
  const made = await repository.commit({ ...request(parent), folders: [], files: [{ path: 'run.sh', text: 'y\n' }] });
  expect(await engine.mirror.git(['ls-tree', made, 'run.sh'])).toMatch(/^100755/);
  await expect(repository.commit(request(parent))).rejects.toMatchObject({
    code: 'input.invalid',
    message: expect.stringContaining('models is a symbolic link'),
  });
});

it('knows its own commit again without the network, and no other', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const wanted = request(head);
  const ours = await repository.commit(wanted);
  await repository.push('x', ours, undefined);
  const later = remote.engine({ dataDir: join(remote.dir, 'another') });
  await later.repository.head(0);
  remote.git(['config', 'uploadpack.hideRefs', 'refs/']);
  expect(await later.repository.carries(ours, wanted)).toBe(true);
  for (const other of [
    { ...wanted, message: 'other\n' },
    { ...wanted, date: '2026-11-22T08:30:01.000Z' },
    { ...wanted, files: [{ path: `${FOLDER}/a.yaml`, text: 'two\n' }] },
    { ...wanted, files: [...wanted.files, { path: 'elsewhere', text: '' }] },
  ])
    expect(await later.repository.carries(ours, other)).toBe(false);
  expect(await later.repository.carries('f'.repeat(40), wanted)).toBe(false);
  expect(await later.repository.carries(head, wanted)).toBe(false);
});

it('sees what was fetched and written after the first question', async () => {
  const { repository } = engine;
  expect(await repository.read('f'.repeat(40), 'x')).toBeUndefined();
  await repository.head(0);
  for (let i = 0; i < 3; i++) {
    const tip = remote.push(1, () => `x-${i}`);
    expect(await repository.head(0)).toBe(tip);
    expect((await repository.read(tip, `x-${i}`))?.text).toBe('value 0\n');
  }
  expect(await repository.read(await repository.head(0), 'no\nfile')).toBeUndefined();
});

it('refuses a file that is too large to read, in a sentence', async () => {
  const { repository } = engine;
  const head = await repository.head(0);
  const large = 'x'.repeat(17 * 1024 * 1024);
  const made = await repository.commit({ ...request(head), files: [{ path: `${FOLDER}/large.json`, text: large }] });
  const refused = expect(repository.read(made, `${FOLDER}/large.json`)).rejects.toMatchObject({
    code: 'input.invalid',
    message: expect.stringMatching(/large\.json has 17\.0 MiB .* up to 16\.0 MiB/),
  });
  // Asked before that one is passed over.
  const others = Array.from({ length: 5 }, async () => (await repository.read(made, 'README.md'))?.text);
  await refused;
  expect(await Promise.all(others)).toEqual(others.map(() => 'x\n'));
});

it('goes on when the reader was killed', async () => {
  const { repository, mirror } = engine;
  const head = await repository.head(0);
  const reads = Array.from({ length: 50 }, () => repository.read(head, 'README.md'));
  mirror.reader.renew();
  for (const read of reads) expect((await read)?.text).toBe('x\n');
});

it('shares a look at the remote between those who ask at the same time, and believes a push of its own', async () => {
  const { repository } = engine;
  const heads = await Promise.all(Array.from({ length: 50 }, () => repository.head(0)));
  expect(new Set(heads).size).toBe(1);
  const ours = await repository.commit(request(heads[0] ?? ''));
  await repository.push('x', ours, undefined);
  writeFileSync(join(remote.folder, 'HEAD'), 'broken');
  expect(await repository.branch('x')).toBe(ours);
  expect(await repository.head(60_000)).toBe(heads[0]);
});

it.each(['sha1', 'sha256'])('works on a %s repository whose default branch is called trunk', async (format) => {
  const other = bareRemote({ branch: 'trunk', format });
  try {
    const { repository, history } = other.engine();
    const head = await repository.head(0);
    expect(head).toHaveLength(format === 'sha1' ? 40 : 64);
    const ours = await repository.commit(request(head));
    expect(ours).toBe(byGit(join(other.dir, 'data', 'mirror.git'), request(head)));
    await repository.push('x', ours, undefined);
    expect(other.git(['rev-parse', 'x'])).toBe(ours);
    expect(await history.relation(head, ours, FOLDER)).toEqual({ kind: 'superseded', by: ours });
    expect(await repository.carries(ours, { ...request(head), date: DATE })).toBe(true);
  } finally {
    await other.remove();
  }
});
