import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { CHANNELS, notification } from '../shapes.ts';

export const notifications: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/notifications',
    operation: 'listNotifications',
    summary: 'What was sent to people and workflows, newest first',
    role: 'viewer',
    query: z.strictObject({ channel: z.enum(CHANNELS).optional() }),
    answers: {
      200: { about: 'The notifications', schema: z.strictObject({ notifications: z.array(notification) }) },
    },
    handle: async ({ query }, { outbox }) => ({
      status: 200,
      body: { notifications: await outbox.list(query.channel) },
    }),
  }),
];
