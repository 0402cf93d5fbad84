import { describe, expect, it } from 'vitest';
import type { GitClient } from '../forge/git-client.ts';
import { freshTargets } from './fresh.ts';
import { SERVERS } from './servers.ts';
import { ofBase, type PortTarget, push } from './target.ts';

const BRANCH = 'fairway/deploy/home-equity/dev/1f';
const MESSAGE = 'Deploy home-equity 2\n\nApproved by Ann.\n\nFairway-Change: 1f';

describe.each(Object.entries(SERVERS))('merging on %s', (_name, start) => {
  let git: GitClient;
  let target: PortTarget;
  freshTargets(start, (fresh, client) => {
    target = fresh;
    git = client;
  });

  const opened = async (files: Readonly<Record<string, string>> = { 'x.txt': 'x\n' }) => {
    const head = await push(git, target.folder, BRANCH, files);
    const request = { branch: BRANCH, title: 'Deploy', body: '', labels: [], reviewers: [] };
    return { head, number: (await target.forge.open(request)).number };
  };
  const merge = (number: number, head: string, message = MESSAGE) => target.forge.merge(number, head, message);
  /** As the writer does: again while the forge says not yet. */
  const merged = (number: number, head: string, message = MESSAGE) =>
    expect.poll(async () => (await merge(number, head, message)).kind, { timeout: 60_000 }).toBe('merged');

  it('merges the head it was given, with the message it was given', async () => {
    const { number, head } = await opened();
    const base = await ofBase(git, target.folder, '%H');
    await merged(number, head);
    expect(await ofBase(git, target.folder, '%P')).toBe(`${base} ${head}`);
    expect(await ofBase(git, target.folder, '%B')).toBe(MESSAGE);
    const read = await target.forge.read(number);
    expect(read).toMatchObject({ state: 'merged', mergeCommit: await ofBase(git, target.folder, '%H') });
    expect(read.endedBy).toBe(target.bot);
  });

  it('merges with the words of the forge when there is no message', async () => {
    const { number, head } = await opened();
    await merged(number, head, '');
    expect(await ofBase(git, target.folder, '%s')).not.toBe('');
  });

  it('does not merge a head that moved', async () => {
    const { number, head } = await opened();
    const base = await ofBase(git, target.folder, '%H');
    const moved = await push(git, target.folder, BRANCH, { 'x.txt': 'changed after the approval\n' });
    await expect.poll(async () => (await target.forge.read(number)).headSha, { timeout: 60_000 }).toBe(moved);
    const answer = await merge(number, head);
    expect(answer).toMatchObject({ kind: 'moved', reason: expect.stringContaining(`#${number}`) });
    expect(await ofBase(git, target.folder, '%H')).toBe(base);
    await merged(number, moved);
  });

  it('does not merge a conflict', async () => {
    const { number, head } = await opened({ 'README.md': 'mine\n' });
    await push(git, target.folder, 'main', { 'README.md': 'theirs\n' });
    const base = await ofBase(git, target.folder, '%H');
    for (let i = 0; i < 3; i++) expect((await merge(number, head)).kind).toBe('not-yet');
    expect(await ofBase(git, target.folder, '%H')).toBe(base);
    expect((await target.forge.read(number)).state).toBe('open');
  });

  it('says when a rule stands against it, and shows that', async () => {
    const { number, head } = await opened();
    await target.block(number);
    const base = await ofBase(git, target.folder, '%H');
    await expect.poll(async () => (await merge(number, head)).kind, { timeout: 60_000 }).toBe('blocked');
    const answer = await merge(number, head);
    expect(answer).toMatchObject({ kind: 'blocked', reason: expect.stringMatching(/.{20}/) });
    expect(await ofBase(git, target.folder, '%H')).toBe(base);
    await expect
      .poll(async () => (await target.forge.read(number)).standing.kind, { timeout: 60_000 })
      .toMatch(/^(blocked|draft)$/);
  });

  it('shows that nothing stands against it', async () => {
    const { number } = await opened();
    await expect.poll(async () => (await target.forge.read(number)).standing.kind, { timeout: 60_000 }).toBe('ready');
  });

  it('says no to what has ended, without an end of its own', async () => {
    const { number, head } = await opened();
    await merged(number, head);
    expect((await merge(number, head)).kind).toBe('not-yet');
    const other = await opened({ 'y.txt': 'y\n' });
    await target.close(other.number);
    const base = await ofBase(git, target.folder, '%H');
    const answer = await merge(other.number, other.head).catch((error: unknown) => error);
    expect(answer).not.toMatchObject({ kind: 'merged' });
    expect(await ofBase(git, target.folder, '%H')).toBe(base);
  });

  it('merges once when two ask at once', async () => {
    const { number, head } = await opened();
    const base = await ofBase(git, target.folder, '%H');
    const answers = await Promise.all([merge(number, head), merge(number, head)]);
    for (const { kind } of answers) expect(['merged', 'not-yet', 'moved']).toContain(kind);
    await expect
      .poll(async () => {
        if ((await target.forge.read(number)).state !== 'merged') await merge(number, head);
        return (await target.forge.read(number)).state;
      })
      .toBe('merged');
    expect(await ofBase(git, target.folder, '%P')).toBe(`${base} ${head}`);
  });
});
