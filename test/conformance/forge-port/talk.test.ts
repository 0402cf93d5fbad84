import { beforeEach, describe, expect, it } from 'vitest';
import type { GitClient } from '../forge/git-client.ts';
import { freshTargets } from './fresh.ts';
import { SERVERS } from './servers.ts';
import { type PortTarget, push } from './target.ts';

const BRANCH = 'fairway/deploy/home-equity/dev/1f';
const MARKER = '<!-- fairway:status -->';

describe.each(Object.entries(SERVERS))('talking on %s', (_name, start) => {
  let git: GitClient;
  let target: PortTarget;
  let number: number;
  let head: string;
  freshTargets(start, (fresh, client) => {
    target = fresh;
    git = client;
  });
  beforeEach(async () => {
    head = await push(git, target.folder, BRANCH, { 'x.txt': 'x\n' });
  });

  const open = async (labels: readonly string[] = [], reviewers: readonly string[] = []) => {
    const request = { branch: BRANCH, title: 'Deploy', body: 'Body', labels, reviewers };
    ({ number } = await target.forge.open(request));
    return target.shown(number);
  };
  const comments = async () => (await target.shown(number)).comments.filter(({ text }) => text.includes(MARKER));

  describe('the comment', () => {
    it('is written once and edited when its text differs', async () => {
      await open();
      await target.forge.comment(number, MARKER, 'First');
      await target.forge.comment(number, MARKER, 'First');
      expect(await comments()).toHaveLength(1);
      await target.forge.comment(number, MARKER, 'Second 🚀\n\n- a\n- b');
      const [only, ...others] = await comments();
      expect(others).toEqual([]);
      expect(only?.text).toContain('Second 🚀');
      expect(only?.text).not.toContain('First');
      expect(only?.author).toBe(target.bot);
    });

    it('is found behind many others, and differs by its marker', async () => {
      await open();
      await target.forge.comment(number, MARKER, 'First');
      for (let i = 0; i < 25; i++) await target.say(number, `Words ${i}`);
      await target.forge.comment(number, '<!-- fairway:other -->', 'Other');
      for (let i = 0; i < 25; i++) await target.say(number, `More words ${i}`);
      await target.forge.comment(number, '<!-- fairway:other -->', 'Other, again');
      await target.forge.comment(number, MARKER, 'Second');
      expect((await comments()).map(({ text }) => text.split('\n')[0])).toEqual(['Second']);
      expect((await target.shown(number)).comments).toHaveLength(52);
    });

    it('leaves one alone in which a person quotes it', async () => {
      await open();
      await target.say(number, `> Quoted\n> ${MARKER}\n\nI do not agree.`);
      await target.forge.comment(number, MARKER, 'Ours');
      await target.forge.comment(number, MARKER, 'Ours, newer');
      const found = await comments();
      expect(found).toHaveLength(2);
      expect(found.find(({ author }) => author === target.person)?.text).toContain('I do not agree.');
      expect(found.find(({ author }) => author === target.bot)?.text).toContain('Ours, newer');
    });
  });

  describe('labels', () => {
    it('are put on it, made where they are not known', async () => {
      const { labels } = await open(['fairway', 'fairway/retrain']);
      expect([...labels].sort()).toEqual(['fairway', 'fairway/retrain']);
    });

    it('are there once when it is opened twice, and keep company with those of people', async () => {
      await open(['fairway']);
      expect((await open(['fairway'])).labels).toEqual(['fairway']);
    });
  });

  describe('reviewers', () => {
    it('are asked, the unknown ones left out', async () => {
      const { reviewers } = await open([], ['nobody-of-that-name', target.person, 'team:no-such-team']);
      expect(reviewers).toEqual([target.person]);
    });

    it('do not include who opens it', async () => {
      expect((await open([], [target.bot])).reviewers).toEqual([]);
    });
  });

  describe('statuses', () => {
    const set = (state: 'pending' | 'success' | 'failure', description: string, url?: string) =>
      target.forge.setStatus(head, {
        context: 'fairway/approval',
        state,
        description,
        ...(url === undefined ? {} : { url }),
      });

    it('are set, changed and set again', async () => {
      await open();
      await set('pending', 'Waiting', 'https://dashboard.example.com/changes/1f');
      await set('pending', 'Waiting', 'https://dashboard.example.com/changes/1f');
      expect(await target.statuses(head)).toEqual([
        {
          context: 'fairway/approval',
          state: 'pending',
          description: 'Waiting',
          url: 'https://dashboard.example.com/changes/1f',
        },
      ]);
      for (const [state, words] of [
        ['success', 'These are the approved bytes'],
        ['failure', 'Edited after the approval'],
        ['pending', 'Restored'],
        ['success', 'These are the approved bytes'],
      ] as const) {
        await set(state, words);
        expect(await target.statuses(head)).toMatchObject([{ context: 'fairway/approval', state, description: words }]);
      }
    });

    it('stand beside each other by context, with a description that is cut to fit', async () => {
      await set('success', 'x'.repeat(1_000));
      await target.forge.setStatus(head, { context: 'fairway/live', state: 'failure', description: 'No' });
      const found = await target.statuses(head);
      expect(found.map(({ context }) => context).sort()).toEqual(['fairway/approval', 'fairway/live']);
      expect(found.find(({ context }) => context === 'fairway/approval')?.description).toMatch(/^x{100,}…?$/);
    });

    it('of a commit that is not there are refused', async () => {
      const nowhere = target.forge.setStatus('0'.repeat(40), { context: 'x', state: 'success', description: 'x' });
      await expect(nowhere).rejects.toMatchObject({ code: 'forge.refused' });
    });
  });
});
