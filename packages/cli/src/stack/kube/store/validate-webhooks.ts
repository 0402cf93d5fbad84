import type { Webhook, WebhookConfiguration } from '../admission/configuration.ts';

/** One wrong field, in the API's words. */
type Cause = { readonly field: string; readonly message: string };

/** What the API refuses of webhooks: what it could never call, or would not know how to. */
export function checkWebhooks({ webhooks = [] }: WebhookConfiguration): Cause[] {
  return webhooks.flatMap((webhook, i) => {
    const field = `webhooks[${i}]`;
    const twice = webhooks.findIndex(({ name }) => name === webhook.name) < i;
    return [
      ...(twice ? [{ field: `${field}.name`, message: `Duplicate value: "${webhook.name}"` }] : []),
      ...checkWebhook(field, webhook),
      ...checkDoor(`${field}.clientConfig`, webhook.clientConfig ?? {}),
    ];
  });
}

const DNS = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function checkWebhook(field: string, webhook: Partial<Webhook>): Cause[] {
  const { name = '', admissionReviewVersions: versions = [], sideEffects = '', timeoutSeconds = 10 } = webhook;
  const wrong = (at: string, message: string): Cause => ({ field: `${field}.${at}`, message });
  return [
    ...(DNS.test(name) && name.split('.').length > 2
      ? []
      : [wrong('name', `Invalid value: "${name}": should be a domain with at least three segments separated by dots`)]),
    ...(versions.length > 0
      ? []
      : [wrong('admissionReviewVersions', 'Required value: must specify one of v1, v1beta1')]),
    ...(versions.length === 0 || versions.some((version) => version === 'v1' || version === 'v1beta1')
      ? []
      : [wrong('admissionReviewVersions', 'Invalid value: must include at least one of v1, v1beta1')]),
    ...(['None', 'NoneOnDryRun'].includes(sideEffects)
      ? []
      : [wrong('sideEffects', 'Required value: must specify one of None, NoneOnDryRun')]),
    ...(timeoutSeconds >= 1 && timeoutSeconds <= 30
      ? []
      : [
          wrong(
            'timeoutSeconds',
            `Invalid value: ${timeoutSeconds}: the timeout value must be between 1 and 30 seconds`,
          ),
        ]),
  ];
}

function checkDoor(field: string, { url, service }: Partial<Webhook['clientConfig']>): Cause[] {
  if ((url === undefined) === (service === undefined))
    return [{ field, message: 'Required value: exactly one of url or service is required' }];
  if (url === undefined || url.startsWith('https://')) return [];
  const message = `Invalid value: "${url}": 'https' is the only allowed URL scheme; desired format: https://host[/path]`;
  return [{ field: `${field}.url`, message }];
}
