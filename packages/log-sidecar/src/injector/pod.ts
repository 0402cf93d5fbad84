/** A pod as far as the injector looks at it; everything else is carried along untouched. YAML may hold null for "nothing". */
export type Pod = {
  readonly metadata?: Metadata | null;
  readonly spec: PodSpec;
};

export type Metadata = {
  readonly name?: string | null;
  readonly generateName?: string | null;
  readonly namespace?: string | null;
  readonly labels?: Dict | null;
  readonly annotations?: Dict | null;
};

export type PodSpec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | null;
  readonly volumes?: readonly Volume[] | null;
  readonly hostNetwork?: boolean | null;
  readonly restartPolicy?: string | null;
  readonly nodeSelector?: Dict | null;
  readonly os?: { readonly name?: string } | null;
};

export type Dict = Readonly<Record<string, string>>;
export type Volume = { readonly name: string; readonly emptyDir?: object | null; readonly secret?: object | null };
export type VolumeMount = { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean | null };
/** A port as probes and Services name it. */
export type PortRef = number | string;

export type Container = {
  readonly name: string;
  readonly image?: string | null;
  readonly command?: readonly string[] | null;
  readonly args?: readonly string[] | null;
  readonly env?: readonly EnvVar[] | null;
  readonly ports?: readonly ContainerPort[] | null;
  readonly volumeMounts?: readonly VolumeMount[] | null;
  readonly startupProbe?: Handler | null;
  readonly readinessProbe?: Handler | null;
  readonly livenessProbe?: Handler | null;
  readonly lifecycle?: { readonly postStart?: Handler | null; readonly preStop?: Handler | null } | null;
};

export type EnvVar = { readonly name: string; readonly value?: string | null };

export type ContainerPort = {
  readonly containerPort: number;
  readonly name?: string | null;
  readonly protocol?: string | null;
};

/** A probe or a hook; `exec` and `grpc` are not looked at. */
export type Handler = {
  readonly httpGet?: { readonly port: PortRef } | null;
  readonly tcpSocket?: { readonly port: PortRef } | null;
  readonly periodSeconds?: number | null;
  readonly failureThreshold?: number | null;
};

export const annotationsOf = (pod: Pod): Dict => pod.metadata?.annotations ?? {};
export const labelsOf = (pod: Pod): Dict => pod.metadata?.labels ?? {};
export const initContainersOf = (pod: Pod): readonly Container[] => pod.spec.initContainers ?? [];
export const volumesOf = (pod: Pod): readonly Volume[] => pod.spec.volumes ?? [];
export const portsOf = (container: Container): readonly ContainerPort[] => container.ports ?? [];
export const allContainers = (pod: Pod): readonly Container[] => [...initContainersOf(pod), ...pod.spec.containers];
export const isTcp = ({ protocol }: ContainerPort): boolean => (protocol ?? 'TCP') === 'TCP';
