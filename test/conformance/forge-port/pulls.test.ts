import { describe, expect, it } from 'vitest';
import type { ForgePullRequest, NewPullRequest } from '../../../packages/gitops-writer/src/ports.ts';
import type { GitClient } from '../forge/git-client.ts';
import { freshTargets } from './fresh.ts';
import { SERVERS } from './servers.ts';
import { type PortTarget, push } from './target.ts';

const BRANCH = 'fairway/deploy/home-equity/prod/1f';
const TEXT = { title: 'Deploy home-equity 2', body: 'Approved by Ann.\n\n<!-- fairway:change 1f -->' };
const normal = (text: string) => text.replaceAll('\r\n', '\n').trim();

describe.each(Object.entries(SERVERS))('pull requests on %s', (_name, start) => {
  let git: GitClient;
  let target: PortTarget;
  freshTargets(start, (fresh, client) => {
    target = fresh;
    git = client;
  });

  const pushed = (branch = BRANCH, text = 'x\n') => push(git, target.folder, branch, { [`${branch}.txt`]: text });
  const open = (more: Partial<NewPullRequest> = {}) =>
    target.forge.open({ branch: BRANCH, ...TEXT, labels: [], reviewers: [], ...more });
  const listed = async (prefix: string) => {
    const found: ForgePullRequest[] = [];
    for await (const pull of target.forge.list(prefix)) found.push(pull);
    return found;
  };

  describe('finding and opening', () => {
    it('finds none where there is none', async () => {
      expect(await target.forge.find(BRANCH)).toBeUndefined();
      await pushed();
      expect(await target.forge.find(BRANCH)).toBeUndefined();
      expect(await listed('')).toEqual([]);
    });

    it('opens it, finds it and reads it', async () => {
      const headSha = await pushed();
      const opened = await open();
      expect(opened).toMatchObject({ branch: BRANCH, headSha, state: 'open', title: TEXT.title });
      expect(opened.url).toMatch(/^http/);
      expect(normal(opened.body)).toBe(TEXT.body);
      const { number } = opened;
      for (const pull of [await target.forge.find(BRANCH), await target.forge.read(number)])
        expect(pull).toMatchObject({ number, branch: BRANCH, headSha, state: 'open', url: opened.url });
      expect(await target.forge.read(number)).not.toHaveProperty('mergeCommit');
    });

    it('opens one only, however often and at once it is asked to', async () => {
      await pushed();
      const first = await Promise.all([open(), open(), open()]);
      const again = await open({ title: 'Other words' });
      expect(new Set([...first, again].map(({ number }) => number)).size).toBe(1);
      expect(await listed('fairway/')).toHaveLength(1);
    });

    it('says why it cannot be opened: no such branch, or nothing in it', async () => {
      // It may be pushed and not noticed yet, or be gone and pushed again by the next turn.
      await expect(open({ branch: 'fairway/none' })).rejects.toMatchObject({ disposition: 'retryable' });
      await git.ok(target.folder, ['push', '--quiet', 'origin', 'origin/main:refs/heads/fairway/same']);
      const empty = open({ branch: 'fairway/same' });
      if (target.opensEmpty) expect(await empty).toMatchObject({ state: 'open' });
      else await expect(empty).rejects.toMatchObject({ code: 'forge.refused' });
    });

    it('follows its branch while it is open', async () => {
      await pushed();
      const { number } = await open();
      const second = await pushed(BRANCH, 'changed\n');
      await expect.poll(async () => (await target.forge.read(number)).headSha, { timeout: 60_000 }).toBe(second);
    });

    it('takes the open one of several, else the merged one, else the newest closed one', async () => {
      await pushed();
      const first = await open();
      await target.close(first.number);
      await pushed(BRANCH, 'second\n');
      const second = await open();
      expect(second.number).not.toBe(first.number);
      expect(await target.forge.find(BRANCH)).toMatchObject({ number: second.number, state: 'open' });
      await target.close(second.number);
      expect(await target.forge.find(BRANCH)).toMatchObject({ number: second.number, state: 'closed' });
      await pushed(BRANCH, 'third\n');
      const third = await open();
      expect(await target.forge.find(BRANCH)).toMatchObject({ number: third.number, state: 'open' });
      await target.merge(third.number);
      await pushed(BRANCH, 'fourth\n');
      const fourth = await open();
      await target.close(fourth.number);
      expect(await target.forge.find(BRANCH)).toMatchObject({ number: third.number, state: 'merged' });
      await pushed(BRANCH, 'fifth\n');
      const fifth = await open();
      expect(await target.forge.find(BRANCH)).toMatchObject({ number: fifth.number, state: 'open' });
    });

    it('tells where one goes that somebody has pointed to another branch, open and merged', async ({ skip }) => {
      if (target.point === undefined) {
        skip('the embedded forge lets nobody change the base');
        return;
      }
      await pushed();
      const { number } = await open();
      expect((await target.forge.read(number)).into).toBeUndefined();
      await push(git, target.folder, 'release', { 'r.txt': 'r\n' });
      await target.point(number, 'release');
      expect(await target.forge.read(number)).toMatchObject({ state: 'open', into: 'release' });
      await target.merge(number);
      expect(await target.forge.read(number)).toMatchObject({ state: 'merged', into: 'release' });
    });

    it('is not taken in by a pull request from a fork', async () => {
      await pushed();
      const foreign = await target.openFromFork?.(BRANCH);
      expect(await target.forge.find(BRANCH)).toBeUndefined();
      expect(await listed('')).toEqual([]);
      const { number } = await open();
      expect(number).not.toBe(foreign);
      expect(await target.forge.find(BRANCH)).toMatchObject({ number });
    });
  });

  describe('ends', () => {
    it('closed by a person: who did it, and no merge', async () => {
      const headSha = await pushed();
      const { number } = await open();
      await target.close(number);
      const closed = await target.forge.read(number);
      expect(closed).toMatchObject({ state: 'closed', branch: BRANCH, headSha, endedBy: target.person });
      expect(closed).not.toHaveProperty('mergeCommit');
      expect(closed).not.toHaveProperty('mergedAt');
    });

    it('merged by a person: commit, time and who', async () => {
      const headSha = await pushed();
      const { number } = await open();
      await target.merge(number);
      const merged = await target.forge.read(number);
      const mergeCommit = await git.ok(target.folder, ['ls-remote', 'origin', 'refs/heads/main']);
      expect(merged).toMatchObject({ state: 'merged', branch: BRANCH, headSha, endedBy: target.person });
      expect(mergeCommit.startsWith(merged.mergeCommit ?? 'none')).toBe(true);
      expect(Date.parse(merged.mergedAt ?? '')).toBeGreaterThan(Date.parse('2020-01-01'));
    });

    it('keeps branch and head when the branch is gone', async () => {
      const headSha = await pushed();
      const { number } = await open();
      await target.merge(number);
      await git.ok(target.folder, ['push', '--quiet', 'origin', `:refs/heads/${BRANCH}`]);
      const expected = { number, state: 'merged', branch: BRANCH, headSha };
      await expect.poll(() => target.forge.read(number), { timeout: 60_000 }).toMatchObject(expected);
      expect(await target.forge.find(BRANCH)).toMatchObject(expected);
      expect(await listed('fairway/deploy/')).toMatchObject([expected]);
    });

    it('closed by us, twice', async () => {
      await pushed();
      const { number } = await open();
      await target.forge.edit(number, { state: 'closed' });
      await target.forge.edit(number, { state: 'closed' });
      expect(await target.forge.read(number)).toMatchObject({
        state: 'closed',
        title: TEXT.title,
        endedBy: target.bot,
      });
    });
  });

  describe('editing', () => {
    it('changes only what it is given', async () => {
      await pushed();
      const { number } = await open({ labels: ['fairway'] });
      await target.forge.edit(number, { title: 'New title' });
      let read = await target.forge.read(number);
      expect([read.title, normal(read.body), read.state]).toEqual(['New title', TEXT.body, 'open']);
      await target.forge.edit(number, { body: 'New body' });
      read = await target.forge.read(number);
      expect([read.title, normal(read.body), read.state]).toEqual(['New title', 'New body', 'open']);
      expect((await target.shown(number)).labels).toEqual(['fairway']);
    });

    it.each([
      [
        'Markdown',
        '`a|b` <b>&amp;</b> #1 @here [x](y) \\ * _',
        '# H\n\n```yaml\na: "b"\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |',
      ],
      ['four-byte characters', 'Überprüfung 🚀 𝒳', '🚀\u0301 𝒳 \u202Eabc\n\n- ✅ ok'],
      ['CRLF', 'Title', 'one\r\ntwo\r\n\r\nthree'],
      ['lines that look like commands', '/close', '/close\n/merge\n/label ~x\n\\/close\n/approve now\n\ntext /close'],
      ['long titles', 'T'.repeat(255), 'b'],
      ['markers', 'Title', 'text\n\n<!-- fairway:change 1f -->'],
      ['an empty body', 'Title', ''],
    ])('gives back %s as they were', async (_what, title, body) => {
      await pushed();
      const { number } = await open({ title, body });
      let read = await target.forge.read(number);
      expect([read.title, normal(read.body), read.state]).toEqual([title, normal(body), 'open']);
      await target.forge.edit(number, { title: 'Between', body: 'Between' });
      await target.forge.edit(number, { title, body });
      read = await target.forge.read(number);
      expect([read.title, normal(read.body), read.state]).toEqual([title, normal(body), 'open']);
    });

    it('takes a body of the longest length that it claims', async () => {
      await pushed();
      const body = 'ä🚀 words\n'.repeat(Math.ceil(target.limits.body / 10)).slice(0, target.limits.body - 1) + 'z';
      const { number } = await open({ body });
      expect(normal((await target.forge.read(number)).body)).toBe(normal(body));
    });
  });

  it('lists by prefix over many pages, oldest first, in any state', async () => {
    await pushed();
    const count = 55;
    const names = Array.from({ length: count }, (_, i) => `fairway/many/${String(i).padStart(2, '0')}`);
    await git.ok(target.folder, ['push', '--quiet', 'origin', ...names.map((name) => `work:refs/heads/${name}`)]);
    await git.ok(target.folder, ['push', '--quiet', 'origin', 'work:refs/heads/other/1']);
    const numbers: number[] = [];
    for (const branch of names) numbers.push((await open({ branch })).number);
    await open({ branch: 'other/1' });
    await target.close(numbers[3] ?? 0);
    const found = await listed('fairway/many/');
    expect(found.map(({ branch }) => branch)).toEqual(names);
    expect(found.map(({ number }) => number)).toEqual(numbers);
    expect(found.map(({ state }) => state)).toEqual(names.map((_, i) => (i === 3 ? 'closed' : 'open')));
    expect((await listed('')).length).toBe(count + 1);
    for await (const first of target.forge.list('fairway/many/')) {
      expect(first.branch).toBe(names[0]);
      break;
    }
  });
});
