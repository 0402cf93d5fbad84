import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Json = Record<string, unknown>;
type Serving = { readonly version: string; readonly state: string };

/** Paths of the objects that the writer reads. */
const path = {
  application: (name: string) => `/apis/argoproj.io/v1alpha1/namespaces/openshift-gitops/applications/${name}`,
  deployment: (namespace: string, name: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
  pods: (namespace: string) => `/api/v1/namespaces/${namespace}/pods`,
  job: (namespace: string, name: string) => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
};

/**
 * A Kubernetes API that answers with the objects a test puts there, and TensorFlow Serving on a pod's address: a test
 * decides what the cluster says, also what a real one says only by accident. The whole loop runs against the embedded
 * cluster elsewhere.
 */
export async function startCluster(kubeconfig: string) {
  const objects = new Map<string, Json>();
  const refreshes: string[] = [];
  let serving: Serving | undefined;
  const api = createServer((request, response) => void answerApi(request, response, objects, refreshes));
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  // Each pod has an address of its own; TensorFlow Serving's port is always the same.
  const ip = `127.${1 + (process.pid % 250)}.${1 + Math.floor(Math.random() * 250)}.${1 + Math.floor(Math.random() * 250)}`;
  const tf = createServer((_request, response) => answerServing(response, serving));
  tf.listen(8501, ip);
  await once(tf, 'listening');
  writeKubeconfig(kubeconfig, (api.address() as { port: number }).port);
  const cluster = {
    refreshes,
    application: (name: string, value: Json) => objects.set(path.application(name), value),
    deployment: (namespace: string, name: string, value: Json) => objects.set(path.deployment(namespace, name), value),
    pods: (namespace: string, items: Json[]) => objects.set(path.pods(namespace), { items }),
    job: (namespace: string, name: string, value: Json) => objects.set(path.job(namespace, name), value),
    serving: (value: Serving) => {
      serving = value;
    },
    /** What Argo CD and Kubernetes say once they have rolled a change out. */
    rollOut: (model: string, environment: string, change: string, version: string, revision: string) => {
      const name = `${model}-${environment}`;
      cluster.application(name, syncedApplication(name, revision));
      cluster.deployment(name, model, rolledOutDeployment(model, change));
      cluster.pods(name, [readyPod(`${model}-1`, model, change, ip)]);
      cluster.serving({ version, state: 'AVAILABLE' });
    },
    stop: () => {
      api.closeAllConnections();
      api.close();
      tf.close();
    },
  };
  return cluster;
}

/** An Application that has just been compared and is Synced and Healthy at `revision`. */
export function syncedApplication(name: string, revision: string): Json {
  const now = seconds();
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'openshift-gitops' },
    status: {
      reconciledAt: now,
      sync: { status: 'Synced', revision },
      health: { status: 'Healthy' },
      operationState: { phase: 'Succeeded', finishedAt: now, syncResult: { revision } },
    },
  };
}

/** Now, as Argo CD writes it. */
const seconds = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

export function rolledOutDeployment(model: string, change: string): Json {
  const labels = { 'app.kubernetes.io/name': model };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: model, generation: 1 },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { annotations: { 'fairway.dev/change': change } } },
    },
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
}

function readyPod(name: string, model: string, change: string, ip: string): Json {
  return {
    metadata: { name, labels: { 'app.kubernetes.io/name': model }, annotations: { 'fairway.dev/change': change } },
    status: { podIP: ip, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

async function answerApi(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Map<string, Json>,
  refreshes: string[],
) {
  const { pathname } = new URL(request.url ?? '/', 'http://cluster');
  const found = objects.get(pathname);
  for await (const _ of request) continue;
  if (request.method === 'PATCH' && found !== undefined) {
    // Argo CD compares again and says when.
    refreshes.push(pathname.split('/').at(-1) ?? '');
    Object.assign(found['status'] as Json, { reconciledAt: seconds() });
  }
  response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify(found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }),
  );
}

function answerServing(response: ServerResponse, serving: Serving | undefined): void {
  response.setHeader('content-type', 'application/json');
  const { version, state } = serving ?? { version: '0', state: 'LOADING' };
  response.end(
    JSON.stringify({ model_version_status: [{ version, state, status: { error_code: 'OK', error_message: '' } }] }),
  );
}

function writeKubeconfig(file: string, port: number): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token: 'cluster-token' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  };
  writeFileSync(file, JSON.stringify(config));
}
