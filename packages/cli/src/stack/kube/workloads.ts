import type { Condition, Dict, KubeObject } from './objects.ts';

export type LabelSelector = {
  readonly matchLabels?: Dict;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
};

export type PortRef = number | string;

export type Probe = {
  readonly httpGet?: {
    readonly path?: string;
    readonly port: PortRef;
    readonly host?: string;
    readonly scheme?: string;
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly port: PortRef; readonly host?: string };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
};

export type EnvSource = {
  readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  readonly configMapKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  readonly fieldRef?: { readonly fieldPath: string };
};

type EnvVar = { readonly name: string; readonly value?: string; readonly valueFrom?: EnvSource };

type ContainerPort = { readonly name?: string; readonly containerPort: number; readonly protocol?: string };

type Hook = {
  readonly exec?: { readonly command?: readonly string[] };
  readonly httpGet?: NonNullable<Probe['httpGet']>;
  readonly sleep?: { readonly seconds: number };
};

export type Container = {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly secretRef?: { readonly name: string; readonly optional?: boolean };
    readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
  }[];
  readonly ports?: readonly ContainerPort[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: Hook };
  readonly restartPolicy?: 'Always';
  readonly terminationMessagePath?: string;
};

type FileItems = readonly { readonly key: string; readonly path: string }[];

export type Volume = {
  readonly name: string;
  readonly emptyDir?: object;
  readonly secret?: { readonly secretName: string; readonly items?: FileItems; readonly optional?: boolean };
  readonly configMap?: { readonly name: string; readonly items?: FileItems; readonly optional?: boolean };
  readonly persistentVolumeClaim?: { readonly claimName: string };
};

export type PodSpec = {
  readonly nodeName?: string;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly terminationGracePeriodSeconds?: number;
};

export type ContainerState = {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly signal?: number;
    readonly message?: string;
    readonly startedAt?: string;
    readonly finishedAt?: string;
  };
};

export type ContainerStatus = {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
};

export type PodStatus = {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly reason?: string;
  readonly message?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly hostIP?: string;
  readonly startTime?: string;
  readonly conditions?: readonly Condition[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses?: readonly ContainerStatus[];
};

export type PodTemplate = {
  readonly metadata?: { readonly labels?: Dict; readonly annotations?: Dict };
  readonly spec: PodSpec;
};
export type Pod = KubeObject & { readonly spec: PodSpec; readonly status?: PodStatus };

export type ReplicaSet = KubeObject & {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
  };
};

export type Deployment = KubeObject & {
  readonly spec: ReplicaSet['spec'] & {
    readonly paused?: boolean;
    readonly progressDeadlineSeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly strategy?: {
      readonly type?: 'RollingUpdate' | 'Recreate';
      readonly rollingUpdate?: { readonly maxSurge?: PortRef; readonly maxUnavailable?: PortRef };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly unavailableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
};

export type Job = KubeObject & {
  readonly spec: {
    readonly completions?: number;
    readonly parallelism?: number;
    readonly backoffLimit?: number;
    readonly activeDeadlineSeconds?: number;
    readonly ttlSecondsAfterFinished?: number;
    readonly suspend?: boolean;
    readonly selector?: LabelSelector;
    readonly podFailurePolicy?: {
      readonly rules: readonly {
        readonly action: string;
        readonly onExitCodes?: {
          readonly containerName?: string;
          readonly operator: string;
          readonly values: readonly number[];
        };
      }[];
    };
    readonly template: PodTemplate;
  };
  readonly status?: {
    readonly active?: number;
    readonly ready?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly Condition[];
  };
};

type ServicePort = {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: PortRef;
  readonly protocol?: string;
};
export type Service = KubeObject & {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly selector?: Dict;
    readonly ports?: readonly ServicePort[];
  };
};

export type Endpoint = {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
  readonly targetRef?: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
};
export type EndpointSlice = KubeObject & {
  readonly addressType: string;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
};

type ClaimRef = { readonly name?: string; readonly namespace?: string; readonly uid?: string };
export type PersistentVolume = KubeObject & {
  readonly spec: {
    readonly hostPath?: { readonly path: string };
    readonly claimRef?: ClaimRef;
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
    readonly capacity?: object;
  };
};
export type PersistentVolumeClaim = KubeObject & {
  readonly spec: {
    readonly volumeName?: string;
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
  };
  readonly status?: { readonly phase?: string };
};

export type Namespace = KubeObject & { readonly spec: { readonly finalizers?: readonly string[] } };
export type EventObject = KubeObject & { readonly count: number; readonly lastTimestamp: string };

/** Whether an init container is a native sidecar. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

export const isPodReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

export const isPodFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Containers whose ports a Service or probe may name: the main ones, then the sidecars. */
export const portOwners = (spec: PodSpec): Container[] => [
  ...spec.containers,
  ...(spec.initContainers ?? []).filter(isSidecar),
];

/** A port by number, or by the name that one of the pod's containers declares; undefined when nobody declares it. */
export function resolvePort(port: PortRef, containers: readonly Container[]): number | undefined {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  return containers.flatMap(({ ports }) => ports ?? []).find(({ name }) => name === port)?.containerPort;
}
