import { checkName, FairwayError } from '@fairway/core';
import { json, Router } from 'express';
import { z } from 'zod';
import type { CardPayload } from '../app/announce.ts';
import type { CheckStore } from '../ports/notify.ts';

const line = z.string().max(20_000);
const fact = z.strictObject({ title: line, value: line });
const link = z.strictObject({ title: line, url: z.url({ protocol: /^https?$/ }).max(2_000) });
const announcement = z.strictObject({
  model: z.string(),
  content: z.strictObject({
    event: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
    title: line.min(1),
    text: z.string().max(100_000),
    facts: z.array(fact).max(100),
    links: z.array(link).max(20),
    tone: z.enum(['default', 'accent', 'good', 'warning', 'attention']),
    // The writer's; the monitor's own begin otherwise.
    deliveryId: z.string().regex(/^d-[0-9a-f]{20}$/),
  }),
});

/**
 * `POST /v1/announcements` `{model, content}`: what the writer has to tell, on every channel and with the quiet hours of this
 * service. The same delivery id is kept once, however often it comes. Answers `{kept}`; false where there is no channel.
 */
export function announcementsRoute(store: Pick<CheckStore, 'add'>, hasChannels: boolean): Router {
  const router = Router();
  router.post('/announcements', json({ limit: '256kb' }), async (request, response) => {
    const given = announcement.safeParse(request.body);
    if (!given.success) {
      const [issue] = given.error.issues;
      const what = `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not as expected'}`;
      throw new FairwayError('input.invalid', `Send {model, content} as the writer does; ${what}.`);
    }
    const { content } = given.data;
    const model = checkName('Model', given.data.model);
    const { deliveryId, event, title } = content;
    const payload: CardPayload = { content };
    const url = content.links[0]?.url;
    const item = { kind: 'card', deliveryId, event, title, model, version: '', environment: '', payload } as const;
    if (hasChannels) await store.add([url === undefined ? item : { ...item, link: url }]);
    response.json({ kept: hasChannels });
  });
  return router;
}
