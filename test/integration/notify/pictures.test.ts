import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCard } from '@fairway/core';
import { afterAll, describe, expect, it } from 'vitest';
import { checkMessage } from '../../../packages/cli/src/stack/cards/validate.ts';
import { mailHtml } from '../../../packages/monitor/src/notify/mail/mail.ts';
import { browser, cardHtml, picture } from '../../harness/card-picture.ts';
import { CARDS } from './sample-cards.ts';

const dir = mkdtempSync(join(tmpdir(), 'fairway-pictures-'));
const kept = process.env['FAIRWAY_PICTURES'];
afterAll(() => {
  if (kept === undefined) rmSync(dir, { recursive: true, force: true });
});

describe.each(Object.entries(CARDS))('the card %s', (_, content) => {
  const message = buildCard(content);

  it('follows the rules of Adaptive Cards 1.4 in Teams', () => {
    const text = JSON.stringify(message);
    expect(checkMessage(JSON.parse(text), Buffer.byteLength(text)).problems).toEqual([]);
  });
});

// Whoever wants to look sets FAIRWAY_PICTURES to a folder that stays. One page, because a browser takes long to start.
it.skipIf(browser === undefined)(
  'all of them can be drawn, on cards and in mails (skipped where no browser is)',
  async () => {
    const pages = Object.values(CARDS).flatMap((content) => [cardHtml(buildCard(content)), mailHtml(content)]);
    const halves = pages.map(
      (page) => `<div style="display:inline-block;vertical-align:top;width:640px">${page}</div>`,
    );
    const file = await picture(`<!doctype html><meta charset="utf-8">${halves.join('')}`, kept ?? dir, 'cards', 4_000);
    const png = readFileSync(file);
    expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(png.length).toBeGreaterThan(20_000);
  },
);
