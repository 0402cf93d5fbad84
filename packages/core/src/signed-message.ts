import { createHmac } from 'node:crypto';

/** Headers of a signed message, as Node spells them. */
export const MESSAGE_HEADERS = {
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
