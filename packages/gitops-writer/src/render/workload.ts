import type { Environment, ModelVersion } from '@fairway/core';
import type { CaptureSettings, ModelFile } from './model-file.ts';

const AGENT_PORT = 9001;

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

export const selector = (model: string) => ({ 'app.kubernetes.io/name': model, [`${ANNOTATION}/model`]: model });
export const labels = ({ modelVersion, environment }: Workload) => ({
  ...selector(modelVersion.model),
  'app.kubernetes.io/managed-by': 'fairway',
  [`${ANNOTATION}/environment`]: environment.name,
});

/** The Deployment: TensorFlow Serving with the model in its image, the agent before it as a native sidecar. */
export function deployment(workload: Workload): object {
  const { modelVersion, environment, file, change } = workload;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: modelVersion.model, namespace: environment.namespace, labels: labels(workload) },
    spec: {
      replicas: file.replicas,
      revisionHistoryLimit: 3,
      // Above the time a large model needs to load, or a slow load would count as a failed rollout.
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: selector(modelVersion.model) },
      template: {
        metadata: {
          labels: labels(workload),
          annotations: {
            [`${ANNOTATION}/change`]: change,
            [`${ANNOTATION}/model`]: modelVersion.model,
            [`${ANNOTATION}/version`]: modelVersion.version,
            [`${ANNOTATION}/digest`]: modelVersion.digest,
          },
        },
        spec: {
          automountServiceAccountToken: false,
          securityContext: podSecurity,
          terminationGracePeriodSeconds: 60,
          initContainers: [agent(workload)],
          containers: [serving(workload)],
          volumes: [{ name: 'spool', emptyDir: { sizeLimit: '256Mi' } }],
        },
      },
    },
  };
}

/**
 * The Service: callers reach the agent, which forwards to TensorFlow Serving. By number: before Kubernetes 1.32 a Service finds no
 * port name of a native sidecar (kubernetes/kubernetes#127958), and would have no endpoints.
 */
export function service(workload: Workload): object {
  const { modelVersion, environment } = workload;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: modelVersion.model, namespace: environment.namespace, labels: labels(workload) },
    spec: {
      selector: selector(modelVersion.model),
      ports: [{ name: 'http', port: 8501, protocol: 'TCP', targetPort: AGENT_PORT }],
    },
  };
}

function serving({ modelVersion: { model }, image }: Workload): object {
  const status = { path: `/v1/models/${model}`, port: 'rest' };
  return {
    name: 'serving',
    image,
    env: [{ name: 'MODEL_NAME', value: model }],
    ports: [
      { name: 'grpc', containerPort: 8500, protocol: 'TCP' },
      { name: 'rest', containerPort: 8501, protocol: 'TCP' },
    ],
    startupProbe: { httpGet: status, periodSeconds: 1, failureThreshold: 540 },
    readinessProbe: { httpGet: status, periodSeconds: 5, failureThreshold: 3 },
    resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '2Gi' } },
    securityContext: containerSecurity,
  };
}

/** Its probes ask whether the process runs, never whether the queue answers: serving must not wait for capture. */
function agent({ modelVersion: { model }, environment, file, agentImage }: Workload): object {
  const alive = { path: '/healthz', port: 'admin' };
  const queue = (key: string) => ({ secretKeyRef: { name: 'fairway-queue', key } });
  return {
    name: 'agent',
    image: agentImage,
    restartPolicy: 'Always',
    env: [
      { name: 'ADMIN_PORT', value: '9090' },
      { name: 'AGENT_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...captureSettings(file.capture, queue('hash-key').secretKeyRef),
      { name: 'FAIRWAY_ENVIRONMENT', value: environment.name },
      { name: 'FAIRWAY_MODEL', value: model },
      { name: 'LISTEN_PORT', value: String(AGENT_PORT) },
      { name: 'QUEUE_PREFIX', valueFrom: queue('prefix') },
      { name: 'QUEUE_URL', valueFrom: queue('url') },
      { name: 'SPOOL_DIR', value: '/var/spool/fairway' },
      { name: 'TRUST_EVENT_TIME', value: String(file.trustEventTime) },
      { name: 'UPSTREAM', value: '127.0.0.1:8501' },
    ],
    ports: [
      { name: 'predict', containerPort: AGENT_PORT, protocol: 'TCP' },
      { name: 'admin', containerPort: 9090, protocol: 'TCP' },
    ],
    startupProbe: { httpGet: alive, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { httpGet: alive, periodSeconds: 5, failureThreshold: 3 },
    resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    volumeMounts: [{ name: 'spool', mountPath: '/var/spool/fairway' }],
  };
}

/** In the order of their names, as all of the agent's environment; what nobody set is not there. */
function captureSettings({ sampling, redact, bodyBytes }: CaptureSettings, hashKey: object): object[] {
  const rules = Object.entries(redact ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const hashes = rules.some(([, action]) => action === 'hash');
  return [
    ...(bodyBytes === undefined ? [] : [{ name: 'CAPTURE_BODY_BYTES', value: String(bodyBytes) }]),
    // Without the key Kubernetes would only not start the container; the agent says what is missing.
    ...(hashes ? [{ name: 'CAPTURE_HASH_KEY', valueFrom: { secretKeyRef: { ...hashKey, optional: true } } }] : []),
    ...(rules.length === 0 ? [] : [{ name: 'CAPTURE_REDACT', value: JSON.stringify(Object.fromEntries(rules)) }]),
    ...(sampling === undefined ? [] : [{ name: 'CAPTURE_SAMPLING', value: String(sampling) }]),
  ];
}
