import { type KubeObject } from './render.ts';
import { title } from './schema.ts';

type Container = {
  readonly name: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: object };
  }[];
  readonly envFrom?: readonly { readonly secretRef?: object }[];
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly securityContext?: Record<string, unknown> & {
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
  readonly startupProbe?: object;
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
};
type Amounts = Readonly<Record<string, string>>;
export type PodSpec = {
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Record<string, unknown>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Record<string, unknown>[];
};

/** `production`: the overlay of somebody who means it, where nothing of ours may be left to fill in. */
export type PolicyOptions = { readonly production: boolean };

/** What our own rules find in rendered objects, each a sentence that names object and mend. */
export function policyProblems(objects: readonly KubeObject[], { production }: PolicyOptions): string[] {
  return objects.flatMap((object) => {
    const problems = [...podProblems(object), ...secretProblems(object), ...(production ? leftOpen(object) : [])];
    return problems.map((problem) => `${title(object)}: ${problem}`);
  });
}

const TEMPLATED = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'];

/** The pod that an object makes, if it makes any. */
export function podOf(object: KubeObject): PodSpec | undefined {
  const spec = object['spec'] as {
    template?: { spec: PodSpec };
    jobTemplate?: { spec: { template: { spec: PodSpec } } };
  };
  if (TEMPLATED.includes(object.kind)) return spec.template?.spec;
  if (object.kind === 'CronJob') return spec.jobTemplate?.spec.template.spec;
  return object.kind === 'Pod' ? (object['spec'] as PodSpec) : undefined;
}

function podProblems(object: KubeObject): string[] {
  const pod = podOf(object);
  if (pod === undefined) return [];
  const lasting = !['Job', 'CronJob'].includes(object.kind);
  return [
    ...restrictedPod(pod),
    ...(lasting && pod.terminationGracePeriodSeconds === undefined
      ? ['terminationGracePeriodSeconds is not set; say how long it takes to stop']
      : []),
    ...(pod.volumes ?? []).flatMap(volumeProblems),
    ...pod.containers.flatMap((container) => containerProblems(container, lasting)),
    ...(pod.initContainers ?? []).flatMap((container) =>
      containerProblems(container, container.restartPolicy === 'Always'),
    ),
  ];
}

/** https://docs.openshift.com: restricted-v2 takes these and refuses what it would have to change. */
function restrictedPod({ automountServiceAccountToken, securityContext = {}, ...pod }: PodSpec): string[] {
  const problems: string[] = [];
  const { runAsNonRoot, seccompProfile } = securityContext;
  if (automountServiceAccountToken === undefined)
    problems.push('automountServiceAccountToken is not set; say whether the pod needs a token');
  if (runAsNonRoot !== true) problems.push('securityContext.runAsNonRoot must be true');
  if ((seccompProfile as { type?: string } | undefined)?.type !== 'RuntimeDefault')
    problems.push('securityContext.seccompProfile.type must be RuntimeDefault');
  problems.push(...fixedIds(securityContext));
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) if (name in pod) problems.push(`${name} must not be set`);
  return problems;
}

const fixedIds = (context: Record<string, unknown>): string[] =>
  ['runAsUser', 'runAsGroup', 'fsGroup', 'supplementalGroups']
    .filter((name) => name in context)
    .map((name) => `${name} must not be set: it has to lie in the range of the namespace, which gives it`);

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

function volumeProblems({ name, ...source }: Record<string, unknown>): string[] {
  const [kind = 'nothing'] = Object.keys(source);
  if (!VOLUMES.includes(kind)) return [`volume ${String(name)} is a ${kind}, which restricted-v2 refuses`];
  const { sizeLimit } = (source[kind] ?? {}) as { sizeLimit?: string };
  return kind === 'emptyDir' && sizeLimit === undefined
    ? [`volume ${String(name)} needs a sizeLimit: without one it fills the node's disk`]
    : [];
}

/** Their programs are not ours: TensorFlow Serving and a trainer may write where their images let them. */
const WRITABLE_ROOT = ['serving', 'trainer'];

function containerProblems(container: Container, lasting: boolean): string[] {
  const { name, image = '', resources, securityContext = {} } = container;
  const problems = imageProblems(image);
  for (const amount of ['cpu', 'memory'])
    if (resources?.requests?.[amount] === undefined) problems.push(`resources.requests.${amount} is not set`);
  if (resources?.limits?.['memory'] === undefined) problems.push('resources.limits.memory is not set');
  const { allowPrivilegeEscalation, privileged, readOnlyRootFilesystem, capabilities } = securityContext;
  if (allowPrivilegeEscalation !== false) problems.push('securityContext.allowPrivilegeEscalation must be false');
  if (privileged === true) problems.push('securityContext.privileged must not be true');
  if (!(capabilities?.drop ?? []).includes('ALL')) problems.push('securityContext.capabilities.drop must hold ALL');
  if (capabilities !== undefined && 'add' in capabilities)
    problems.push('securityContext.capabilities.add must not be set');
  if (readOnlyRootFilesystem !== true && !WRITABLE_ROOT.includes(name))
    problems.push('securityContext.readOnlyRootFilesystem must be true');
  problems.push(...fixedIds(securityContext), ...looser(container), ...secretsInEnvironment(container));
  if (lasting && container.readinessProbe === undefined) problems.push('readinessProbe is not set');
  if (lasting && container.livenessProbe === undefined && container.startupProbe === undefined)
    problems.push('neither startupProbe nor livenessProbe is set');
  return problems.map((problem) => `container ${name}: ${problem}`);
}

/** What a container takes back of what its pod says, or takes of the node. */
function looser({ ports = [], securityContext = {} }: Container): string[] {
  const { runAsNonRoot, seccompProfile, procMount, seLinuxOptions } = securityContext;
  const profile = (seccompProfile as { type?: string } | undefined)?.type;
  return [
    ...(runAsNonRoot === false ? ['securityContext.runAsNonRoot must not be false'] : []),
    ...(profile === undefined || profile === 'RuntimeDefault' ? [] : [`seccomp profile ${profile} must not be set`]),
    ...(procMount === undefined ? [] : ['securityContext.procMount must not be set']),
    ...(seLinuxOptions === undefined
      ? []
      : ['securityContext.seLinuxOptions must not be set: the namespace gives them']),
    ...(ports.some(({ hostPort }) => hostPort !== undefined) ? ['hostPort must not be set'] : []),
  ];
}

/** The image of the trial's PostgreSQL takes its password no other way. */
const TAKES_ENVIRONMENT = ['postgres'];

/** A process never sees a changed environment, and whoever may look at the process sees the value. */
function secretsInEnvironment({ name, env = [], envFrom = [] }: Container): string[] {
  if (TAKES_ENVIRONMENT.includes(name)) return [];
  return [
    ...env.flatMap((one) =>
      one.valueFrom?.secretKeyRef === undefined
        ? []
        : [`${one.name} is taken from a Secret; mount it and set ${one.name}_FILE`],
    ),
    ...(envFrom.some(({ secretRef }) => secretRef !== undefined)
      ? ['envFrom takes a whole Secret; mount it and set NAME_FILE for each key']
      : []),
  ];
}

function imageProblems(image: string): string[] {
  if (/^[^\s@]+@sha256:[0-9a-f]{64}$/.test(image)) return [];
  if (image.endsWith(':latest')) return [`image ${image} is whatever is latest; pin it by digest`];
  return [`image ${image} is not pinned: write name@sha256:<64 hex digits>`];
}

/** Names whose value nobody may read in Git. `…_FILE` names where it is mounted. */
const SECRET_NAME =
  /(TOKEN|PASSWORD|SECRET|SECRET_PREVIOUS|CREDENTIALS|PRIVATE_KEY|HASH_KEY|SECRET_ACCESS_KEY|WEBHOOK_URL)$/;
/** Names of Kubernetes objects and of files, not values. */
const NO_SECRET = new Set(['QUEUE_SECRET', 'GOOGLE_APPLICATION_CREDENTIALS']);
export const isSecretSetting = (name: string): boolean => SECRET_NAME.test(name) && !NO_SECRET.has(name);

function secretProblems(object: KubeObject): string[] {
  const { data, stringData } = object as { data?: Record<string, string>; stringData?: Record<string, string> };
  if (object.kind === 'Secret' && (data !== undefined || stringData !== undefined))
    return ['holds values; refer to a Secret that is made outside of Git'];
  const pod = podOf(object);
  const settings = [
    ...Object.entries(object.kind === 'ConfigMap' ? (data ?? {}) : {}),
    ...[...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].flatMap(({ env = [] }) =>
      env.map(({ name, value }) => [name, value ?? ''] as const),
    ),
  ];
  return settings.flatMap(([name, value]) => {
    if (value === '') return [];
    if (isSecretSetting(name)) return [`${name} is a secret; mount it and set ${name}_FILE`];
    if (/:\/\/[^/\s]*:[^/\s]*@/.test(value))
      return [`${name} holds a password in its address; mount it and set ${name}_FILE`];
    return [];
  });
}

/** What stands in the shipped files for what only the installer knows. */
function leftOpen(object: KubeObject): string[] {
  const text = JSON.stringify(object);
  const problems: string[] = [];
  if (text.includes(`sha256:${'0'.repeat(64)}`)) problems.push('has a digest of zeros; put in the one of your image');
  if (text.includes('what-kubeseal-prints'))
    problems.push('is the example; put in what kubeseal prints for your cluster');
  const host = /[\w.-]*\bexample\.com/.exec(text)?.[0];
  if (host !== undefined) problems.push(`names ${host}; put in your own address`);
  return problems;
}
