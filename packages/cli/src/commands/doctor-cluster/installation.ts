import type { Item, Looker } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';
import { serviceMounts } from './mounts.ts';
import type { Shipped } from './shipped.ts';

const MANAGED_BY = 'argocd.argoproj.io/managed-by';

/** Services that an overlay may leave out. */
const OPTIONAL = ['fairway-injector'];

/** Namespace, services and their Secrets, by name alone. */
export async function installationFindings(looker: Looker, shipped: readonly Shipped[]): Promise<Finding[]> {
  const { namespace } = looker;
  const space = await looker.get(`/api/v1/namespaces/${namespace}`);
  if ('absent' in space)
    return [
      missing(
        'installation',
        `namespace ${namespace} is not there: apply an overlay (docs/install.md), or name yours with --namespace`,
      ),
    ];
  const services = shipped.filter(
    ({ folder, object }) => folder.startsWith('services/') && object.kind === 'Deployment',
  );
  const each = await Promise.all(services.map(({ object }) => serviceFindings(looker, object)));
  return [...each.flat(), ...(await managedFindings(looker, [namespace]))];
}

async function serviceFindings(looker: Looker, shipped: Item): Promise<Finding[]> {
  const { name } = shipped.metadata;
  const at = `/apis/apps/v1/namespaces/${looker.namespace}/deployments/${name}`;
  const seen = await looker.get(at);
  if ('refused' in seen) return [warning(name, `cannot be looked at: ${seen.refused}`)];
  if ('absent' in seen)
    return [
      OPTIONAL.includes(name)
        ? warning(name, 'is not installed: only models that the writer renders have an agent')
        : missing(name, `is not in namespace ${looker.namespace}: apply the install overlay`),
    ];
  const { spec = {}, status = {} } = seen.found;
  const wanted = Number(spec['replicas'] ?? 1);
  const ready = Number(status['availableReplicas'] ?? 0);
  const running =
    ready >= wanted
      ? ok(name, `${ready} of ${wanted} replicas are available`)
      : missing(
          name,
          `${ready} of ${wanted} replicas are available: see "kubectl -n ${looker.namespace} describe deployment ${name}" and the logs of its pods`,
        );
  return [running, ...(await serviceMounts(looker, seen.found))];
}

/** Namespaces that OpenShift GitOps may write to have its label; Argo CD by itself needs none. */
export async function managedFindings(looker: Looker, namespaces: readonly string[]): Promise<Finding[]> {
  if (!(await looker.kinds('argoproj.io/v1beta1')).includes('ArgoCD')) return [];
  const all = namespaces.map(async (name): Promise<Finding> => {
    const seen = await looker.get(`/api/v1/namespaces/${name}`);
    if ('refused' in seen) return warning(`namespace ${name}`, `cannot be looked at: ${seen.refused}`);
    if ('absent' in seen) return warning(`namespace ${name}`, 'is not there yet; Argo CD makes it with the first sync');
    const manager = seen.found.metadata.labels?.[MANAGED_BY];
    if (manager === looker.argocd) return ok(`namespace ${name}`, `is managed by ${manager}`);
    const now =
      manager === undefined ? `has no label ${MANAGED_BY}` : `is managed by ${manager}, not by ${looker.argocd}`;
    return missing(
      `namespace ${name}`,
      `${now}, so Argo CD may not write there: kubectl label --overwrite namespace ${name} ${MANAGED_BY}=${looker.argocd}`,
    );
  });
  return Promise.all(all);
}

const MAY_CALL = 'fairway.dev/may-call';

/** Our network policies let in those whose namespace has a label: routers and Prometheus. */
export async function callerFindings(looker: Looker): Promise<Finding[]> {
  const name = 'callers';
  const policies = await looker.list(`/apis/networking.k8s.io/v1/namespaces/${looker.namespace}/networkpolicies`);
  if ('refused' in policies) return [warning(name, `network policies cannot be looked at: ${policies.refused}`)];
  const closed =
    'found' in policies ? policies.found.filter(({ spec }) => JSON.stringify(spec).includes(MAY_CALL)) : [];
  if (closed.length === 0) return [];
  const seen = await looker.list(`/api/v1/namespaces?labelSelector=${encodeURIComponent(`${MAY_CALL}=true`)}`);
  if ('refused' in seen) return [warning(name, `namespaces cannot be looked at: ${seen.refused}`)];
  const callers = 'found' in seen ? seen.found.map(({ metadata }) => metadata.name) : [];
  if (callers.length > 0) return [ok(name, `network policies let ${callers.join(', ')} in`)];
  // The injector's policy alone closes nothing but its metrics.
  const told = closed.some(({ metadata }) => metadata.name !== 'fairway-injector') ? missing : warning;
  return [
    told(
      name,
      `network policies keep routers and Prometheus out: kubectl label namespace NAMESPACE ${MAY_CALL}=true for each of theirs (docs/install.md, step 4)`,
    ),
  ];
}

/** Two installations in one cluster answer each other's webhooks and take over each other's objects. */
export async function twinFindings(looker: Looker): Promise<Finding[]> {
  const seen = await looker.list('/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dfairway-writer');
  if (!('found' in seen)) return [];
  const namespaces = [...new Set(seen.found.map(({ metadata }) => metadata.namespace ?? ''))];
  const others = namespaces.filter((name) => name !== looker.namespace);
  const name = 'one installation';
  if (others.length === 0)
    return [ok(name, namespaces.length === 1 ? `only in ${looker.namespace}` : 'no writer runs yet')];
  return [
    missing(
      name,
      `Fairway is also installed in ${others.join(', ')}: both have ClusterRoleBinding fairway-writer-observer and MutatingWebhookConfiguration fairway-injector, and the last one applied has them. Remove one, or rename both in an overlay and give each a GitOps repository of its own`,
    ),
  ];
}
