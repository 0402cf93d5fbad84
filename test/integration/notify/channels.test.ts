import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CardContent, signMessage } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { loadIdentity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';
import { teamsNotifier as writersTeams } from '../../../packages/gitops-writer/src/notify/teams/notifier.ts';
import { webhookNotifier as writersWebhook } from '../../../packages/gitops-writer/src/notify/webhook/notifier.ts';
import { type MailSettings, mailNotifier } from '../../../packages/monitor/src/notify/mail/notifier.ts';
import { teamsNotifier } from '../../../packages/monitor/src/notify/teams/notifier.ts';
import { webhookNotifier } from '../../../packages/monitor/src/notify/webhook/notifier.ts';
import { type FakeChannel, startFakeChannel } from '../../harness/fake-channel.ts';
import { type SmtpServer, startSmtpServer } from '../../harness/smtp-server.ts';

const clock = { now: () => Date.parse('2026-11-22T10:00:00Z') };
const content: CardContent = {
  event: 'alert',
  title: 'home_equity no longer performs as approved',
  text: 'AUC is 0.61.\nKünftig: KS & lift.',
  facts: [{ title: 'AUC', value: '0.610' }],
  links: [{ title: 'Open the dashboard', url: 'https://dash.example/models/home_equity' }],
  deliveryId: 'card-1',
  tone: 'attention',
};
/** As much text and as many facts as fit on no card. */
const huge: CardContent = {
  ...content,
  text: '漢'.repeat(9_000),
  facts: Array.from({ length: 2_000 }, (_, i) => ({ title: `F${i}`, value: '🚢'.repeat(300) })),
};

let channel: FakeChannel;
beforeEach(async () => {
  channel = await startFakeChannel();
});
afterEach(() => channel.stop());

describe.each([
  ['the monitor', teamsNotifier],
  ['the writer', writersTeams],
])('%s posts to Teams', (_, notifierOf) => {
  const send = (message: CardContent) => notifierOf(channel.url, clock).send(message);

  it('a card of any length, which the flow posts after its 202', async () => {
    expect(await send(content)).toEqual({ kind: 'accepted' });
    expect(await send(huge)).toEqual({ kind: 'accepted' });
    expect(channel.cards.map(({ deliveryId }) => deliveryId)).toEqual(['card-1', 'card-1']);
    expect(channel.lost).toEqual([]);
  });

  it.each([400, 401, 403, 404, 410, 422])('%d is final, and was asked once', async (status) => {
    channel.answers.push({ status });
    expect(await send(content)).toMatchObject({ kind: 'dead', reason: expect.stringContaining(String(status)) });
    expect(channel.requests).toHaveLength(1);
  });

  it('413 is answered with the same delivery in few words, once', async () => {
    channel.answers.push({ status: 413 });
    expect(await send(huge)).toEqual({ kind: 'accepted' });
    expect(channel.requests).toHaveLength(2);
    expect(channel.requests[1]?.body.length).toBeLessThan(5_000);
    expect(channel.cards.map(({ deliveryId }) => deliveryId)).toEqual(['card-1']);
    channel.answers.push({ status: 413 }, { status: 413 });
    expect(await send(huge)).toMatchObject({ kind: 'dead' });
    expect(channel.requests).toHaveLength(4);
  });

  it.each([
    [
      { status: 429, retryAfter: '17' },
      { reason: 'Teams answered 429.', afterMs: 17_000 },
    ],
    [
      { status: 503, retryAfter: 'Sun, 22 Nov 2026 10:01:00 GMT' },
      { reason: 'Teams answered 503.', afterMs: 60_000 },
    ],
    [{ status: 408 }, { reason: 'Teams answered 408.' }],
    [{ status: 500 }, { reason: 'Teams answered 500.' }],
    [{ without: 'close' } as const, { reason: expect.stringMatching(/^Teams does not answer \([A-Z_]+\)\.$/) }],
  ])('%j is tried again, by somebody else', async (answer, expected) => {
    channel.answers.push(answer);
    expect(await send(content)).toEqual({ kind: 'retry', ...expected });
    expect(channel.requests).toHaveLength(1);
  });

  it('a web page is no workflow, whatever its status says, and however long it is', async () => {
    channel.answers.push({
      status: 200,
      contentType: 'text/html',
      body: `<!doctype html><title>Sign in</title>${'x'.repeat(3_000_000)}`,
    });
    const answer = await send(content);
    expect(answer).toMatchObject({ kind: 'dead', reason: expect.stringContaining('web page') });
    expect(JSON.stringify(answer)).not.toContain('sig=');
  });

  it('a host that is not there is tried again, and its URL is in nothing', async () => {
    const gone = channel.url;
    await channel.stop();
    const answer = await notifierOf(gone, clock).send(content);
    expect(answer).toMatchObject({ kind: 'retry', reason: expect.stringContaining('ECONNREFUSED') });
    expect(JSON.stringify(answer)).not.toContain('workflows');
    channel = await startFakeChannel();
  });
});

test('the flow drops what grows beyond 28,672 bytes, after its 202: the fake does so too', async () => {
  const bare = JSON.parse(JSON.stringify({ type: 'message', attachments: [] })) as { attachments: unknown[] };
  const card = { type: 'AdaptiveCard', version: '1.4', body: [{ type: 'TextBlock', text: 'x'.repeat(24_000) }] };
  bare.attachments.push({ contentType: 'application/vnd.microsoft.card.adaptive', content: card });
  const answer = await fetch(channel.url, { method: 'POST', body: JSON.stringify(bare) });
  expect([answer.status, channel.cards, channel.lost.length]).toEqual([202, [], 1]);
});

test('a Teams URL that never answers is given up in the end, and tried again', async () => {
  channel.answers.push({ without: 'hang' });
  expect(await teamsNotifier(channel.url, clock, 200).send(content)).toEqual({
    kind: 'retry',
    reason: 'Teams does not answer (no answer within 0.2 s).',
  });
});

const secret = 'a secret of some length';
describe.each([
  ['the monitor', () => webhookNotifier({ url: channel.url, secret }, clock)],
  ['the writer', () => writersWebhook(channel.url, secret, clock)],
])('the signed webhook of %s', (_, notifierOf) => {
  const send = () => notifierOf().send(content);

  it('carries the message, its delivery id, and a signature that its receiver can check', async () => {
    channel.answers.push({ status: 204 });
    expect(await send()).toEqual({ kind: 'accepted' });
    const [request] = channel.requests;
    const headers = request?.headers ?? {};
    expect(JSON.parse(request?.body ?? '')).toEqual(content);
    expect(headers['x-fairway-delivery']).toBe('card-1');
    expect(headers['x-fairway-event']).toBe('alert');
    expect(headers['x-fairway-timestamp']).toBe('1795341600');
    expect(headers['x-fairway-signature']).toBe(signMessage(secret, '1795341600', request?.body ?? ''));
  });

  it.each([
    [
      { status: 429, retryAfter: '3' },
      { kind: 'retry', afterMs: 3_000, reason: 'The webhook answered 429.' },
    ],
    [{ status: 502 }, { kind: 'retry', reason: 'The webhook answered 502.' }],
    [{ status: 401 }, { kind: 'dead', reason: expect.stringContaining('NOTIFY_WEBHOOK_SECRET') }],
    [{ status: 302 }, { kind: 'dead', reason: expect.stringContaining('302') }],
    [
      { status: 200, body: '<html>' },
      { kind: 'dead', reason: expect.stringContaining('web page') },
    ],
    [{ status: 200, body: '{"ok":true}' }, { kind: 'accepted' }],
    [{ without: 'close' } as const, { kind: 'retry' }],
  ])('%j', async (answer, expected) => {
    channel.answers.push(answer);
    expect(await send()).toMatchObject(expected);
    expect(channel.requests).toHaveLength(1);
  });
});

describe('mail', () => {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-mail-'));
  const { key, certificate } = loadIdentity(dir, ['127.0.0.1', 'localhost'], Date.now());
  rmSync(dir, { recursive: true });
  const login = { user: 'fairway', password: 'a password' };
  const servers: SmtpServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (options: Parameters<typeof startSmtpServer>[0] = {}) => {
    const server = await startSmtpServer(options);
    servers.push(server);
    return server;
  };
  const settings = (port: number, more: Partial<MailSettings> = {}): MailSettings => ({
    host: '127.0.0.1',
    port,
    security: 'starttls',
    ca: certificate,
    login,
    from: 'fairway@bank.example',
    to: ['ops@bank.example', 'risk@bank.example'],
    ...more,
  });

  it('goes over STARTTLS with a login, as text and HTML, under an id that a repetition has again', async () => {
    const server = await start({ tls: { key, cert: certificate }, login });
    const notifier = mailNotifier(settings(server.port));
    expect(await notifier.send(content)).toEqual({ kind: 'accepted' });
    expect(await notifier.send(content)).toEqual({ kind: 'accepted' });
    const [first, second] = server.mails;
    expect(first).toMatchObject({
      from: 'fairway@bank.example',
      to: ['ops@bank.example', 'risk@bank.example'],
      secure: true,
      user: 'fairway',
    });
    expect(first?.data).toContain('Subject: [Fairway] home_equity no longer performs as approved');
    expect(first?.data).toContain('Content-Type: multipart/alternative');
    expect(first?.data).toContain('text/plain');
    expect(first?.data).toContain('text/html');
    expect(first?.data).toContain('X-Fairway-Delivery: card-1');
    const id = (data = '') => /^Message-ID: (.*)$/im.exec(data)?.[1]?.trim();
    expect(id(first?.data)).toMatch(/^<[0-9a-f]{32}@bank\.example>$/);
    expect(id(second?.data)).toBe(id(first?.data));
  });

  it('never speaks in the clear where STARTTLS is wanted, nor to a stranger', async () => {
    const plain = await start({ login });
    expect(await mailNotifier(settings(plain.port)).send(content)).toMatchObject({ kind: 'retry' });
    const stranger = await start({ tls: { key, cert: certificate }, login });
    expect(await mailNotifier(settings(stranger.port, { ca: undefined })).send(content)).toMatchObject({
      kind: 'retry',
    });
    expect([plain.mails, stranger.mails]).toEqual([[], []]);
  });

  it('tells what passes from what does not, without the password', async () => {
    const server = await start({ tls: { key, cert: certificate }, login });
    const wrong = mailNotifier(settings(server.port, { login: { user: 'fairway', password: 'not the password' } }));
    const refused = await wrong.send(content);
    expect(refused).toMatchObject({ kind: 'dead', reason: expect.stringContaining('SMTP_USER and SMTP_PASSWORD') });
    expect(JSON.stringify(refused)).not.toContain('not the password');
    const notifier = mailNotifier(settings(server.port));
    server.answers['DATA'] = ['451 4.3.0 later'];
    expect(await notifier.send(content)).toMatchObject({ kind: 'retry', reason: expect.stringContaining('451') });
    server.answers['RCPT'] = ['550 5.1.1 nobody', '550 5.1.1 nobody'];
    expect(await notifier.send(content)).toMatchObject({ kind: 'dead', reason: expect.stringContaining('MAIL_TO') });
    server.answers['RCPT'] = ['550 5.1.1 nobody'];
    expect(await notifier.send(content)).toEqual({
      kind: 'accepted',
      reason: 'The mail server refused 1 of 2 recipients.',
    });
    expect(server.mails.map(({ to }) => to)).toEqual([['risk@bank.example']]);
  });

  it('does not wait for ever', async () => {
    const server = await start({ silent: true });
    expect(await mailNotifier(settings(server.port), 300).send(content)).toMatchObject({ kind: 'retry' });
  });
});
