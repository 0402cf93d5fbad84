import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CardContent, silentLogger } from '@fairway/core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { telling } from '../../../packages/gitops-writer/src/app/outgoing.ts';
import type { StoredChange } from '../../../packages/gitops-writer/src/change.ts';
import { monitorNotifier } from '../../../packages/gitops-writer/src/notify/monitor/notifier.ts';
import type { Announcement } from '../../../packages/gitops-writer/src/ports.ts';
import { migrate as migrateWriter } from '../../../packages/gitops-writer/src/store/migrate.ts';
import { outbox, putOut } from '../../../packages/gitops-writer/src/store/outbox.ts';
import { transaction } from '../../../packages/gitops-writer/src/store/transaction.ts';
import { announcementsRoute } from '../../../packages/monitor/src/api/announcements-route.ts';
import { monitorApi } from '../../../packages/monitor/src/api/monitor-api.ts';
import { type PlanSettings, planNotifications } from '../../../packages/monitor/src/app/plan-notifications.ts';
import { sendDelivery } from '../../../packages/monitor/src/app/send.ts';
import type { Channel } from '../../../packages/monitor/src/ports/notify.ts';
import { checkStore } from '../../../packages/monitor/src/store/check-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { notificationStore } from '../../../packages/monitor/src/store/notification-store.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';

const TOKEN = 'the token of the monitor';
const CHANNELS: readonly Channel[] = ['teams', 'webhook', 'mail'];
const STAGES = ['approval', 'live', 'rejected', 'failed', 'rolled-back', 'retrain-merged', 'retrain-finished'];

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;
let servers: Server[];
beforeAll(async () => {
  database = await startPostgres();
  pool = openTestPool(database.url);
  await Promise.all([migrate(pool), migrateWriter(pool)]);
  servers = [true, false].map((hasChannels) =>
    createServer(
      monitorApi({
        store: { verdicts: async () => [] },
        dashboard: ((_request: unknown, _response: unknown, next: () => void) => next()) as never,
        routes: [announcementsRoute(checkStore(pool), hasChannels)],
        token: TOKEN,
        log: silentLogger,
      }),
    ).listen(0, '127.0.0.1'),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
});
afterAll(async () => {
  for (const server of servers) server.close();
  await pool.end();
  await database.stop();
});
beforeEach(async () => {
  await pool.query('truncate monitoring.outbox, monitoring.deliveries');
  await pool.query('truncate changes.changes, changes.outbox cascade');
  const insert = `insert into changes.changes
    (id, kind, model, version, environment, phase, branch, actor, evidence, history, created_at, updated_at)
    values ('c0ffee', 'deploy', 'loans', '1', 'prod', 'live', 'b', 'alice', '{}', '[]', now(), now())`;
  await pool.query(insert);
});

const urlOf = (server: Server | undefined) =>
  `http://127.0.0.1:${(server?.address() as AddressInfo | undefined)?.port}`;
const sender = (server = servers[0]) => monitorNotifier(urlOf(server), TOKEN, { now: () => 0 });
const change = { id: 'c0ffee', kind: 'retrain', model: 'loans', phase: 'proposed', history: [] };
const stored = { change, evidence: { kind: 'retrain' }, facts: {}, attempts: 0 } as unknown as StoredChange;
const tell = telling({ teams: false, monitor: true, answerVia: () => undefined });

/** The writer moves its change, and says so in the same transaction. */
const happen = (event: string) =>
  transaction(pool, (client) => {
    const links = [{ title: 'Pull request', url: 'https://forge.example.com/pulls/7' }];
    const notice = { event, title: `loans: ${event}`, text: 'Why.', facts: [], links, tone: 'good' as const };
    return putOut(client, 'c0ffee', tell(stored, notice));
  });
const leave = (announcement: Announcement) => sender().send(announcement);
const relay = (send = leave) => outbox(pool).relay('monitor', ({ content }) => send(content) as never);
const plan = (more: Partial<PlanSettings> = {}) => {
  const settings = {
    channels: CHANNELS,
    quiet: undefined,
    fleetModels: 5,
    gatherMs: 0,
    dashboardUrl: undefined,
    ...more,
  };
  return notificationStore(pool).plan((cards) => planNotifications(cards, settings, Date.now()));
};
async function drain(channel: Channel): Promise<CardContent[]> {
  const sent: CardContent[] = [];
  const send = async (content: CardContent) => (sent.push(content), { kind: 'accepted' as const });
  while (await sendDelivery(notificationStore(pool), channel, { send }, silentLogger)) continue;
  return sent;
}

it('tells every stage of a change on every channel once, in order, with writers killed at any moment', async () => {
  for (const event of STAGES) await happen(event);
  for (const event of STAGES) await happen(event);
  const killed = async (announcement: Announcement) => {
    await sender().send(announcement);
    throw new Error('killed');
  };
  for (const _ of STAGES) {
    await expect(relay(killed as never)).rejects.toThrow('killed');
    await plan();
    expect(await relay()).toBe(true);
  }
  expect(await relay()).toBe(false);
  await plan();
  for (const channel of CHANNELS) {
    const sent = await drain(channel);
    expect(sent.map(({ event }) => event)).toEqual(STAGES);
    expect(sent[0]).toMatchObject({ title: 'loans: approval', links: [{ url: 'https://forge.example.com/pulls/7' }] });
  }
});

it('keeps quiet hours for what the writer tells, but for exempt events', async () => {
  for (const event of ['approval', 'live', 'retrain-finished']) await happen(event);
  while (await relay()) continue;
  const hour = new Date().getUTCHours() * 60;
  const quiet = { from: hour, to: (hour + 120) % 1440, zone: 'UTC', exempt: ['alert', 'approval'] };
  await plan({ quiet, channels: ['mail'] });
  expect((await drain('mail')).map(({ event }) => event)).toEqual(['approval']);
  await pool.query("update monitoring.outbox set due_at = now() where state = 'pending'");
  await plan({ channels: ['mail'] });
  expect((await drain('mail')).map(({ title }) => title)).toEqual(['2 messages from the quiet hours']);
});

it('says where there is no channel, and refuses what is no announcement, with nothing kept', async () => {
  await happen('live');
  const told: unknown[] = [];
  await relay(async (content) => {
    const answer = await sender(servers[1]).send(content);
    told.push(answer);
    return answer;
  });
  expect(told).toEqual([{ kind: 'accepted', reason: 'The monitor has no channel to people, so nobody is told.' }]);
  const content = {
    event: 'live',
    title: 't',
    text: '',
    facts: [],
    links: [],
    tone: 'good',
    deliveryId: `d-${'0'.repeat(20)}`,
  };
  const send = (body: unknown, token = TOKEN) =>
    fetch(`${urlOf(servers[0])}/v1/announcements`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const bad = [
    {},
    { model: 'No Name', content },
    { model: 'loans', content: { ...content, deliveryId: 'card-0' } },
    { model: 'loans', content: { ...content, links: [{ title: 'x', url: 'javascript:alert(1)' }] } },
    { model: 'loans', content, to: ['mail'] },
  ];
  for (const body of bad) {
    const answer = await send(body);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('input.invalid')]);
  }
  expect((await send({ model: 'loans', content }, 'another')).status).toBe(401);
  expect((await pool.query('select 1 from monitoring.outbox')).rowCount).toBe(0);
});
