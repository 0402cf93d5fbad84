import type { Environment, ModelVersion } from '@fairway/core';
import { type ModelFile, servingOf } from './model-file.ts';
import type { ServingSettings } from './serving-settings.ts';

/** What the Kubernetes objects of one environment are made of. */
export type Workload = {
  readonly change: string;
  readonly modelVersion: ModelVersion;
  readonly environment: Environment;
  readonly file: ModelFile;
  /** Model image, `name@sha256:…`. */
  readonly image: string;
  readonly agentImage: string;
};

export const ANNOTATION = 'fairway.dev';

/** restricted-v2 compatible: no fixed uid (OpenShift gives one), nothing privileged. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};
export const podSecurity = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

export const settingsOf = ({ file, environment }: Workload): ServingSettings => servingOf(file, environment.name);

/** Endpoints leave kube-proxies and routers some seconds after a pod began to end; until then it answers. */
export const DRAIN_SECONDS = 10;

/** The pods that carry the newest version; those of the version before, beside it, have a name of their own. */
export const selector = (model: string, name = model) => ({
  'app.kubernetes.io/name': name,
  [`${ANNOTATION}/model`]: model,
});
export const labels = ({ modelVersion, environment }: Workload, name = modelVersion.model) => ({
  ...selector(modelVersion.model, name),
  'app.kubernetes.io/managed-by': 'fairway',
  [`${ANNOTATION}/environment`]: environment.name,
});

/** Name, namespace and labels of an object of the environment. */
export const metadataOf = (workload: Workload, name: string, more: object = {}) => ({
  name,
  namespace: workload.environment.namespace,
  labels: labels(workload),
  ...more,
});
