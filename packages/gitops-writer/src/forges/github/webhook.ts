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

/** GitHub and Enterprise: `X-Hub-Signature-256: sha256=<HMAC-SHA256 of the body>`. Its SHA-1 signature is not looked at. */
export const githubWebhook: WebhookReader = {
  read: (body, headers, secrets) => {
    if (isGiteaDelivery(headers)) return refusedDelivery('it is from Gitea or Forgejo, not from GitHub');
    if (!isSigned(body, hubSignature(headers['x-hub-signature-256']), secrets))
      return refusedDelivery('the signature is wrong');
    return accepted(headers['x-github-delivery'], body, branchesOf(payloadOf(body)));
  },
};

/** Pull request, review, push, status and check events name a branch; the rest of a payload is not believed. */
function branchesOf(payload: Json): string[] {
  const heads = [
    at(payload, 'pull_request', 'head')['ref'],
    at(payload, 'check_suite')['head_branch'],
    at(payload, 'check_run', 'check_suite')['head_branch'],
  ];
  const { branches } = payload;
  const named = Array.isArray(branches) ? branches.map((branch) => at(branch)['name']) : [];
  const ref = payload['ref_type'] === 'tag' ? undefined : payload['ref'];
  return branchNames(...heads, ...named, ref);
}
