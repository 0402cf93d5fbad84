import { createServer, type Server } from 'node:http';
import { silentLogger } from '@fairway/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { monitorApi } from '../../../packages/monitor/src/api/monitor-api.ts';
import { notificationsRoute } from '../../../packages/monitor/src/api/notifications-route.ts';
import type { Notification } from '../../../packages/monitor/src/ports/notify.ts';

const one: Notification = {
  deliveryId: 'card-1',
  channel: 'teams',
  event: 'alert',
  title: 't',
  at: '2026-01-01T00:00:00.000Z',
  state: 'dead',
  attempts: 1,
};
let asked: unknown[];
let server: Server;
let url: string;
beforeEach(async () => {
  asked = [];
  const store = {
    notifications: async (limit: number, state?: string) => (asked.push([limit, state]), [one]),
    resend: async (...given: unknown[]) => (asked.push(given), ['card-1']),
  };
  const app = monitorApi({
    store: { verdicts: async () => [] },
    dashboard: notificationsRoute(store, ['teams']),
    routes: [notificationsRoute(store, ['teams'])],
    token: 'the token',
    log: silentLogger,
  });
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/notifications`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const call = async (path: string, body?: unknown, token = 'the token') => {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}${path}`, { ...init, headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

it('lists, all or by state, and resends by id or all, with the token alone', async () => {
  expect(await call('')).toEqual({ status: 200, body: { notifications: [one] } });
  expect((await call('?state=dead')).status).toBe(200);
  expect(await call('/resend', { ids: ['card-1'] })).toEqual({ status: 200, body: { resent: ['card-1'] } });
  expect((await call('/resend', { all: true })).status).toBe(200);
  expect(asked).toEqual([
    [200, undefined],
    [200, 'dead'],
    [['card-1'], ['teams']],
    [undefined, ['teams']],
  ]);
  expect((await call('/resend', { all: true }, 'another')).status).toBe(401);
});

it.each([[{}], [{ ids: [] }], [{ all: false }], [{ ids: ['x'], all: true }], [['card-1']]])(
  'refuses %j in a sentence',
  async (body) => {
    const answer = await call('/resend', body);
    expect([answer.status, answer.body['detail']]).toEqual([400, expect.stringContaining('delivery id')]);
    expect(asked).toEqual([]);
  },
);

it('refuses a state that is none', async () => {
  expect((await call('?state=lost')).status).toBe(400);
});
