import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { DeliveryHeaders, WebhookVerdict } from '../../ports.ts';

/** Whether two texts are the same, in a time that depends on neither of them. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Whether `signature` (64 hex digits) is the HMAC-SHA256 of the raw body under one of the secrets; an empty one signs nothing. */
export function isSigned(body: Buffer, signature: string | undefined, secrets: readonly string[]): boolean {
  if (!/^[0-9a-f]{64}$/i.test(signature ?? '')) return false;
  const given = Buffer.from(signature as string, 'hex');
  return secrets
    .filter((secret) => secret !== '')
    .some((secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), given));
}

/** The hex digits of `X-Hub-Signature-256: sha256=<hex>`. */
export const hubSignature = (header: string | undefined): string | undefined =>
  header?.startsWith('sha256=') === true ? header.slice('sha256='.length) : undefined;

export type Json = { readonly [name: string]: unknown };

/** The payload as an object; what is not JSON is none, and says nothing. */
export function payloadOf(body: Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return at(value);
  } catch {
    return {};
  }
}

/** What lies at a path of nested objects; nothing where the payload is of another shape. */
export function at(value: unknown, ...path: readonly string[]): Json {
  let found: unknown = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return isObject(found) ? found : {};
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Branch names among some values: `refs/heads/` is cut off, tags and anything that is no text are left out. */
export function branchNames(...values: readonly unknown[]): string[] {
  const names = values
    .filter((value): value is string => typeof value === 'string' && value !== '' && !value.startsWith('refs/tags/'))
    .map((ref) => ref.replace(/^refs\/heads\//, ''));
  return [...new Set(names)];
}

/** `id` is the forge's own of the delivery, where it sends one; else what was sent is its own name. */
export function accepted(id: string | undefined, body: Buffer, branches: readonly string[]): WebhookVerdict {
  return { kind: 'accepted', id: id ?? createHash('sha256').update(body).digest('hex'), branches };
}

export const refusedDelivery = (reason: string): WebhookVerdict => ({ kind: 'refused', reason });

/** Gitea, Forgejo and Gogs also send GitHub's headers; theirs tell. */
export const isGiteaDelivery = (headers: DeliveryHeaders): boolean =>
  Object.keys(headers).some((name) => /^x-(gitea|forgejo|gogs)-/.test(name));
