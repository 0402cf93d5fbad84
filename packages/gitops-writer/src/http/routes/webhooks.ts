import { FairwayError, sha256 } from '@fairway/core';
import { z } from 'zod';
import type { WebhookDoor } from '../context.ts';
import { type Route, route } from '../route.ts';
import { MIB } from './accept.ts';

const SENDERS = ['github', 'gitlab', 'gitea', 'forgejo'] as const;
type Sender = (typeof SENDERS)[number];

/** By which header a sender shows itself. Gitea and Forgejo also send GitHub's, so they come before it. */
const MARKS: ReadonlyArray<readonly [header: string, sender: Sender]> = [
  ['x-forgejo-event', 'forgejo'],
  ['x-gitea-event', 'gitea'],
  ['x-gitlab-event', 'gitlab'],
  ['x-github-event', 'github'],
];

export const webhooks: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/webhooks/{forge}',
    operation: 'takeWebhook',
    summary:
      "A delivery of the forge, verified by the forge's own signature: a hint to look again, never believed further",
    role: 'public',
    params: z.object({ forge: z.enum(SENDERS) }),
    body: { what: 'The delivery', limit: MIB, schema: 'raw' },
    answers: { 204: { about: 'Taken, or taken before' } },
    handle: async ({ params, body, headers }, { webhook, clock, wake, log }) => {
      checkSender(params.forge, headers, webhook.forge);
      const verdict = webhook.reader.read(body, headers, webhook.secrets, clock.now());
      if (verdict.kind === 'refused') {
        const mend = `The webhook is refused, ${verdict.reason}; give the forge the WEBHOOK_SECRET of the writer.`;
        throw new FairwayError('auth.refused', mend);
      }
      const { id, branches } = verdict;
      // Comments and labels, our own too, name no branch: were everything looked at, each would wake thousands of changes.
      if (branches.length === 0) return { status: 204 };
      // Most forges sign the body only: a stolen delivery could come again under another id.
      const marks = [`id ${id.slice(0, 200)}`, `body ${sha256(body)}`];
      const due = await webhook.deliveries.take(webhook.forge, marks, hintOf(branches, webhook));
      if (due === 'replayed') {
        log.info({ delivery: id }, 'a webhook delivery came again and was left alone');
        return { status: 204 };
      }
      log.debug({ branches, due: due.length }, 'webhook');
      await wake(due);
      return { status: 204 };
    },
  }),
];

const hintOf = (branches: readonly string[], { base }: WebhookDoor) => ({ branches, base: branches.includes(base) });

/** Gitea and Forgejo are one forge here: same API, same signature. */
const family = (forge: string): string => (forge === 'forgejo' ? 'gitea' : forge);

function checkSender(path: Sender, headers: Readonly<Record<string, string | undefined>>, forge: string): void {
  const sender = MARKS.find(([header]) => headers[header] !== undefined)?.[1] ?? path;
  const foreign = [path, sender].find((one) => family(one) !== family(forge));
  if (foreign === undefined) return;
  throw new FairwayError(
    'input.invalid',
    `This writer listens to ${forge} (FORGE), not to ${foreign}; let ${forge} deliver to /v1/webhooks/${forge}.`,
  );
}
