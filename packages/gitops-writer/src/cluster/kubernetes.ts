import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { FairwayError, redact } from '@fairway/core';
import type { Cluster } from '../ports.ts';
import { toApplication } from './application.ts';
import { servingReader } from './serving.ts';
import { toDeployment, toJob, toPod } from './workloads.ts';

const ARGO = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' };
/** A cluster that does not answer must not hold a turn. */
const ANSWER_MS = 10_000;

/** From a kubeconfig file, or from the pod's service account when there is none. */
export function kubeConfig(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromCluster();
    else config.loadFromFile(file);
  } catch (error) {
    throw unusable((error as Error).message);
  }
  if (config.getCurrentCluster() === null) throw unusable('it names no current cluster');
  return config;
}

const unusable = (why: string): FairwayError =>
  new FairwayError(
    'config.invalid',
    `KUBECONFIG cannot be used: ${why}; name a readable kubeconfig file with a current context, or run in a pod.`,
  );

/** Observes Argo CD Applications in `argoNamespace` and what they run. The only thing it writes is the refresh annotation. */
export function kubernetesCluster(config: KubeConfig, argoNamespace: string): Cluster {
  const custom = config.makeApiClient(CustomObjectsApi);
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  return {
    application: async (name) => {
      const found: unknown = await get(() =>
        custom.getNamespacedCustomObject({ ...ARGO, namespace: argoNamespace, name }),
      );
      return found === undefined ? undefined : toApplication(found);
    },
    refresh: async (name, at) => {
      // The time stamp keeps a request that arrives during a refresh from being lost; older versions ignore it.
      const annotations = { 'argocd.argoproj.io/refresh': 'normal', 'argocd.argoproj.io/refresh-timestamp': at };
      const patch = { ...ARGO, namespace: argoNamespace, name, body: { metadata: { annotations } } };
      const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
      await get(() => custom.patchNamespacedCustomObject(patch, options));
    },
    deployment: async (namespace, name) => {
      const found = await get(() => apps.readNamespacedDeployment({ namespace, name }));
      return found === undefined ? undefined : toDeployment(found);
    },
    pods: async (namespace, labels) => {
      const labelSelector = Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
      const found = await get(() => core.listNamespacedPod({ namespace, labelSelector }));
      return (found?.items ?? []).map(toPod);
    },
    job: async (namespace, name) => {
      const found = await get(() => batch.readNamespacedJob({ namespace, name }));
      return found === undefined ? undefined : toJob(found);
    },
    servingState: servingReader(),
  };
}

/** undefined for 404; anything else that is no answer is `cluster.unavailable`. */
async function get<T>(call: () => Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code === 404) return undefined;
    throw clusterError(code, message);
  } finally {
    clearTimeout(timer);
  }
}

function clusterError(code: unknown, message: string): FairwayError {
  if (code === 401 || code === 403) {
    return new FairwayError(
      'cluster.unavailable',
      `The Kubernetes API refuses the writer (${code}); give its service account get, list and patch on Applications and get, list on Deployments, Pods and Jobs.`,
    );
  }
  const reason = redact(message.split('\n')[0] ?? '').slice(0, 200);
  return new FairwayError('cluster.unavailable', `The Kubernetes API does not answer: ${reason}`);
}
