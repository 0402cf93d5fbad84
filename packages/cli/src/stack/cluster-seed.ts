import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { callJson, expectJson } from './http.ts';

type KubeObject = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string }; spec?: object };

/** The Kubernetes API and a token that may do anything in it. */
export type Cluster = { readonly url: string; readonly token: string };

/** Placeholder of the GitOps repository in manifests/argocd. */
const REPOSITORY_TOKEN = 'https://git.example.com/fairway/gitops.git';

/**
 * What a platform engineer prepares before a model can be deployed: repository credentials and ApplicationSets for
 * Argo CD, the model's namespaces with the queue's Secret, and the volumes of the retrain Job. Callable again.
 */
export async function seedCluster(
  cluster: Cluster,
  options: {
    readonly model: string;
    readonly environments: readonly string[];
    readonly argocdDir: string;
    readonly repository: { readonly url: string; readonly user: string; readonly token: string };
    readonly queue: { readonly url: string; readonly prefix: string };
    readonly volumes: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const { model, repository } = options;
  await apply(cluster, namespace('openshift-gitops'));
  await apply(cluster, repositorySecret(repository));
  for (const environment of options.environments) {
    await apply(cluster, namespace(`${model}-${environment}`));
    await apply(cluster, secret('fairway-queue', `${model}-${environment}`, options.queue));
  }
  await apply(cluster, namespace(`${model}-retrain`));
  for (const [name, path] of Object.entries(options.volumes)) {
    for (const object of volume(name, path, `${model}-retrain`)) await apply(cluster, object);
  }
  for (const object of argocdManifests(options.argocdDir, repository.url)) await apply(cluster, object);
}

const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

const secret = (name: string, space: string, values: object, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: space, labels },
  data: Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
  ),
});

const repositorySecret = ({ url, user, token }: { url: string; user: string; token: string }) =>
  secret(
    'gitops-repository',
    'openshift-gitops',
    { type: 'git', url, username: user, password: token },
    { 'argocd.argoproj.io/secret-type': 'repository' },
  );

function volume(name: string, path: string, space: string): KubeObject[] {
  const capacity = { storage: '10Gi' };
  const accessModes = ['ReadWriteMany'];
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: { capacity, accessModes, hostPath: { path } },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: space },
      spec: { accessModes, volumeName: name, storageClassName: '', resources: { requests: capacity } },
    },
  ];
}

/** The shipped Argo CD manifests, with this stack's repository in place of the placeholder. */
function argocdManifests(dir: string, repositoryUrl: string): KubeObject[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .sort()
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(dir, file), 'utf8').replaceAll(REPOSITORY_TOKEN, repositoryUrl)),
    )
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

const PLURALS: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  Secret: 'secrets',
  PersistentVolume: 'persistentvolumes',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  AppProject: 'appprojects',
  ApplicationSet: 'applicationsets',
};

/** Creates an object, or merges it into the one that is there. */
async function apply({ url, token }: Cluster, object: KubeObject): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const group = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
  const space = metadata.namespace === undefined ? '' : `namespaces/${metadata.namespace}/`;
  const collection = `${url}/${group}/${space}${PLURALS[kind] ?? `${kind.toLowerCase()}s`}`;
  const { status } = await callJson('Kubernetes', collection, { token, body: object });
  if (status === 409) {
    await expectJson('Kubernetes', `${collection}/${metadata.name}`, {
      method: 'PATCH',
      token,
      body: object,
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  } else if (status >= 400) {
    await expectJson('Kubernetes', collection, { token, body: object });
  }
}
