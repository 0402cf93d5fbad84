import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '@fairway/gitops-writer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIN } from '../../harness/demo.ts';
import {
  deploy,
  digestOf,
  folderOf,
  gitopsHistory,
  type GitopsHistory,
  MODEL,
  retire,
  retrain,
  rollback,
} from './gitops-history.ts';

let history: GitopsHistory;
beforeEach(() => {
  history = gitopsHistory();
});
afterEach(() => history.remove());

const run = (folder = history.dir, signatures = false) =>
  audit({ folder, branch: 'main', signatures, environment: history.environment });
/** Kinds of the findings with the start of what they say. */
const findings = async () => (await run()).findings.map(({ kind, message }) => `${kind}: ${message}`);

describe('a history in which everything came by changes', () => {
  it.each(['merge', 'squash', 'rebase'] as const)('holds when the forge does a %s', async (how) => {
    const first = deploy('1', 'prod');
    history.merge(deploy('1', 'dev'), how);
    const merged = history.merge(first, how);
    history.write([{ path: 'README.md', text: 'people write too\n' }]);
    history.commit('Say what this is');
    const bad = deploy('2', 'prod');
    history.merge(bad, how);
    history.merge(retrain('2026Q2', '2026Q3'), how);
    history.merge(rollback(bad, first, merged), how);
    history.merge(retire(deploy('1', 'dev'), 'dev'), how);
    const report = await run();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ ref: 'refs/heads/main', commits: 8, changes: 6 });
    expect(
      report.served.map(({ environment, version, until, change, broughtBy, approvedBy, proven }) => [
        environment,
        version,
        until === undefined,
        change === first.change,
        broughtBy === undefined,
        approvedBy,
        proven,
      ]),
    ).toEqual([
      ['dev', '1', false, false, true, 'alice@example.com', true],
      ['prod', '1', false, true, true, 'alice@example.com', true],
      ['prod', '2', false, false, true, 'alice@example.com', true],
      ['prod', '1', true, true, false, 'alice@example.com', true],
    ]);
  });

  it('holds with SHA-256 objects, in a bare clone, and in one that knows the branch as origin/main only', async () => {
    history.remove();
    history = gitopsHistory('sha256');
    history.merge(deploy('1', 'prod'));
    expect((await run()).findings).toEqual([]);
    const bare = join(history.dir, 'bare.git');
    history.git(['clone', '--quiet', '--bare', '.', bare]);
    expect(await run(bare)).toMatchObject({ changes: 1, findings: [] });
    const clone = join(history.dir, 'clone');
    history.git(['clone', '--quiet', '.', clone]);
    history.git(['-C', clone, 'checkout', '--quiet', '--detach', 'origin/main']);
    history.git(['-C', clone, 'branch', '--quiet', '-D', 'main']);
    expect(await run(clone)).toMatchObject({ ref: 'refs/remotes/origin/main', changes: 1, findings: [] });
  });

  it('holds when what is retired was never deployed, and when a squash has its trailers given back by a note', async () => {
    history.merge(retire(undefined, 'prod'));
    const first = deploy('1', 'dev');
    history.propose(first);
    history.onMain(['merge', '--quiet', '--squash', `fairway/${first.change}`]);
    const squash = history.commit('Deploy (#2)');
    expect(await findings()).toEqual([`outside: 7 files of ${folderOf('dev')} changed outside of any change.`]);
    const trailers = first.message.split('\n').filter((line) => line.startsWith('Fairway-'));
    history.git(['notes', '--ref=fairway', 'add', '--file=-', squash], trailers.join('\n'));
    expect(await run()).toMatchObject({ findings: [], changes: 2 });
  });
});

describe('what came past a change', () => {
  const first = deploy('1', 'prod');
  beforeEach(() => history.merge(first));

  it('is found when somebody edits, adds or removes a file on the branch', async () => {
    history.write([{ path: `${folderOf('prod')}/deployment.yaml`, text: 'replicas: 9\n' }]);
    const edit = history.commit('Scale');
    history.write([{ path: `${folderOf('prod')}/extra.yaml`, text: 'kind: Secret\n' }]);
    history.commit('Add');
    history.git(['rm', '--quiet', `${folderOf('prod')}/service.yaml`]);
    history.commit('Remove one');
    history.git(['rm', '-r', '--quiet', folderOf('prod')]);
    history.commit('Remove all');
    const report = await run();
    expect(report.findings.map(({ kind, message, paths }) => [kind, message, paths.length])).toEqual([
      ['outside', `1 file of ${folderOf('prod')} changed outside of any change.`, 1],
      ['outside', `1 file of ${folderOf('prod')} changed outside of any change.`, 1],
      ['outside', `1 file of ${folderOf('prod')} changed outside of any change.`, 1],
      ['outside', `${folderOf('prod')} was removed outside of any change.`, 7],
    ]);
    expect(report.findings[0]).toMatchObject({ commit: edit, author: 'Mallory <mallory@example.com>' });
    expect(report.served.map(({ proven, until }) => [proven, until === undefined])).toEqual([
      [true, false],
      [false, false],
      [false, false],
      [false, false],
    ]);
  });

  it('is found when the branch was edited after the approval', async () => {
    const second = deploy('2', 'prod');
    history.propose(second);
    history.write([{ path: `${folderOf('prod')}/service.yaml`, text: 'kind: Service\n' }]);
    history.commit('Mend the service');
    history.onMain(['merge', '--quiet', '--no-ff', '-m', 'Merge', `fairway/${second.change}`]);
    expect(await findings()).toEqual([
      expect.stringMatching(
        /^broken: .*The intent hash does not fit the files: they are not those that were approved\./,
      ),
    ]);
    expect((await run()).served.map(({ proven }) => proven)).toEqual([true, false]);
  });

  it.each([
    ['Change', 'f'.repeat(20), 'The trailer Fairway-Change says'],
    ['Digest', digestOf('9'), 'The trailer Fairway-Digest says'],
    ['Approval', 'event by mallory at noon', 'The trailer Fairway-Approval says'],
    ['Intent', digestOf('9'), 'The trailer Fairway-Intent says'],
    ['Environment', 'dev', ''],
  ])('is found when the trailer %s is forged', async (name, value, said) => {
    const second = deploy('2', 'prod');
    const message = second.message.replace(new RegExp(`^Fairway-${name}: .*$`, 'm'), `Fairway-${name}: ${value}`);
    history.merge({ ...second, message });
    const found = await findings();
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toContain(said);
  });

  it('is found when a trailer is missing, contradicts itself, or an old approval is used for other bytes', async () => {
    const second = deploy('2', 'prod');
    history.merge({ ...second, message: second.message.replace(/^Fairway-Approval.*\n/m, '') });
    const third = deploy('3', 'prod');
    history.merge({ ...third, message: `${third.message}Fairway-Digest: ${digestOf('9')}\n` });
    const borrowed = deploy('4', 'prod', 'event-1-prod');
    const files = borrowed.files.map((file) => ({
      ...file,
      text: file.text.replaceAll(borrowed.change, first.change),
    }));
    history.merge({ ...borrowed, files, message: borrowed.message.replaceAll(borrowed.change, first.change) });
    expect(await findings()).toEqual([
      expect.stringContaining('broken: models/m/environments/prod: The trailer Fairway-Approval is missing.'),
      expect.stringMatching(/^trailers: The Fairway trailers of commit \w+ contradict each other\./),
      expect.stringContaining('outside: '),
      expect.stringMatching(/broken: .*The approval leads to change \w+, version.yaml says/),
    ]);
  });

  it('is found when a merge brings more than the change, inside its folder or elsewhere', async () => {
    const second = deploy('2', 'prod');
    history.propose(second);
    history.mergeOpen(`fairway/${second.change}`);
    history.write([
      { path: `models/${MODEL}/policy.yaml`, text: 'rules: [none]\n' },
      { path: `${folderOf('prod')}/more.yaml`, text: 'a: 1\n' },
    ]);
    history.commit('Merge with more');
    const report = await run();
    expect(
      report.findings.map(({ kind, paths }) => [kind, paths.filter((path) => !path.startsWith(folderOf('prod')))]),
    ).toEqual([
      ['broken', []],
      ['foreign', [`models/${MODEL}/policy.yaml`]],
    ]);
  });

  it('is found when a merge drops the change, or brings one twice', async () => {
    const second = deploy('2', 'prod');
    history.propose(second);
    history.onMain(['merge', '--quiet', '--no-ff', '--strategy=ours', '-m', 'Merge', `fairway/${second.change}`]);
    const third = deploy('3', 'prod');
    history.merge(third);
    history.merge(deploy('4', 'prod'));
    history.merge(third);
    expect(await findings()).toEqual([
      expect.stringMatching(/^absent: It says that it carries change/),
      expect.stringMatching(/^twice: Change \w+ was merged before, by commit/),
    ]);
  });

  it('is found when a version is deployed while it is in quarantine, until its entry is taken away', async () => {
    const bad = deploy('2', 'prod');
    history.merge(bad);
    const back = rollback(bad, first, history.git(['rev-list', '--first-parent', '--max-count=1', '--skip=1', 'main']));
    history.merge(back);
    history.merge(deploy('2', 'prod', 'again'));
    history.git(['rm', '--quiet', `models/${MODEL}/quarantine.yaml`]);
    history.commit('Lift the quarantine');
    history.merge(deploy('1', 'prod', 'between'));
    history.merge(deploy('2', 'prod', 'once more'));
    expect(await findings()).toEqual([
      'quarantined: Version 2 was deployed while it was in quarantine since 2026-11-23T00:00:00Z: It failed.',
    ]);
  });

  it('is found when a rollback restores something else, forgets the quarantine, or lifts another', async () => {
    const bad = deploy('2', 'prod');
    const merged = history.git(['rev-parse', 'main']);
    history.merge(bad);
    const back = rollback(bad, first, merged);
    history.merge({ ...back, files: back.files.filter(({ path }) => !path.endsWith('quarantine.yaml')) });
    history.merge(deploy('3', 'prod'));
    const other = rollback(deploy('3', 'prod'), bad, merged);
    history.merge({ ...other, message: other.message.replace('bob as admin', 'eve') });
    expect(await findings()).toEqual([
      expect.stringContaining('broken: models/m/environments/prod: It does not quarantine version 2.'),
      expect.stringMatching(
        /broken: .*Nothing that Fairway-Requested-By says leads|broken: .*The intent hash does not fit/,
      ),
    ]);
  });

  it('is found when a retirement edits more of model.yaml', async () => {
    const gone = retire(first, 'prod');
    const files = gone.files.map((file) => ({ ...file, text: file.text.replace('merge: auto', 'merge: review') }));
    history.merge({ ...gone, files });
    expect(await findings()).toEqual([
      expect.stringContaining('models/m/model.yaml says more than that the environment is gone.'),
    ]);
  });
});

describe('what cannot be audited', () => {
  it('is refused in a sentence: shallow and partial clones, no repository, no such branch', async () => {
    history.merge(deploy('1', 'prod'));
    const shallow = join(history.dir, 'shallow');
    history.git(['clone', '--quiet', '--depth=1', `file://${history.dir}`, shallow]);
    await expect(run(shallow)).rejects.toThrow('run git fetch --unshallow');
    const foreign = join(history.dir, 'foreign');
    history.git(['init', '--quiet', '--initial-branch=main', foreign]);
    history.git([
      '-C',
      foreign,
      '-c',
      'user.name=T',
      '-c',
      'user.email=t@x',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    ]);
    await expect(run(foreign)).rejects.toThrow('never had a folder models/');
    const partial = join(history.dir, 'partial');
    history.git(['config', 'uploadpack.allowFilter', 'true']);
    history.git(['clone', '--quiet', '--filter=blob:none', `file://${history.dir}`, partial]);
    await expect(run(partial)).rejects.toThrow('is a partial clone');
    const empty = join(history.dir, 'empty');
    mkdirSync(empty);
    history.git(['init', '--quiet', empty]);
    await expect(run(empty)).rejects.toThrow('it has none at all');
    await expect(run(join(history.dir, 'nowhere'))).rejects.toThrow('git cannot be run');
  });

  it('does not believe replaced objects', async () => {
    history.merge(deploy('1', 'prod'));
    const honest = history.git(['rev-parse', 'main']);
    history.write([{ path: `${folderOf('prod')}/service.yaml`, text: 'x\n' }]);
    const edited = history.commit('Edit');
    history.git(['replace', edited, honest]);
    expect(await findings()).toHaveLength(1);
  });
});

it('tells which commits are not signed by a trusted key, when asked', async () => {
  const key = join(history.dir, '.git', 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const settings = [
    ['gpg.format', 'ssh'],
    ['user.signingKey', key],
    ['gpg.ssh.allowedSignersFile', join(history.dir, '.git', 'signers')],
  ];
  for (const [name = '', value = ''] of settings) history.git(['config', name, value]);
  history.git(['config', 'commit.gpgSign', 'true']);
  const signed = deploy('1', 'dev');
  history.merge(signed);
  history.git(['config', 'commit.gpgSign', 'false']);
  const unsigned = deploy('1', 'prod');
  history.merge(unsigned);
  expect((await run()).findings).toEqual([]);
  const untrusted = (await run(history.dir, true)).findings.map(({ change, message }) => [
    change,
    message.replace(/^.*carries change \w+, /, ''),
  ]);
  expect(untrusted).toEqual([
    [signed.change, expect.stringMatching(/cannot be checked|not trusted/)],
    [unsigned.change, 'is not signed.'],
  ]);
  const [type = '', secret = ''] = history.read('.git/key.pub').toString('utf8').split(' ');
  writeFileSync(join(history.dir, '.git', 'signers'), `mallory@example.com,forge@example.com ${type} ${secret}\n`);
  expect((await run(history.dir, true)).findings.map(({ change }) => change)).toEqual([unsigned.change]);
});

describe('fairway audit', () => {
  const fairway = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'audit', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...history.environment, HOME: process.env['HOME'] },
    });
    return { status, stdout, stderr };
  };

  it('prints what served by whose approval and the findings as sentences, and tells by its exit code', () => {
    history.merge(deploy('1', 'prod'));
    const clean = fairway(history.dir);
    expect(clean.stdout).toMatch(
      /m +prod +v1 +2026-\d\d-\d\d \d\d:\d\d UTC +now +alice@example.com +event-1-prod +[0-9a-f]{20}/,
    );
    expect(clean).toMatchObject({ status: 0, stdout: expect.stringContaining('The chain holds') });
    history.write([{ path: `${folderOf('prod')}/a\u001b[2J.yaml`, text: 'x\n' }]);
    history.commit('Edit');
    const found = fairway(history.dir);
    expect(found.status).toBe(1);
    expect(found.stdout).toContain(`✘ 1 file of ${folderOf('prod')} changed outside of any change.`);
    expect(found.stdout).not.toContain('\u001b');
    expect(JSON.parse(fairway(history.dir, '--json').stdout)).toMatchObject({
      changes: 1,
      findings: [{ kind: 'outside' }],
    });
    const nothing = fairway(history.dir, '--branch', 'trunk');
    expect(nothing).toMatchObject({ status: 2, stderr: expect.stringContaining('There is no branch trunk') });
    const elsewhere = fairway('/');
    expect(elsewhere).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('/ is no Git repository; name a clone'),
    });
  });
});
