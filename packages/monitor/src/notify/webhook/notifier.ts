import {
  type CardAnswer,
  type CardContent,
  type Clock,
  type HttpAnswer,
  isWebPage,
  MESSAGE_HEADERS,
  retryOf,
  signMessage,
} from '@fairway/core';
import type { Notifier } from '../../notify-ports.ts';
import { postJson } from '../../post-json.ts';

const TIMEOUT_MS = 10_000;

/** Where messages go and what signs them. */
export type WebhookSettings = { readonly url: string; readonly secret: string };

/** Posts each message as signed JSON (docs/notifications.md). The URL is in no log and no error. */
export function webhookNotifier({ url, secret }: WebhookSettings, clock: Clock, timeoutMs = TIMEOUT_MS): Notifier {
  return {
    send: async (content) => {
      const body = bodyOf(content);
      const timestamp = String(Math.floor(clock.now() / 1000));
      const headers = {
        [MESSAGE_HEADERS.delivery]: content.deliveryId,
        [MESSAGE_HEADERS.event]: content.event,
        [MESSAGE_HEADERS.timestamp]: timestamp,
        [MESSAGE_HEADERS.signature]: signMessage(secret, timestamp, body),
      };
      return classify(await postJson(url, body, headers, timeoutMs), clock.now());
    },
  };
}

const bodyOf = ({ deliveryId, event, title, text, facts, links, tone }: CardContent): string =>
  JSON.stringify({ deliveryId, event, title, text, facts, links, tone });

function classify(answer: HttpAnswer, now: number): CardAnswer {
  const temporary = retryOf('The webhook', answer, now);
  if (temporary !== undefined) return temporary;
  const { status, body } = answer;
  if (status === undefined || status < 200 || status >= 300) {
    const mend =
      status === 401 || status === 403
        ? 'check that both sides have the same NOTIFY_WEBHOOK_SECRET'
        : 'check NOTIFY_WEBHOOK_URL, and what its receiver takes';
    return { kind: 'dead', reason: `The webhook answered ${status}, which no retry will mend: ${mend}.` };
  }
  if (!isWebPage(body)) return { kind: 'accepted' };
  return {
    kind: 'dead',
    reason: `NOTIFY_WEBHOOK_URL answered with a web page (${status}), as a sign-in page or a proxy does: check the address.`,
  };
}
