import type { CardAnswer, CardContent } from '@fairway/core';
import { silentLogger } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it, test } from 'vitest';
import { type PlanSettings, planNotifications } from '../../../packages/monitor/src/app/plan-notifications.ts';
import { sendDelivery } from '../../../packages/monitor/src/app/send.ts';
import type { Channel } from '../../../packages/monitor/src/ports/notify.ts';
import { notificationStore } from '../../../packages/monitor/src/store/notification-store.ts';
import { type Monitoring, startMonitoring } from '../monitor/database.ts';

let database: Monitoring;
let pool: Pool;
beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
beforeEach(() => pool.query('truncate monitoring.outbox, monitoring.deliveries'));

const settings: PlanSettings = {
  channels: ['teams', 'webhook', 'mail'],
  quiet: undefined,
  fleetModels: 5,
  gatherMs: 0,
  dashboardUrl: undefined,
};
const content = (id: string, event: string): CardContent => ({
  event,
  title: `${id} ${event}`,
  text: '',
  facts: [],
  links: [],
  deliveryId: id,
  tone: 'attention',
});
/** Happens: an event in the outbox, as a verdict's transaction leaves it there. */
const happen = (id: string, event = 'alert') =>
  pool.query(
    `insert into monitoring.outbox (delivery_id, kind, event, title, model, version, environment, payload)
     values ($1, 'card', $2, $3, $1, '1', 'prod', $4)`,
    [id, event, `${id} ${event}`, JSON.stringify({ content: content(id, event) })],
  );
const plan = (more: Partial<PlanSettings> = {}, now = Date.parse('2026-01-10T12:00:00Z')) =>
  notificationStore(pool).plan((cards) => planNotifications(cards, { ...settings, ...more }, now));

/** Sends what is due on a channel until nothing is, each answered as told; 202 when nothing is told. */
async function drain(channel: Channel, answers: CardAnswer[] = []): Promise<string[]> {
  const sent: string[] = [];
  const send = async ({ deliveryId }: CardContent) => {
    sent.push(deliveryId);
    return answers.shift() ?? { kind: 'accepted' as const };
  };
  while (await sendDelivery(notificationStore(pool), channel, { send }, silentLogger)) continue;
  return sent;
}
const states = async () =>
  Object.fromEntries(
    (await notificationStore(pool).notifications(100)).map(({ deliveryId, state }) => [deliveryId, state]),
  );

it('gives an event to each channel once, however many monitors plan, however often', async () => {
  await happen('one');
  await happen('two', 'recovered');
  const plans = await Promise.all(Array.from({ length: 4 }, () => plan()));
  expect(plans.reduce((a, b) => a + b)).toBe(6);
  expect(await plan()).toBe(0);
  const sent = await Promise.all([drain('teams'), drain('teams'), drain('webhook'), drain('mail')]);
  expect(sent.flat().toSorted()).toEqual(['one', 'one-mail', 'one-webhook', 'two', 'two-mail', 'two-webhook']);
});

it('lets no dead or slow channel repeat or hold up another', async () => {
  await happen('one');
  await plan();
  expect(await drain('teams', [{ kind: 'dead', reason: 'The flow is gone (404).' }])).toEqual(['one']);
  expect(await drain('webhook', [{ kind: 'retry', afterMs: 3_600_000, reason: '429' }])).toEqual(['one-webhook']);
  expect(await drain('mail')).toEqual(['one-mail']);
  expect(await states()).toEqual({ one: 'dead', 'one-webhook': 'pending', 'one-mail': 'accepted' });
});

it('asks a channel for nothing more while its Retry-After lasts', async () => {
  await happen('one');
  await happen('two');
  await plan({ channels: ['webhook'] });
  expect(await drain('webhook', [{ kind: 'retry', afterMs: 3_600_000, reason: '429' }])).toHaveLength(1);
  expect(await states()).toEqual({ 'one-webhook': 'pending', 'two-webhook': 'pending' });
});

it('keeps a delivery whose sender was killed, and sends it again under its id', async () => {
  await happen('one');
  await plan({ channels: ['teams'] });
  const store = notificationStore(pool);
  await expect(store.attempt('teams', () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
  expect(await states()).toEqual({ one: 'pending' });
  expect(await drain('teams')).toEqual(['one']);
});

it('plans again when the planner was killed, with the same ids', async () => {
  for (let i = 0; i < 7; i += 1) await happen(`model-${i}`);
  const killed = notificationStore(pool).plan(() => {
    throw new Error('killed');
  });
  await expect(killed).rejects.toThrow('killed');
  expect(await plan({ channels: ['teams'] })).toBe(1);
  const [only] = await notificationStore(pool).notifications(10);
  expect(only).toMatchObject({ event: 'fleet-alert', title: '7 models no longer perform as approved' });
});

it('holds messages over quiet hours, says so, and sends one digest after', async () => {
  const quiet = { from: 0, to: 23 * 60 + 59, zone: 'UTC', exempt: ['alert'] };
  await happen('urgent');
  await happen('one', 'recovered');
  await happen('two', 'recovered');
  const tomorrowNoon = (Math.floor(Date.now() / 86_400_000) + 1.5) * 86_400_000;
  expect(await plan({ quiet, channels: ['teams'] }, tomorrowNoon)).toBe(1);
  const held = (await notificationStore(pool).notifications(10, 'pending')).filter(({ channel }) => channel === 'all');
  expect(held.map(({ deliveryId }) => deliveryId).toSorted()).toEqual(['one', 'two']);
  expect(held[0]?.reason).toContain('Quiet hours until');
  await pool.query("update monitoring.outbox set due_at = now() where state = 'pending'");
  expect(await plan({ channels: ['teams'] })).toBe(1);
  const sent = await drain('teams');
  expect([sent[0], sent[1]?.startsWith('digest-'), sent.length]).toEqual(['urgent', true, 2]);
  const digest = (await notificationStore(pool).notifications(10)).find(({ event }) => event === 'digest');
  expect(digest?.title).toBe('2 messages from the quiet hours');
});

it('shows dead letters, counts them, and sends them again on request', async () => {
  await happen('one');
  await happen('two');
  await plan({ channels: ['teams', 'mail'] });
  const dead = { kind: 'dead', reason: 'The flow is gone (404).' } as const;
  await drain('teams', [dead, dead]);
  await drain('mail');
  const store = notificationStore(pool);
  const listed = await store.notifications(10, 'dead');
  expect(listed.map(({ deliveryId }) => deliveryId).toSorted()).toEqual(['one', 'two']);
  expect(listed[0]).toMatchObject({ channel: 'teams', attempts: 1, reason: 'The flow is gone (404).' });
  expect(await store.figures()).toEqual([
    { channel: 'mail', states: { pending: 0, accepted: 2, dead: 0 }, lastAccepted: expect.any(Number) },
    { channel: 'teams', states: { pending: 0, accepted: 0, dead: 2 }, lastAccepted: undefined },
  ]);
  expect(await store.resend(['one', 'one-mail', 'nobody'], settings.channels)).toEqual(['one']);
  expect(await drain('teams')).toEqual(['one']);
  expect(await store.resend(undefined, settings.channels)).toEqual(['two']);
  expect(await drain('teams')).toEqual(['two']);
  expect(await store.resend(undefined, settings.channels)).toEqual([]);
});

it('keeps what is meant for a name that is no channel as given up, and sends it once the channel is there', async () => {
  await happen('one');
  const to = JSON.stringify({ content: content('one', 'alert'), to: ['webhook', 'teams'] });
  await pool.query('update monitoring.outbox set payload = $1', [to]);
  await plan({ channels: ['webhook'] });
  const store = notificationStore(pool);
  expect(await drain('webhook')).toEqual(['one-webhook']);
  const [dead, ...more] = await store.notifications(10, 'dead');
  expect([dead?.deliveryId, dead?.channel, dead?.attempts, more]).toEqual(['one-teams', 'teams', 0, []]);
  expect(dead?.reason).toMatch(/^The policy names teams, which is no channel of this monitor: it has webhook\./);
  expect(await store.figures()).toMatchObject([{ channel: 'teams', states: { dead: 1 } }, { channel: 'webhook' }]);
  // Nobody would carry it out: it stays given up, where it is seen.
  expect(await store.resend(undefined, ['webhook'])).toEqual([]);
  expect(await store.resend(undefined, ['webhook', 'teams'])).toEqual(['one-teams']);
  expect(await drain('teams')).toEqual(['one-teams']);
});

test('a message that a channel has not taken for a day is given up, and a resent one has its day again', async () => {
  await happen('one');
  await plan({ channels: ['teams'] });
  await pool.query("update monitoring.deliveries set queued_at = now() - interval '25 hours'");
  const busy = { kind: 'retry', reason: 'Teams answered 429.' } as const;
  await drain('teams', [busy]);
  expect(await notificationStore(pool).notifications(1)).toMatchObject([
    { state: 'dead', reason: 'Teams answered 429. Given up after 25 h.' },
  ]);
  await notificationStore(pool).resend(['one'], settings.channels);
  await drain('teams', [busy]);
  expect(await states()).toEqual({ one: 'pending' });
});
