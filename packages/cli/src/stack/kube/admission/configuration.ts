import type { KubeObject } from '../objects.ts';
import type { LabelSelector } from '../workloads.ts';

/** Which requests a webhook is asked about; each list may hold `*`. */
export type WebhookRule = {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly operations: readonly string[];
  readonly resources: readonly string[];
  readonly scope?: 'Namespaced' | 'Cluster' | '*';
};

/** Where a webhook listens: an address, or a Service. `caBundle` is base64 of PEM; without it the machine's authorities count. */
export type ClientConfig = {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  readonly caBundle?: string;
};

/** `admissionregistration.k8s.io/v1`, as it is stored: with its defaults. */
export type Webhook = {
  readonly name: string;
  readonly clientConfig: ClientConfig;
  readonly rules?: readonly WebhookRule[];
  readonly failurePolicy?: 'Fail' | 'Ignore';
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly sideEffects: 'None' | 'NoneOnDryRun';
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions: readonly string[];
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded';
};

export type WebhookConfiguration = KubeObject & { readonly webhooks?: readonly Webhook[] };
