import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { CHANNELS, notification } from '../shapes.ts';

const STATES = ['pending', 'accepted', 'dead'] as const;

export const notifications: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/notifications',
    operation: 'listNotifications',
    summary: 'What was sent to people and workflows, newest first',
    role: 'viewer',
    query: z.strictObject({ channel: z.enum(CHANNELS).optional(), state: z.enum(STATES).optional() }),
    answers: {
      200: { about: 'The notifications', schema: z.strictObject({ notifications: z.array(notification) }) },
    },
    handle: async ({ query }, { outbox }) => ({
      status: 200,
      body: { notifications: await outbox.list(query.channel, query.state) },
    }),
  }),
  route({
    method: 'post',
    path: '/v1/notifications/resend',
    operation: 'resendNotifications',
    summary: 'Sends again what was given up, under its delivery id',
    role: 'admin',
    body: {
      what: 'The request',
      limit: 262_144,
      schema: z.union([
        z.strictObject({ ids: z.array(z.string().min(1).max(200)).min(1).max(1000) }),
        z.strictObject({ all: z.literal(true) }),
      ]),
    },
    answers: {
      200: { about: 'The ids that are sent again', schema: z.strictObject({ resent: z.array(z.string()) }) },
    },
    handle: async ({ body, caller }, { outbox, log }) => {
      const resent = await outbox.resend('ids' in body ? body.ids : undefined);
      log.info({ credential: caller.name, count: resent.length }, 'notifications are sent again');
      return { status: 200, body: { resent } };
    },
  }),
];
