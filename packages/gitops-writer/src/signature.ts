import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '@fairway/core';

/** Headers of a signed request, as Node spells them. The same scheme signs what comes in and what goes out. */
export const SIGNATURE_HEADERS = {
  key: 'x-fairway-key',
  timestamp: 'x-fairway-timestamp',
  nonce: 'x-fairway-nonce',
  signature: 'x-fairway-signature',
} as const;

/** What a signature covers. */
export type SignedRequest = {
  /** Upper case. */
  readonly method: string;
  /** Path with query, as it stands in the request line. */
  readonly target: string;
  /** Seconds since the epoch, decimal. */
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: Uint8Array;
};

/** `v1=<hex>`: HMAC-SHA256 over method, target, timestamp, nonce and the body's sha256 in hex, one to a line. */
export function signRequest(secret: string, { method, target, timestamp, nonce, body }: SignedRequest): string {
  const text = [method, target, timestamp, nonce, sha256(body)].join('\n');
  return `v1=${createHmac('sha256', secret).update(text).digest('hex')}`;
}

/** Whether `signature` is that of the request; every wrong one takes the same time. */
export function isSignedBy(secret: string, request: SignedRequest, signature: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(signature), digest(signRequest(secret, request)));
}
