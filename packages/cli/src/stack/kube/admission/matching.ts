import type { Kind } from '../kinds.ts';
import type { Dict, KubeObject } from '../objects.ts';
import { selects } from '../store/selectors.ts';
import type { Webhook, WebhookRule } from './configuration.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

/** A write on its way in. `object` is what would be written, absent for DELETE; `old` what is there, absent for CREATE. */
export type AdmissionRequest = {
  readonly operation: Operation;
  readonly kind: Kind;
  readonly subresource?: 'status';
  readonly namespace: string;
  readonly name: string;
  readonly object?: KubeObject;
  readonly old?: KubeObject;
  readonly dryRun: boolean;
};

/** The API never asks webhooks about webhooks: a broken one could not be taken away. */
export const isExempt = ({ group, plural }: Kind): boolean =>
  group === 'admissionregistration.k8s.io' && plural.endsWith('webhookconfigurations');

/** Whether one of the webhook's rules names this request; the namespace and the labels are not looked at. */
export function ruled(webhook: Pick<Webhook, 'rules'>, request: Omit<AdmissionRequest, 'name' | 'dryRun'>): boolean {
  return (webhook.rules ?? []).some((rule) => isRuled(rule, request));
}

/** Whether the webhook is asked: a rule names the request, and both selectors choose it. */
export function isAsked(webhook: Webhook, request: AdmissionRequest, namespaceLabels: Dict): boolean {
  const { namespaceSelector = {}, objectSelector = {} } = webhook;
  // What lies in no namespace is not kept away by a selector of namespaces.
  const placed = request.namespace !== '' || isNamespace(request.kind);
  if (!ruled(webhook, request) || (placed && !selects(namespaceSelector, namespaceLabels))) return false;
  const labelled = [request.object, request.old].filter((one) => one !== undefined);
  return labelled.some(({ metadata }) => selects(objectSelector, metadata.labels));
}

const isNamespace = ({ group, plural }: Kind) => group === '' && plural === 'namespaces';

const has = (list: readonly string[], one: string): boolean => list.includes('*') || list.includes(one);

function isRuled(
  rule: WebhookRule,
  { operation, kind, subresource, namespace }: Omit<AdmissionRequest, 'name' | 'dryRun'>,
): boolean {
  const inScope =
    (rule.scope ?? '*') === '*' || (rule.scope === 'Namespaced') === (namespace !== '' && !isNamespace(kind));
  return (
    inScope &&
    has(rule.operations, operation) &&
    has(rule.apiGroups, kind.group) &&
    has(rule.apiVersions, kind.version) &&
    rule.resources.some((resource) => isResource(resource, kind.plural, subresource))
  );
}

// `pods`, `pods/status`, `pods/*`, `*`, `*/status`: a resource alone does not name its subresources.
function isResource(pattern: string, plural: string, subresource: string | undefined): boolean {
  const [resource = '', sub] = pattern.split('/');
  const same = sub === undefined ? subresource === undefined : sub === '*' || sub === subresource;
  return same && (resource === '*' || resource === plural);
}
