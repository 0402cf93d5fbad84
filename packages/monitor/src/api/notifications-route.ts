import { FairwayError } from '@fairway/core';
import { json, Router } from 'express';
import { z } from 'zod';
import type { NotificationStore } from '../ports/notify.ts';

const LIST_LENGTH = 200;

const STATES = ['pending', 'accepted', 'dead'] as const;
const resendBody = z.union([
  z.strictObject({ ids: z.array(z.string().min(1).max(200)).min(1).max(1000) }),
  z.strictObject({ all: z.literal(true) }),
]);

/** What people were told, and sending again what was given up, where its channel is one of these. */
export function notificationsRoute(
  store: Pick<NotificationStore, 'notifications' | 'resend'>,
  channels: readonly string[],
): Router {
  const routes = Router();
  routes.get('/notifications', async (request, response) => {
    const given = request.query['state'];
    const state = STATES.find((one) => one === given);
    if (given !== undefined && state === undefined)
      throw new FairwayError('input.invalid', `state must be one of ${STATES.join(', ')}.`);
    response.json({ notifications: await store.notifications(LIST_LENGTH, state) });
  });
  routes.post('/notifications/resend', json({ limit: '256kb' }), async (request, response) => {
    const body = resendBody.safeParse(request.body);
    if (!body.success)
      throw new FairwayError('input.invalid', 'Send {"ids": ["<delivery id>", …]} or {"all": true} as JSON.');
    response.json({ resent: await store.resend('ids' in body.data ? body.data.ids : undefined, channels) });
  });
  return routes;
}
