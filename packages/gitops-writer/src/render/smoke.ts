import { GOLDEN_FILE, sha256 } from '@fairway/core';
import { smokeJobName } from './paths.ts';
import { ANNOTATION, containerSecurity, labels, podSecurity, selector, type Workload } from './workload.ts';

/** The golden cases of a model version as registered, and the workload that must answer them. */
export type Smoke = { readonly workload: Workload; readonly golden: string };

/** Names in the model's namespace, which is the model's own. */
export const SMOKE = 'fairway-smoke';
const CASES = 'fairway-golden';
const MOUNT = '/etc/fairway/golden';
/** Where the kubelet reads why a container ended. */
const TERMINATION_LOG = '/dev/termination-log';

/** Above the runner's own deadline, which alone can tell what was missing. */
const DEADLINE_SECONDS = 600;

/**
 * The ConfigMap that kustomize makes of golden.jsonl. Its name stays the same, so that nothing is left to prune where an
 * Argo CD does not; that the Job reads the right bytes is checked by their hash.
 */
export function goldenConfigMap({ workload }: Smoke): object {
  return {
    name: CASES,
    namespace: workload.environment.namespace,
    files: [GOLDEN_FILE],
    options: {
      disableNameSuffixHash: true,
      labels: labels(workload),
      // A client-side apply keeps the object once more in an annotation, which holds 256 KiB at most.
      annotations: { 'argocd.argoproj.io/sync-options': 'ServerSideApply=true' },
    },
  };
}

/**
 * A door to TensorFlow Serving past the agent: the questions of a smoke test are nobody's predictions, and a mark that
 * keeps the agent from recording them could be set by any caller.
 */
export function smokeService({ workload }: Smoke): object {
  const { environment, modelVersion } = workload;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: SMOKE, namespace: environment.namespace, labels: labels(workload) },
    spec: {
      selector: selector(modelVersion.model),
      ports: [{ name: 'rest', port: 8501, protocol: 'TCP', targetPort: 'rest' }],
    },
  };
}

/** The Job that Argo CD runs after everything of a sync is healthy; its failure fails the sync. */
export function smokeJob(smoke: Smoke): object {
  const { change, environment, modelVersion } = smoke.workload;
  // Not those of the scoring pods, or the Services would choose it.
  const own = {
    'app.kubernetes.io/managed-by': 'fairway',
    'app.kubernetes.io/name': SMOKE,
    [`${ANNOTATION}/smoke`]: change,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: smokeJobName(change),
      namespace: environment.namespace,
      labels: own,
      annotations: {
        'argocd.argoproj.io/hook': 'PostSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
        [`${ANNOTATION}/model`]: modelVersion.model,
        [`${ANNOTATION}/version`]: modelVersion.version,
      },
    },
    spec: {
      activeDeadlineSeconds: DEADLINE_SECONDS,
      backoffLimit: 1,
      // Exit code 1 is the model's answer, not an accident: no second try.
      podFailurePolicy: {
        rules: [{ action: 'FailJob', onExitCodes: { containerName: 'smoke', operator: 'In', values: [1] } }],
      },
      // A day to read the log; a hook that is gone is no difference to Argo CD.
      ttlSecondsAfterFinished: 86_400,
      template: { metadata: { labels: own }, spec: podSpec(smoke) },
    },
  };
}

function podSpec(smoke: Smoke): object {
  return {
    automountServiceAccountToken: false,
    containers: [runner(smoke)],
    restartPolicy: 'Never',
    securityContext: podSecurity,
    volumes: [{ name: 'golden', configMap: { name: CASES } }],
  };
}

function runner({ workload, golden }: Smoke): object {
  const { agentImage, environment, modelVersion } = workload;
  const env: Record<string, string> = {
    FAIRWAY_MODEL: modelVersion.model,
    FAIRWAY_VERSION: modelVersion.version,
    GOLDEN_CASES: `${MOUNT}/${GOLDEN_FILE}`,
    GOLDEN_SHA256: sha256(golden),
    SMOKE_URL: `http://${SMOKE}.${environment.namespace}.svc:8501`,
    TERMINATION_LOG,
  };
  return {
    name: 'smoke',
    image: agentImage,
    args: ['smoke'],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    terminationMessagePath: TERMINATION_LOG,
    volumeMounts: [{ name: 'golden', mountPath: MOUNT, readOnly: true }],
  };
}
