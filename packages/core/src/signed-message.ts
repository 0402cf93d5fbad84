import { createHmac } from 'node:crypto';
import { type CardAnswer, type CardContent, type HttpAnswer, isWebPage, retryOf } from './teams.ts';

/** Headers of a signed message, as Node spells them. */
const MESSAGE_HEADERS = {
  /** The same in every attempt. */
  delivery: 'x-fairway-delivery',
  event: 'x-fairway-event',
  /** When this attempt was signed, seconds since the epoch. */
  timestamp: 'x-fairway-timestamp',
  signature: 'x-fairway-signature',
} as const;

/**
 * `v1=<hex>`: HMAC-SHA256 with the secret over `<timestamp>.<body>`, body as the bytes that are sent. A receiver compares in
 * constant time, refuses a timestamp more than five minutes off, and takes a delivery id once: so a message that somebody
 * kept and sends again changes nothing.
 */
export const signMessage = (secret: string, timestamp: string, body: string): string =>
  `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`, 'utf8').digest('hex')}`;

/** One attempt at posting an event as signed JSON: body and headers, as of `now` (ms). */
export function signedMessage(
  { deliveryId, event, title, text, facts, links, tone }: CardContent,
  secret: string,
  now: number,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify({ deliveryId, event, title, text, facts, links, tone });
  const timestamp = String(Math.floor(now / 1000));
  const headers = {
    [MESSAGE_HEADERS.delivery]: deliveryId,
    [MESSAGE_HEADERS.event]: event,
    [MESSAGE_HEADERS.timestamp]: timestamp,
    [MESSAGE_HEADERS.signature]: signMessage(secret, timestamp, body),
  };
  return { body, headers };
}

/** What the receiver of a signed message answered: sorted as the answers of Teams are. */
export function classifyWebhookAnswer(answer: HttpAnswer, now: number): CardAnswer {
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
