import { buildCard, type CardContent } from '@fairway/core';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type StackProcess, startStackProcess } from '../../harness/stack-process.ts';

type Kept = {
  title: string;
  event: string;
  deliveryId: string;
  valid: boolean;
  problems: string[];
  seen: number;
  at: string;
};

let dir: string;
let cards: StackProcess;
const start = () => startStackProcess('cards', { DATA_DIR: join(dir, 'cards'), CARDS_SIG: 'the-secret' });

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway cards '));
  cards = await start();
});
afterEach(async () => {
  await cards.stop();
  rmSync(dir, { recursive: true, force: true });
});

const at = (path: string) => `http://127.0.0.1:${cards.port}${path}`;
const post = (body: string, sig = 'the-secret') =>
  fetch(at(`/workflows/abc/triggers/manual/paths/invoke?api-version=1&sp=x&sv=1.0&sig=${sig}`), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
const kept = async () => ((await (await fetch(at('/cards'))).json()) as { cards: Kept[] }).cards;
const message = (extra: Partial<CardContent> = {}) =>
  JSON.stringify(
    buildCard({
      event: 'drift.alert',
      title: 'home_equity <b>decays</b>',
      text: 'KS fell.',
      facts: [{ title: 'KS', value: '0.41' }],
      links: [{ title: 'Pull request', url: 'https://forge.example/pulls/7' }],
      deliveryId: 'alert_1',
      tone: 'attention',
      ...extra,
    }),
  );

it('takes a card, says 202 with nothing, and shows it', async () => {
  const answer = await post(message());
  expect([answer.status, await answer.text()]).toEqual([202, '']);
  expect(await kept()).toMatchObject([
    {
      title: 'home_equity <b>decays</b>',
      event: 'drift.alert',
      deliveryId: 'alert_1',
      valid: true,
      problems: [],
      seen: 1,
    },
  ]);
  const page = await fetch(at('/'));
  const shown = await page.text();
  expect(shown).toContain('home_equity &lt;b&gt;decays&lt;/b&gt;');
  expect(shown).toContain('href="https://forge.example/pulls/7"');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
});

it('refuses a wrong signature and what is no JSON, and keeps neither', async () => {
  expect((await post(message(), 'wrong')).status).toBe(401);
  expect((await post('not json')).status).toBe(400);
  expect((await post('x'.repeat(300_000))).status).toBe(413);
  expect((await fetch(at('/none'))).status).toBe(404);
  expect(await kept()).toEqual([]);
});

it('accepts what the flow will fail on, as Teams does, and says why', async () => {
  expect((await post('{"text":"MessageCard of old"}')).status).toBe(202);
  const long = JSON.parse(message()) as { attachments: [{ content: { fallbackText?: string } }] };
  long.attachments[0].content.fallbackText = 'x'.repeat(24_000);
  expect((await post(JSON.stringify(long))).status).toBe(202);
  const [first, second] = await kept();
  expect(first).toMatchObject({ valid: false, title: '' });
  expect(second).toMatchObject({ valid: false, problems: [expect.stringContaining('lost in the flow')] });
});

it('keeps a delivery once, however often it is posted', async () => {
  for (let i = 0; i < 3; i += 1) await post(message());
  await post(message({ deliveryId: 'alert_2' }));
  expect((await kept()).map(({ deliveryId, seen }) => [deliveryId, seen])).toEqual([
    ['alert_1', 3],
    ['alert_2', 1],
  ]);
});

it('has all accepted cards after a kill, also when a line was cut short', async () => {
  await post(message());
  await post(message());
  const before = await kept();
  await cards.kill();
  appendFileSync(join(dir, 'cards', 'cards.jsonl'), '{"at":"2026-11-');
  cards = await start();
  expect(await kept()).toEqual(before);
  await post(message({ deliveryId: 'alert_2' }));
  await cards.kill();
  cards = await start();
  expect((await kept()).map(({ seen }) => seen)).toEqual([2, 1]);
});

it('is healthy, ready and measured', async () => {
  await post(message());
  expect((await fetch(at('/healthz'))).status).toBe(200);
  expect((await fetch(at('/readyz'))).status).toBe(200);
  const metrics = await (await fetch(at('/metrics'))).text();
  expect(metrics).toContain('cards_received_total{valid="true"} 1');
  expect(metrics).toContain('cards_kept 1');
});
