import { classifyWebhookAnswer, type Clock, signedMessage } from '@fairway/core';
import { postJson } from '@fairway/remote';
import type { Notifier } from '../../ports.ts';

const TIMEOUT_MS = 10_000;

/** Posts each message as signed JSON (docs/notifications.md). The URL is in no log and no error. */
export function webhookNotifier(url: string, secret: string, clock: Clock): Notifier {
  return {
    send: async (content) => {
      const { body, headers } = signedMessage(content, secret, clock.now());
      return classifyWebhookAnswer(await postJson(url, body, headers, TIMEOUT_MS), clock.now());
    },
  };
}
