import { AGENT_MEMORY_MIB, agentMemory } from '@fairway/core';
import type { CaptureSettings } from './capture-settings.ts';
import { ANNOTATION, containerSecurity, settingsOf, type Workload } from './workload.ts';

/** Where callers predict, by REST and by gRPC. */
export const AGENT_PORT = 9001;
export const AGENT_GRPC_PORT = 9002;
export const ADMIN_PORT = 9090;

const byInjector = ({ file }: Workload): boolean => file.capture.agent === 'injector';

const QUEUE_FILES = '/etc/fairway-queue';

/** A file of the Secret that leads to the queue: files change with their Secret while a process runs, its environment never. */
const queueFile = (key: string): string => `${QUEUE_FILES}/${key}`;

/** Where the queue is and how to log on there. */
export const queueFiles = { QUEUE_PREFIX_FILE: queueFile('prefix'), QUEUE_URL_FILE: queueFile('url') };
export const queueMount = { name: 'queue', mountPath: QUEUE_FILES, readOnly: true };
export const queueVolume = { name: 'queue', secret: { secretName: 'fairway-queue' } };

/** Named in the order of their names, as every container's environment; a value is a text or where it comes from. */
export const environmentOf = (variables: Readonly<Record<string, string | object>>): object[] =>
  Object.entries(variables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (typeof value === 'string' ? { name, value } : { name, valueFrom: value }));

/** What is redacted, and by which key. */
export function redaction({ redact = {} }: CaptureSettings): Record<string, string> {
  const rules = Object.entries(redact).sort(([a], [b]) => (a < b ? -1 : 1));
  if (rules.length === 0) return {};
  const hashes = rules.some(([, action]) => action === 'hash');
  return {
    CAPTURE_REDACT: JSON.stringify(Object.fromEntries(rules)),
    ...(hashes ? { CAPTURE_HASH_KEY_FILE: queueFile('hash-key') } : {}),
  };
}

/**
 * The agent as a native sidecar; undefined where the injector brings it, the same one (test/integration/injector/same-agent.test.ts).
 * Its probes ask whether the process runs, never whether the queue answers: serving must not wait for capture.
 */
export function agentContainer(workload: Workload): object | undefined {
  if (byInjector(workload)) return undefined;
  const { grpc } = settingsOf(workload);
  const alive = { path: '/healthz', port: 'admin' };
  return {
    name: 'agent',
    image: workload.agentImage,
    restartPolicy: 'Always',
    env: environmentOf(settings(workload)),
    ports: [
      { name: 'predict', containerPort: AGENT_PORT, protocol: 'TCP' },
      ...(grpc ? [{ name: 'predict-grpc', containerPort: AGENT_GRPC_PORT, protocol: 'TCP' }] : []),
      { name: 'admin', containerPort: ADMIN_PORT, protocol: 'TCP' },
    ],
    // The model starts after it, and must not be ready before the port is that callers come to.
    startupProbe: { tcpSocket: { port: 'predict' }, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { httpGet: alive, periodSeconds: 5, failureThreshold: 3 },
    resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: `${AGENT_MEMORY_MIB}Mi` } },
    securityContext: { ...containerSecurity, readOnlyRootFilesystem: true },
    volumeMounts: [queueMount, { name: 'spool', mountPath: '/var/spool/fairway' }],
  };
}

/** The injector brings its own. */
export const agentVolumes = (workload: Workload): object[] =>
  byInjector(workload) ? [] : [queueVolume, { name: 'spool', emptyDir: { sizeLimit: '256Mi' } }];

function settings(workload: Workload): Record<string, string | object> {
  const { modelVersion, environment, file } = workload;
  const { sampling, bodyBytes, trustEventTime } = file.capture;
  return {
    ADMIN_PORT: String(ADMIN_PORT),
    AGENT_NAME: { fieldRef: { fieldPath: 'metadata.name' } },
    ...(bodyBytes === undefined ? {} : { CAPTURE_BODY_BYTES: String(bodyBytes) }),
    ...redaction(file.capture),
    ...(sampling === undefined ? {} : { CAPTURE_SAMPLING: String(sampling) }),
    FAIRWAY_ENVIRONMENT: environment.name,
    FAIRWAY_MODEL: modelVersion.model,
    ...(settingsOf(workload).grpc
      ? { GRPC_LISTEN_PORT: String(AGENT_GRPC_PORT), GRPC_UPSTREAM: '127.0.0.1:8500' }
      : {}),
    LISTEN_PORT: String(AGENT_PORT),
    ...agentMemory(AGENT_MEMORY_MIB),
    ...queueFiles,
    SPOOL_DIR: '/var/spool/fairway',
    TRUST_EVENT_TIME: String(trustEventTime),
    UPSTREAM: '127.0.0.1:8501',
  };
}

type Asked = { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };

/** What a pod template says to the injector (docs/injector.md); nothing where the agent is in the template itself. */
export function askForAgent(workload: Workload): Asked {
  if (!byInjector(workload)) return { labels: {}, annotations: {} };
  const { sampling, bodyBytes, trustEventTime, redact } = workload.file.capture;
  const rules = Object.entries(redact ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const said: Record<string, string> = {
    container: 'serving',
    // The Service leads to the name `rest`, and the injector leads that name here.
    port: 'rest',
    'listen-port': String(AGENT_PORT),
    'admin-port': String(ADMIN_PORT),
    'trust-event-time': String(trustEventTime),
    ...(settingsOf(workload).grpc ? { 'grpc-listen-port': String(AGENT_GRPC_PORT) } : {}),
    ...(sampling === undefined ? {} : { sampling: String(sampling) }),
    ...(bodyBytes === undefined ? {} : { 'body-bytes': String(bodyBytes) }),
    ...(rules.length === 0 ? {} : { redact: JSON.stringify(Object.fromEntries(rules)) }),
  };
  return {
    labels: { [`${ANNOTATION}/inject`]: 'true' },
    annotations: Object.fromEntries(Object.entries(said).map(([key, value]) => [`${ANNOTATION}/${key}`, value])),
  };
}
