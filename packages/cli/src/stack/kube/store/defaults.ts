import { type Kind, kindKey, MUTATING_WEBHOOKS } from '../kinds.ts';
import { isRecord, type KubeObject } from '../objects.ts';

type Fields = Readonly<Record<string, unknown>>;

const PROBE: Fields = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const CONTAINER: Fields = {
  imagePullPolicy: 'IfNotPresent',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const POD_SPEC: Fields = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
  securityContext: {},
  enableServiceLinks: true,
};

const record = (value: unknown): Fields => (isRecord(value) ? value : {});
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const fill = (defaults: Fields, value: unknown): Fields => ({ ...defaults, ...record(value) });
const mapped = (value: Fields, name: string, each: (item: Fields) => Fields): Fields =>
  Array.isArray(value[name]) ? { [name]: list(value[name]).map(each) } : {};
const present = (value: Fields, name: string, each: (item: Fields) => Fields): Fields =>
  isRecord(value[name]) ? { [name]: each(value[name]) } : {};

const probe = (value: Fields): Fields => ({
  ...fill(PROBE, value),
  ...present(value, 'httpGet', (get) => fill({ path: '/', scheme: 'HTTP' }, get)),
});

const envVar = (value: Fields): Fields => ({
  ...value,
  ...present(value, 'valueFrom', (from) => ({
    ...from,
    ...present(from, 'fieldRef', (ref) => fill({ apiVersion: 'v1' }, ref)),
  })),
});

const container = (value: Fields): Fields => ({
  ...fill(CONTAINER, value),
  ...mapped(value, 'ports', (port) => fill({ protocol: 'TCP' }, port)),
  ...mapped(value, 'env', envVar),
  ...present(value, 'startupProbe', probe),
  ...present(value, 'readinessProbe', probe),
  ...present(value, 'livenessProbe', probe),
});

const volume = (value: Fields): Fields => ({
  ...value,
  ...present(value, 'secret', (source) => fill({ defaultMode: 420 }, source)),
  ...present(value, 'configMap', (source) => fill({ defaultMode: 420 }, source)),
});

const podSpec = (value: Fields): Fields => ({
  ...fill(POD_SPEC, value),
  ...mapped(value, 'containers', container),
  ...mapped(value, 'initContainers', container),
  ...mapped(value, 'volumes', volume),
});

const template = (spec: Fields): Fields =>
  present(spec, 'template', (pod) => ({
    ...pod,
    metadata: record(pod['metadata']),
    spec: podSpec(record(pod['spec'])),
  }));

const deployment = (spec: Fields): Fields => ({
  replicas: 1,
  revisionHistoryLimit: 10,
  progressDeadlineSeconds: 600,
  ...spec,
  strategy: strategy(record(spec['strategy'])),
  ...template(spec),
});

const strategy = (value: Fields): Fields => {
  const type = value['type'] ?? 'RollingUpdate';
  if (type !== 'RollingUpdate') return { ...value, type };
  return { type, rollingUpdate: fill({ maxSurge: '25%', maxUnavailable: '25%' }, value['rollingUpdate']) };
};

const service = (spec: Fields): Fields => ({
  type: 'ClusterIP',
  sessionAffinity: 'None',
  internalTrafficPolicy: 'Cluster',
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
  ...spec,
  ...mapped(spec, 'ports', (port) => ({ protocol: 'TCP', targetPort: port['port'], ...port })),
});

const job = (spec: Fields): Fields => ({
  backoffLimit: 6,
  completions: 1,
  parallelism: 1,
  completionMode: 'NonIndexed',
  suspend: false,
  podReplacementPolicy: isRecord(spec['podFailurePolicy']) ? 'Failed' : 'TerminatingOrFailed',
  ...spec,
  ...template(spec),
});

const SPEC_DEFAULTS: Readonly<Record<string, (spec: Fields) => Fields>> = {
  '/Pod': podSpec,
  '/Service': service,
  '/Namespace': (spec) => fill({ finalizers: ['kubernetes'] }, spec),
  '/PersistentVolume': (spec) => fill({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }, spec),
  '/PersistentVolumeClaim': (spec) => fill({ volumeMode: 'Filesystem' }, spec),
  'apps/Deployment': deployment,
  'apps/ReplicaSet': (spec) => ({ replicas: 1, ...spec, ...template(spec) }),
  'batch/Job': job,
};

const WEBHOOK: Fields = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  reinvocationPolicy: 'Never',
  timeoutSeconds: 10,
};

const webhook = (value: Fields): Fields => ({
  ...fill(WEBHOOK, value),
  ...mapped(value, 'rules', (rule) => fill({ scope: '*' }, rule)),
  ...present(value, 'clientConfig', (config) => ({
    ...config,
    ...present(config, 'service', (service) => fill({ port: 443 }, service)),
  })),
});

/** The object with the defaults that the API server writes into it; applying it twice changes nothing. */
export function withDefaults<T extends KubeObject>(kind: Kind, object: T): T {
  if (kindKey(kind) === '/Secret') return secret(object);
  if (kindKey(kind) === kindKey(MUTATING_WEBHOOKS)) return { ...object, ...mapped(object, 'webhooks', webhook) };
  const spec = SPEC_DEFAULTS[kindKey(kind)];
  return spec ? { ...object, spec: spec(record(object['spec'])) } : object;
}

function secret<T extends KubeObject>(object: T): T {
  const { stringData, ...rest } = object as T & { stringData?: unknown };
  const plain = Object.entries(record(stringData)).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  const data = { ...record(object['data']), ...Object.fromEntries(plain) };
  return { type: 'Opaque', ...rest, ...(Object.keys(data).length > 0 ? { data } : {}) } as unknown as T;
}
