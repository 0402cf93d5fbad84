import type { Looker } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';
import type { Shipped } from './shipped.ts';

/** Who brings a group, and what to do without. */
const BRINGS: Readonly<Record<string, string>> = {
  'argoproj.io': 'install OpenShift GitOps or Argo CD',
  'route.openshift.io': 'only OpenShift has it; take component ingress instead',
  'monitoring.coreos.com': 'install the Prometheus operator, or leave the component out',
  'keda.sh': 'install KEDA, or take component recorder-hpa instead',
  'cert-manager.io': 'install cert-manager, or make Secret fairway-injector-tls yourself',
  'external-secrets.io': 'install External Secrets, or make the Secrets another way',
  'bitnami.com': 'install Sealed Secrets, or make the Secrets another way',
};

/** Kinds of the operator that OpenShift GitOps is; Argo CD alone goes without. */
const OPERATOR = ['ArgoCD', 'NotificationsConfiguration'];

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** Which kinds of the shipped manifests the cluster does not serve; a kind of a component alone is a warning. */
export async function kindFindings(looker: Looker, shipped: readonly Shipped[]): Promise<Finding[]> {
  const uses = new Map<string, Set<string>>();
  for (const { folder, object } of shipped) {
    const key = `${object.apiVersion} ${object.kind}`;
    uses.set(key, (uses.get(key) ?? new Set()).add(folder));
  }
  const findings: Finding[] = [];
  for (const [key, folders] of [...uses].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [apiVersion = '', kind = ''] = key.split(' ');
    if ((await looker.kinds(apiVersion)).includes(kind)) continue;
    const group = groupOf(apiVersion);
    const mend = BRINGS[group] ?? `this cluster does not serve ${apiVersion}: upgrade it, or leave out what uses it`;
    const text = `${apiVersion} is not served (used by ${[...folders].join(', ')}): ${mend}`;
    const optional =
      OPERATOR.includes(kind) || [...folders].every((folder) => /^(components|examples|overlays)\b/.test(folder));
    findings.push(optional ? warning(kind, text) : missing(kind, text));
  }
  return [ok('kinds', `${uses.size - findings.length} of ${uses.size} kinds of the manifests are served`), ...findings];
}
