import { classifyWebhookAnswer, type Clock, signedMessage } from '@fairway/core';
import { postJson } from '@fairway/remote';
import type { Notifier } from '../../ports/notify.ts';

const TIMEOUT_MS = 10_000;

/** Where messages go and what signs them. */
export type WebhookSettings = { readonly url: string; readonly secret: string };

/** Posts each message as signed JSON (docs/notifications.md). The URL is in no log and no error. */
export function webhookNotifier({ url, secret }: WebhookSettings, clock: Clock, timeoutMs = TIMEOUT_MS): Notifier {
  return {
    send: async (content) => {
      const { body, headers } = signedMessage(content, secret, clock.now());
      return classifyWebhookAnswer(await postJson(url, body, headers, timeoutMs), clock.now());
    },
  };
}
