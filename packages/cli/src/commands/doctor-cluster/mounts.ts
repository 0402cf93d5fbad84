import type { Item, Looker } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';

type Volume = {
  readonly name?: string;
  readonly secret?: { readonly secretName: string; readonly optional?: boolean };
  readonly persistentVolumeClaim?: { readonly claimName: string };
};
type Template = { readonly spec?: { readonly volumes?: readonly Volume[] } };

/** Something that pods mount and that a person makes: without it they wait. */
type Mount = { readonly namespace: string; readonly kind: 'Secret' | 'PersistentVolumeClaim'; readonly name: string };

const PLURAL = { Secret: 'secrets', PersistentVolumeClaim: 'persistentvolumeclaims' } as const;
const MEND = {
  Secret: 'make it (docs/install.md, "Secrets")',
  PersistentVolumeClaim: 'make it (docs/install.md, step 6)',
} as const;
/** Secrets that nobody should write by hand. */
const MADE_BY: Readonly<Record<string, string>> = {
  'fairway-injector-tls':
    'take component injector-tls-service-ca or injector-tls-cert-manager, or make it of a certificate for fairway-injector.fairway.svc',
};

function mountsOf(workload: Item, namespace: string): Mount[] {
  const { spec } = (workload.spec?.['template'] ?? {}) as Template;
  return mountsOfVolumes(spec?.volumes ?? [], namespace);
}

const mountsOfVolumes = (volumes: readonly Volume[], namespace: string): Mount[] =>
  volumes.flatMap(({ secret, persistentVolumeClaim: claim }): Mount[] => [
    ...(secret === undefined || secret.optional === true
      ? []
      : [{ namespace, kind: 'Secret' as const, name: secret.secretName }]),
    ...(claim === undefined ? [] : [{ namespace, kind: 'PersistentVolumeClaim' as const, name: claim.claimName }]),
  ]);

/** What the injector mounted into a pod of others: the queue's Secret, in the volume that its annotation names. */
function injectedMounts({ metadata, spec }: Item): Mount[] {
  const volume = /"queue":"([a-z0-9-]+)"/.exec(metadata.annotations?.['fairway.dev/status'] ?? '')?.[1];
  const volumes = (spec?.['volumes'] ?? []) as readonly Volume[];
  return mountsOfVolumes(
    volumes.filter(({ name }) => name === volume && volume !== undefined),
    metadata.namespace ?? '',
  );
}

async function mountFinding(looker: Looker, called: string, { namespace, kind, name }: Mount): Promise<Finding> {
  const path = `/api/v1/namespaces/${namespace}/${PLURAL[kind]}/${name}`;
  const seen = kind === 'Secret' ? await looker.exists(path) : await looker.get(path);
  if ('absent' in seen) {
    const mend = MADE_BY[name] ?? MEND[kind];
    return missing(called, `${kind} ${name} is not there, so its pods wait for it: ${mend}`);
  }
  if ('refused' in seen) return warning(called, `whether ${kind} ${name} is there cannot be seen: ${seen.refused}`);
  if (seen.found !== true && seen.found.status?.['phase'] === 'Pending')
    return warning(
      called,
      `${kind} ${name} has no volume yet, and its pods wait for one: is there a storage class that gives its access mode? See "kubectl -n ${namespace} describe pvc ${name}"`,
    );
  return ok(called, `${kind} ${name} is there`);
}

/** What a service of ours mounts, each by name alone. */
export const serviceMounts = (looker: Looker, service: Item): Promise<Finding[]> =>
  Promise.all(mountsOf(service, looker.namespace).map((mount) => mountFinding(looker, service.metadata.name, mount)));

const RENDERED = 'labelSelector=app.kubernetes.io%2Fmanaged-by%3Dfairway';
const INJECTED = 'labelSelector=fairway.dev%2Finject%3Dtrue';

/** What models' workloads mount in their namespaces: the queue's Secret, the claims of retrainings and tails. What is there is one line. */
export async function modelMounts(looker: Looker): Promise<Finding[]> {
  const name = 'models';
  const mounts = new Map<string, Mount>();
  const ofWorkload = (workload: Item) => mountsOf(workload, workload.metadata.namespace ?? '');
  const lists = [
    [`/apis/apps/v1/deployments?${RENDERED}`, ofWorkload],
    [`/apis/batch/v1/jobs?${RENDERED}`, ofWorkload],
    [`/api/v1/pods?${INJECTED}`, injectedMounts],
  ] as const;
  for (const [path, mountsIn] of lists) {
    const seen = await looker.list(path);
    if ('refused' in seen) return [warning(name, `their workloads cannot be looked at: ${seen.refused}`)];
    for (const object of 'found' in seen ? seen.found : [])
      for (const mount of mountsIn(object)) mounts.set(`${mount.namespace} ${mount.kind} ${mount.name}`, mount);
  }
  const found: Finding[] = [];
  // One after the other: there may be thousands of models, and the API server has other callers.
  for (const mount of mounts.values()) found.push(await mountFinding(looker, `namespace ${mount.namespace}`, mount));
  const bad = found.filter(({ state }) => state !== 'ok');
  const there = found.length - bad.length;
  if (found.length === 0) return [];
  return [
    ...bad,
    ...(there === 0 ? [] : [ok(name, `${there} of ${found.length} Secrets and claims that they mount are there`)]),
  ];
}
