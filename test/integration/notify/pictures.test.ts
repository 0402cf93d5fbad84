import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCard, type CardContent } from '@fairway/core';
import { afterAll, describe, expect, it } from 'vitest';
import { checkMessage } from '../../../packages/cli/src/stack/cards/validate.ts';
import { planNotifications } from '../../../packages/monitor/src/app/plan-notifications.ts';
import type { PendingCard } from '../../../packages/monitor/src/notify-ports.ts';
import { mailHtml } from '../../../packages/monitor/src/notify/mail/mail.ts';
import { browser, cardHtml, picture } from '../../harness/card-picture.ts';

const alert: CardContent = {
  event: 'alert',
  title: 'home_equity no longer performs as approved (2025Q3, prod)',
  text: 'AUC is 0.612: it lost 23.4 % against its baseline, limit 10.0 % (1,200 rows).\nPSI of DEBTINC is 0.412, limit 0.100 (1,200 rows; chance alone reaches 0.021).',
  facts: [
    { title: 'Model', value: 'home_equity, version 3' },
    { title: 'Window', value: '2025-07-01 to 2025-10-01 UTC' },
    { title: 'Predictions', value: '1,200, 98 % labelled' },
    { title: 'AUC', value: '0.612 (95 % interval 0.571 to 0.653)' },
    { title: 'Largest PSI', value: '0.412 (DEBTINC)' },
    { title: 'Policy', value: 'b10b5f3e9a1c' },
  ],
  links: [{ title: 'Open the dashboard', url: 'https://dash.example/models/home_equity' }],
  deliveryId: 'card-0f3a9c7e51b2d84410aa',
  tone: 'attention',
};
const pending = (n: number, held: boolean): PendingCard => ({
  id: `card-${n}`,
  event: held ? 'recovered' : 'alert',
  title: `credit-risk-model-${n} ${held ? 'performs well again' : 'no longer performs as approved'} (2025Q3, prod)`,
  model: `credit-risk-model-${n}`,
  content: { ...alert, deliveryId: `card-${n}`, tone: held ? 'good' : 'attention' },
  to: undefined,
  link: undefined,
  ageMs: 10_000,
  held,
});
const gathered = (n: number, held: boolean): CardContent => {
  const cards = Array.from({ length: n }, (_, i) => pending(i, held));
  const settings = { channels: ['teams'], quiet: undefined, fleetModels: 5, gatherMs: 0 } as const;
  const [only] = planNotifications(cards, { ...settings, dashboardUrl: 'https://dash.example' }, 0).deliveries;
  return only?.content ?? alert;
};
const CARDS: Record<string, CardContent> = {
  alert,
  recovered: {
    ...alert,
    event: 'recovered',
    title: 'home_equity performs well again (2025Q4, prod)',
    text: 'All rules of the policy hold.',
    tone: 'good',
  },
  fleet: gathered(400, false),
  digest: gathered(8, true),
  hostile: {
    ...alert,
    title: '*bold* <at>Everyone</at> [click](https://evil.example) '.repeat(5),
    text: 'x'.repeat(5_000),
  },
};

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
