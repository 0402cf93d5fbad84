import { createHmac } from 'node:crypto';
import type { DeliveryHeaders, WebhookReader } from '../../ports.ts';
import { accepted, at, branchNames, type Json, payloadOf, refusedDelivery, sameSecret } from '../http/delivery.ts';

/** A secret of this form is a signing token (Standard Webhooks); any other is sent along as it is in `X-Gitlab-Token`. */
const SIGNING = 'whsec_';
const TOLERANCE_MS = 300_000;
/** Standard Webhooks asks for 24 to 64 bytes. */
const KEY_BYTES = { least: 24, most: 64 };

/** GitLab: the plain token of a webhook, or its signing token, whichever the secret is. */
export const gitlabWebhook: WebhookReader = {
  read: (body, headers, secrets, now) => {
    const usable = secrets.filter((secret) => secret !== '');
    const keys = usable.filter((secret) => secret.startsWith(SIGNING)).map(keyOf);
    const tokens = usable.filter((secret) => !secret.startsWith(SIGNING));
    const token = headers['x-gitlab-token'];
    const isKnown = token !== undefined && tokens.filter((secret) => sameSecret(secret, token)).length > 0;
    const problem = isKnown ? undefined : problemOf(body, headers, keys, now);
    if (problem !== undefined) return refusedDelivery(problem);
    const id = headers['webhook-id'] ?? headers['idempotency-key'] ?? headers['x-gitlab-event-uuid'];
    return accepted(id, body, branchesOf(payloadOf(body)));
  },
};

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice(SIGNING.length), 'base64');

/** Why a delivery is not signed by one of the keys; undefined when it is. */
function problemOf(body: Buffer, headers: DeliveryHeaders, keys: readonly Buffer[], now: number): string | undefined {
  if (keys.length === 0) return 'its X-Gitlab-Token is wrong';
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signatures = '' } = headers;
  if (id === '' || !/^\d{1,12}$/.test(timestamp) || signatures === '') return 'it carries no signature';
  const given = signatures
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => signature.slice('v1,'.length));
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const isSigned = keys
    .filter(({ length }) => length >= KEY_BYTES.least && length <= KEY_BYTES.most)
    .map((key) => createHmac('sha256', key).update(signed).digest('base64'))
    .some((mine) => given.some((one) => sameSecret(one, mine)));
  if (!isSigned) return 'the signature is wrong';
  return Math.abs(now - Number(timestamp) * 1_000) > TOLERANCE_MS ? 'it was signed too long ago' : undefined;
}

/** Merge request, note, push and pipeline events name a branch; the rest of a payload is not believed. */
function branchesOf(payload: Json): string[] {
  const attributes = at(payload, 'object_attributes');
  const isTag = payload['object_kind'] === 'tag_push' || attributes['tag'] === true || payload['tag'] === true;
  return branchNames(
    attributes['source_branch'],
    at(payload, 'merge_request')['source_branch'],
    ...(isTag ? [] : [payload['ref'], attributes['ref']]),
  );
}
