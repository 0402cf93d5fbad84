import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { FairwayError } from '@fairway/core';
import type { Application, Cluster } from '../ports.ts';
import { toApplication } from './application.ts';
import type { ApplicationCache } from './applications.ts';
import { get } from './call.ts';
import { toSyncWindows } from './project.ts';
import { servingReader } from './serving.ts';
import { toDeployment, toJob, toPod } from './workloads.ts';

const ARGO = { group: 'argoproj.io', version: 'v1alpha1' };

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

/**
 * Observes Argo CD Applications in `argoNamespace` and what they run. The only thing it writes is the refresh annotation.
 * Applications are watched, because thousands of them lie in one namespace; Deployments, Pods and Jobs lie in as many
 * namespaces as there are environments and matter only while a change is verified, so they are read.
 */
export function kubernetesCluster(config: KubeConfig, argoNamespace: string, cache: ApplicationCache): Cluster {
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  return {
    ...argo(config.makeApiClient(CustomObjectsApi), argoNamespace, cache),
    ...servingReader(),
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
  };
}

/** What Argo CD's own objects say. */
function argo(
  custom: CustomObjectsApi,
  namespace: string,
  cache: ApplicationCache,
): Pick<Cluster, 'application' | 'refresh' | 'syncWindows'> {
  const read = async (plural: string, name: string): Promise<unknown> =>
    get(() => custom.getNamespacedCustomObject({ ...ARGO, plural, namespace, name }));
  const readApplication = async (name: string): Promise<Application | undefined> => {
    const found = await read('applications', name);
    return found === undefined ? undefined : toApplication(found);
  };
  return {
    application: async (name, how) => {
      const cached = how === 'cached' ? cache.look(name) : 'unknown';
      return cached === 'unknown' ? readApplication(name) : cached;
    },
    refresh: async (name, at) => {
      // The time stamp keeps a request that arrives during a refresh from being lost; older versions ignore it.
      const annotations = { 'argocd.argoproj.io/refresh': 'normal', 'argocd.argoproj.io/refresh-timestamp': at };
      const patch = { ...ARGO, plural: 'applications', namespace, name, body: { metadata: { annotations } } };
      const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
      await get(() => custom.patchNamespacedCustomObject(patch, options));
    },
    syncWindows: async (project) => toSyncWindows(await read('appprojects', project)),
  };
}
