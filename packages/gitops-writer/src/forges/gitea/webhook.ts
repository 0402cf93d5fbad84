import type { WebhookReader } from '../../ports.ts';
import {
  accepted,
  at,
  branchNames,
  hubSignature,
  isGiteaDelivery,
  isSigned,
  type Json,
  payloadOf,
  refusedDelivery,
} from '../http/delivery.ts';

/** Gitea and Forgejo: the HMAC-SHA256 of the body as bare hex in a header of their own, or as GitHub sends it. */
export const giteaWebhook: WebhookReader = {
  read: (body, headers, secrets) => {
    if (!isGiteaDelivery(headers)) return refusedDelivery('it is not from Gitea or Forgejo');
    const signatures = [
      headers['x-forgejo-signature'],
      headers['x-gitea-signature'],
      hubSignature(headers['x-hub-signature-256']),
    ];
    if (!signatures.some((signature) => isSigned(body, signature, secrets)))
      return refusedDelivery('the signature is wrong (is its content type application/json?)');
    const id = headers['x-forgejo-delivery'] ?? headers['x-gitea-delivery'];
    return accepted(id, body, branchesOf(payloadOf(body)));
  },
};

/** Pull request, review and push events name a branch; a comment does not. The rest of a payload is not believed. */
function branchesOf(payload: Json): string[] {
  // `ref` of a head whose branch is gone is refs/pull/<number>/head; `label` keeps the name.
  const head = at(payload, 'pull_request', 'head');
  const label = head['label'] ?? head['ref'];
  if (label !== undefined) return branchNames(label);
  return payload['ref_type'] === 'tag' ? [] : branchNames(payload['ref']);
}
