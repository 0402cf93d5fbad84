import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Signature } from '@fairway/core';
import { startKubeApi, writeKubeconfig } from '../../harness/kube-api.ts';

type Json = Record<string, unknown>;
/** What TensorFlow Serving in a pod says; the signature is that of `registerVersion` when none is given. */
type Serving = { readonly version: string; readonly state: string; readonly signature?: Signature | 'unreadable' };

const ARGO = '/apis/argoproj.io/v1alpha1/namespaces/openshift-gitops';
/** Paths of the objects that the writer reads. */
const path = {
  application: (name: string) => `${ARGO}/applications/${name}`,
  project: (name: string) => `${ARGO}/appprojects/${name}`,
  deployment: (namespace: string, name: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
  pods: (namespace: string) => `/api/v1/namespaces/${namespace}/pods`,
  job: (namespace: string, name: string) => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
};

/**
 * A Kubernetes API that answers with the objects a test puts there, and TensorFlow Serving on pods' addresses: a test
 * decides what the cluster says, also what a real one says only by accident. The whole loop runs against the embedded
 * cluster elsewhere.
 */
export async function startCluster(kubeconfig: string) {
  const refreshes: string[] = [];
  let answers = true;
  const api = await startKubeApi((at, object) => {
    refreshes.push(at.split('/').at(-1) ?? '');
    if (answers) api.put(at, comparedAgain(object));
  });
  const first = await startServing();
  const servings = [first];
  writeKubeconfig(kubeconfig, api.url);
  const cluster = {
    api,
    /** Names of the Applications that a refresh was asked for. */
    refreshes,
    application: (name: string, value: Json) => api.put(path.application(name), value),
    readApplication: (name: string) => api.read(path.application(name)),
    removeApplication: (name: string) => api.remove(path.application(name)),
    project: (name: string, spec: Json) => api.put(path.project(name), { metadata: { name }, spec }),
    deployment: (namespace: string, name: string, value: Json) => api.put(path.deployment(namespace, name), value),
    removeDeployment: (namespace: string, name: string) => api.remove(path.deployment(namespace, name)),
    pods: (namespace: string, items: Json[]) => api.put(path.pods(namespace), { items }),
    job: (namespace: string, name: string, value: Json) => api.put(path.job(namespace, name), value),
    /** What TensorFlow Serving on the first address says. */
    serving: (value: Serving) => first.say(value),
    ip: first.ip,
    /** One more address with TensorFlow Serving. */
    addServing: async () => {
      const added = await startServing();
      servings.push(added);
      return added;
    },
    /** Whether Argo CD compares when it is asked to refresh; otherwise the request stays as it is. */
    argoAnswers: (value: boolean) => {
      answers = value;
    },
    /** What Argo CD and Kubernetes say once they have rolled a change out. */
    rollOut: (model: string, environment: string, change: string, version: string, revision: string) => {
      const name = `${model}-${environment}`;
      cluster.deployment(name, model, rolledOutDeployment(model, change));
      cluster.pods(name, [readyPod(`${model}-1`, model, change, first.ip)]);
      cluster.serving({ version, state: 'AVAILABLE' });
      cluster.application(name, syncedApplication(name, revision));
    },
    stop: () => {
      api.stop();
      for (const { stop } of servings) stop();
    },
  };
  return cluster;
}

/** Argo CD has compared, says when, and takes the request off. */
function comparedAgain(object: Json): Json {
  const { annotations: _, ...metadata } = object['metadata'] as Json;
  return { ...object, metadata, status: { ...(object['status'] as Json | undefined), reconciledAt: seconds() } };
}

/** An Application that has just been compared and is Synced and Healthy at `revision`; `status` replaces parts of that. */
export function syncedApplication(name: string, revision: string, status: Json = {}, spec: Json = {}): Json {
  const now = seconds();
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'openshift-gitops' },
    spec: {
      project: 'fairway',
      destination: { server: 'https://kubernetes.default.svc', namespace: name },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
      ...spec,
    },
    status: {
      reconciledAt: now,
      sync: { status: 'Synced', revision },
      health: { status: 'Healthy', lastTransitionTime: seconds(-60_000) },
      operationState: { phase: 'Succeeded', finishedAt: now, syncResult: { revision } },
      ...status,
    },
  };
}

/** Now, or some milliseconds away from it, as Argo CD writes it. */
export const seconds = (awayMs = 0): string => new Date(Date.now() + awayMs).toISOString().replace(/\.\d+Z$/, 'Z');

export function rolledOutDeployment(model: string, change: string, status: Json = {}): Json {
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
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1, ...status },
  };
}

export function readyPod(name: string, model: string, change: string, ip: string): Json {
  return {
    metadata: { name, labels: { 'app.kubernetes.io/name': model }, annotations: { 'fairway.dev/change': change } },
    status: { podIP: ip, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** The signature of the models that `registerVersion` makes. */
export const SIGNATURE: Signature = {
  name: 'serving_default',
  method: 'tensorflow/serving/predict',
  inputs: [{ name: 'X', dtype: 'DT_FLOAT', shape: [-1, 1] }],
  outputs: [{ name: 'P_BAD1', dtype: 'DT_FLOAT', shape: [-1, 1] }],
};

/** TensorFlow Serving's REST API on an address of its own; its port is always the same. */
async function startServing() {
  const asked: string[] = [];
  let said: Serving = { version: '0', state: 'LOADING' };
  const any = () => 1 + Math.floor(Math.random() * 250);
  const ip = `127.${1 + (process.pid % 250)}.${any()}.${any()}`;
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const { code, body } = servingAnswer(url, said);
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  server.listen(8501, ip);
  await once(server, 'listening');
  const say = (value: Serving) => {
    said = value;
  };
  return { ip, asked, say, stop: () => void server.close() };
}

function servingAnswer(
  url: string,
  { version, state, signature = SIGNATURE }: Serving,
): { code: number; body: object } {
  const [, model = '', wanted = version, metadata] =
    /^\/v1\/models\/([^/]+)(?:\/versions\/(\d+))?(\/metadata)?$/.exec(url) ?? [];
  if (wanted !== version) return { code: 404, body: { error: `Could not find version ${wanted} of model ${model}` } };
  if (metadata === undefined) {
    const status = { error_code: 'OK', error_message: '' };
    return { code: 200, body: { model_version_status: [{ version, state, status }] } };
  }
  if (signature === 'unreadable') return { code: 500, body: { error: 'metadata cannot be read' } };
  return { code: 200, body: metadataOf(model, version, signature) };
}

function metadataOf(model: string, version: string, { name, method, inputs, outputs }: Signature): object {
  const tensors = (specs: Signature['inputs']) =>
    Object.fromEntries(
      specs.map(({ name: key, dtype, shape }) => {
        const dim = shape.map((size) => ({ size: String(size), name: '' }));
        return [key, { dtype, tensor_shape: { dim, unknown_rank: false }, name: `${key}:0` }];
      }),
    );
  const definition = { inputs: tensors(inputs), outputs: tensors(outputs), method_name: method };
  const unrelated = { inputs: {}, outputs: { op: { dtype: 'DT_INVALID', tensor_shape: { unknown_rank: true } } } };
  return {
    model_spec: { name: model, signature_name: '', version },
    metadata: { signature_def: { signature_def: { [name]: definition, __saved_model_init_op: unrelated } } },
  };
}
