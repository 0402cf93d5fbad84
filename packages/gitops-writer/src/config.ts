import { choice, type EnvOf, optionalText, optionalUrl, SERVICE_ENV, text, url } from '@fairway/core';

const HTTP = ['http', 'https'] as const;

/** The writer's environment. */
export const WRITER_ENV = {
  ...SERVICE_ENV,
  DATABASE_URL: url('PostgreSQL of the writer', ['postgres', 'postgresql']),
  DATA_DIR: text('folder for the Git mirror and temporary files'),
  WRITER_TOKEN: text('bearer token that callers of the API send'),
  GIT_URL: url('clone URL of the GitOps repository', [...HTTP, 'file']),
  GIT_BRANCH: text('default branch of the GitOps repository', 'main'),
  GIT_USER: text('user name that goes with FORGE_TOKEN for Git'),
  FORGE: choice('kind of the forge', ['gitea'], 'gitea'),
  FORGE_URL: url('base URL of the forge', HTTP),
  FORGE_REPOSITORY: text('owner/name of the GitOps repository on the forge'),
  FORGE_TOKEN: text('token of the forge, for Git and the API'),
  WEBHOOK_SECRET: text('secret that the forge signs its webhooks with'),
  MODEL_SOURCE: choice('kind of the model registry', ['directory'], 'directory'),
  MODEL_DIRECTORY: text('folder of the model registry'),
  IMAGE_LAYOUT: text('folder of the OCI image layout'),
  IMAGE_REPOSITORY: text('prefix of model image names'),
  SERVING_BASE: pinned('image of TensorFlow Serving in the layout'),
  AGENT_IMAGE: pinned('image of the capture agent'),
  KUBECONFIG: optionalText('kubeconfig file; without it the service account of the pod is used'),
  ARGOCD_NAMESPACE: text('namespace of the Argo CD Applications', 'openshift-gitops'),
  TEAMS_WEBHOOK_URL: optionalUrl('Teams workflow that takes cards', HTTP),
  DASHBOARD_URL: optionalUrl('base URL of the dashboard, for links', HTTP),
};

export type WriterEnv = EnvOf<typeof WRITER_ENV>;

function pinned(about: string) {
  return {
    about,
    read: (raw: string | undefined): { value: string } | { problem: string } => {
      if (raw === undefined) return { problem: 'is not set' };
      const isPinned = /^[^\s@]+@sha256:[0-9a-f]{64}$/.test(raw);
      return isPinned ? { value: raw } : { problem: 'must be pinned by digest: name@sha256:<64 hex digits>' };
    },
  };
}
