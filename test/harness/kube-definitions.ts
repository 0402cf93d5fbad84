/** CustomResourceDefinitions of the kinds that Argo CD, OpenShift and the Prometheus operator bring: names and subresources as documented, contents open. */
type Kind = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly status?: boolean;
};

const ARGO = { group: 'argoproj.io', version: 'v1alpha1' };
const PROMETHEUS = { group: 'monitoring.coreos.com', version: 'v1' };

// https://argo-cd.readthedocs.io: Application and AppProject have no status subresource, ApplicationSet has one.
export const ARGO_CD: readonly Kind[] = [
  { ...ARGO, kind: 'Application', plural: 'applications', shortNames: ['app', 'apps'] },
  { ...ARGO, kind: 'ApplicationSet', plural: 'applicationsets', shortNames: ['appset', 'appsets'], status: true },
  { ...ARGO, kind: 'AppProject', plural: 'appprojects', shortNames: ['appproj', 'appprojs'] },
];
export const ARGO_CD_OPERATOR: readonly Kind[] = [
  { ...ARGO, version: 'v1beta1', kind: 'ArgoCD', plural: 'argocds', status: true },
  { ...ARGO, kind: 'NotificationsConfiguration', plural: 'notificationsconfigurations' },
];
// On OpenShift it is served by an API server of its own; elsewhere a CRD of the same shape stands for it.
export const OPENSHIFT: readonly Kind[] = [
  { group: 'route.openshift.io', version: 'v1', kind: 'Route', plural: 'routes', status: true },
];
export const PROMETHEUS_OPERATOR: readonly Kind[] = [
  { ...PROMETHEUS, kind: 'ServiceMonitor', plural: 'servicemonitors' },
  { ...PROMETHEUS, kind: 'PodMonitor', plural: 'podmonitors' },
  { ...PROMETHEUS, kind: 'PrometheusRule', plural: 'prometheusrules' },
];
export const OTHERS: readonly Kind[] = [
  { group: 'keda.sh', version: 'v1alpha1', kind: 'ScaledObject', plural: 'scaledobjects', status: true },
  { group: 'keda.sh', version: 'v1alpha1', kind: 'TriggerAuthentication', plural: 'triggerauthentications' },
  { group: 'gateway.networking.k8s.io', version: 'v1', kind: 'HTTPRoute', plural: 'httproutes', status: true },
  { group: 'cert-manager.io', version: 'v1', kind: 'Issuer', plural: 'issuers', status: true },
  { group: 'cert-manager.io', version: 'v1', kind: 'Certificate', plural: 'certificates', status: true },
];

export const definition = ({ group, version, kind, plural, shortNames = [], status = false }: Kind) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.${group}`,
    // Groups below k8s.io are refused without a word on who approved them.
    ...(group.endsWith('.k8s.io') ? { annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' } } : {}),
  },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        ...(status ? { subresources: { status: {} } } : {}),
      },
    ],
  },
});
