import { AGENT_MEMORY_MIB, agentMemory, canonicalJson, sha256 } from '@fairway/core';
import { needsHashKey } from '../config.ts';
import type { Plan } from './plan.ts';
import { allContainers, type Container, type ContainerPort, type Dict, type Pod, portsOf, type Volume } from './pod.ts';

/** What all agents of an injector have in common. */
export type Template = {
  readonly image: string;
  /** Secret with keys `url` and `prefix`, in each model's namespace. */
  readonly queueSecret: string;
};

/** What one agent is told. */
export type AgentFacts = {
  readonly model: string;
  readonly environment: string;
  readonly queueSecret: string;
  /** MiB. */
  readonly memoryLimit: number;
  readonly settings: Dict;
};

const SPOOL = '/var/spool/fairway';
/** The agent's own cap is half of it: beyond the limit the kubelet evicts the pod. */
const SPOOL_LIMIT = '256Mi';

/** Secrets are files there: a file changes with its Secret while the agent runs, its environment never. */
const QUEUE_FILES = '/etc/fairway-queue';

export const agentVolumes = ({ volume, queue }: Plan, queueSecret: string): readonly Volume[] => [
  { name: queue, secret: { secretName: queueSecret } },
  { name: volume, emptyDir: { sizeLimit: SPOOL_LIMIT } },
];

type AgentContainer = Container & Readonly<Record<string, unknown>>;

/** The agent as the writer renders it (docs/contracts.md), for this plan. */
export function agentContainer(template: Template, plan: Plan, facts: AgentFacts, pod: Pod): AgentContainer {
  const alive = { path: '/healthz', port: plan.admin };
  return {
    name: plan.agent,
    image: template.image,
    ...(plan.sidecar === 'native' ? { restartPolicy: 'Always' } : {}),
    env: environmentOf(plan, facts),
    ports: agentPorts(plan, pod),
    // The next container waits for it, and the model must not be ready before its port is.
    startupProbe: { tcpSocket: { port: plan.listen }, periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { httpGet: alive, periodSeconds: 5, failureThreshold: 3 },
    resources: {
      requests: { cpu: '50m', memory: '96Mi' },
      limits: { memory: `${facts.memoryLimit}Mi` },
    },
    // restricted-v2 gives each namespace its own range of users: a number of ours, or one copied, would be refused.
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: plan.queue, mountPath: QUEUE_FILES, readOnly: true },
      { name: plan.volume, mountPath: SPOOL },
    ],
  };
}

function environmentOf(plan: Plan, facts: AgentFacts): { name: string; value?: string; valueFrom?: object }[] {
  const env: Record<string, string | object> = {
    TRUST_EVENT_TIME: 'false',
    ...facts.settings,
    ADMIN_PORT: String(plan.admin),
    AGENT_NAME: { fieldRef: { fieldPath: 'metadata.name' } },
    FAIRWAY_ENVIRONMENT: facts.environment,
    FAIRWAY_MODEL: facts.model,
    LISTEN_PORT: String(plan.listen),
    ...agentMemory(facts.memoryLimit),
    QUEUE_PREFIX_FILE: `${QUEUE_FILES}/prefix`,
    QUEUE_URL_FILE: `${QUEUE_FILES}/url`,
    SPOOL_DIR: SPOOL,
    UPSTREAM: `127.0.0.1:${plan.upstream}`,
    // No other action needs the file, and an agent that is told of it does not start without it.
    ...(needsHashKey(facts.settings['CAPTURE_REDACT']) && { CAPTURE_HASH_KEY_FILE: `${QUEUE_FILES}/hash-key` }),
  };
  return Object.keys(env)
    .sort()
    .map((name) => {
      const value = env[name];
      return typeof value === 'string' ? { name, value } : { name, valueFrom: value as object };
    });
}

/**
 * A number or name that another container declares is left to it: Kubernetes warns of doubles, and before 1.32 Services do not
 * find names in init containers at all (kubernetes#127958), so that the model's entry is the one that must lead here.
 */
function agentPorts({ listen, admin, agent }: Plan, pod: Pod): ContainerPort[] {
  const declared = allContainers(pod)
    .filter(({ name }) => name !== agent)
    .flatMap(portsOf);
  const names = new Set(declared.map(({ name }) => name));
  const named = (name: string) => (names.has(name) ? `fairway-${name}` : name);
  const entries = [
    { name: named('predict'), containerPort: listen, protocol: 'TCP' },
    { name: named('admin'), containerPort: admin, protocol: 'TCP' },
  ];
  return entries.filter(({ containerPort }) => !declared.some((entry) => entry.containerPort === containerPort));
}

const SAMPLE: { plan: Plan; facts: Omit<AgentFacts, 'queueSecret'> } = {
  plan: {
    by: 'name',
    container: 'serving',
    agent: 'agent',
    sidecar: 'native',
    volume: 'spool',
    queue: 'queue',
    listen: 9001,
    upstream: 8501,
    admin: 9090,
  },
  facts: { model: 'model', environment: 'environment', memoryLimit: AGENT_MEMORY_MIB, settings: {} },
};

/** Names a template: the same for all pods of one injector, another one when image, settings or this file change. */
export function templateHash(template: Template): string {
  const { plan, facts } = SAMPLE;
  const pod: Pod = { spec: { containers: [] } };
  const agent = agentContainer(template, plan, { ...facts, queueSecret: template.queueSecret }, pod);
  return sha256(canonicalJson({ agent, volumes: agentVolumes(plan, template.queueSecret) })).slice(0, 16);
}
