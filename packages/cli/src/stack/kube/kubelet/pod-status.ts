import { type Condition, kubeTime, withCondition } from '../objects.ts';
import {
  type Container,
  type ContainerState,
  type ContainerStatus,
  isSidecar,
  type Pod,
  type PodStatus,
} from '../workloads.ts';

export type Role = 'init' | 'sidecar' | 'main';

/** What is known of one container; its runner writes it, everybody else reads. */
export type ContainerRecord = {
  readonly spec: Container;
  readonly role: Role;
  state: ContainerState;
  lastState: ContainerState;
  restartCount: number;
  ready: boolean;
  started: boolean;
  imageID: string;
  containerID: string;
};

const CREATING: ContainerState = { waiting: { reason: 'ContainerCreating' } };
const INITIALIZING: ContainerState = { waiting: { reason: 'PodInitializing' } };

/** Whether a container that ended with this code is started again. */
export function isRestarted(role: Role, policy: Pod['spec']['restartPolicy'], code: number): boolean {
  if (role === 'sidecar') return true;
  if (role === 'init') return code !== 0 && policy !== 'Never';
  return policy === 'Never' ? false : policy === 'OnFailure' ? code !== 0 : true;
}

/**
 * Records of a pod's containers in start order, as a fresh kubelet takes them over: what ran is gone and counts as a
 * restart, what had ended for good stays so, init containers run again.
 */
export function takeOver(pod: Pod, now: number): ContainerRecord[] {
  const inits = (pod.spec.initContainers ?? []).map((spec) => ({
    spec,
    role: isSidecar(spec) ? ('sidecar' as const) : ('init' as const),
  }));
  const mains = pod.spec.containers.map((spec) => ({ spec, role: 'main' as const }));
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return [...inits, ...mains].map(({ spec, role }) => {
    const before = statuses.find(({ name }) => name === spec.name);
    const { imageID = '', containerID = '' } = before ?? {};
    const waiting = inits.length > 0 && role === 'main' ? INITIALIZING : CREATING;
    return {
      spec,
      role,
      ready: false,
      started: false,
      imageID,
      containerID,
      ...inherited(pod, role, before, waiting, now),
    };
  });
}

type Inherited = Pick<ContainerRecord, 'state' | 'lastState' | 'restartCount'>;

function inherited(
  pod: Pod,
  role: Role,
  before: ContainerStatus | undefined,
  waiting: ContainerState,
  now: number,
): Inherited {
  const { state = waiting, lastState = {}, restartCount = 0 } = before ?? {};
  const { terminated, running } = state;
  if (role === 'main' && terminated && !isRestarted(role, pod.spec.restartPolicy, terminated.exitCode))
    return { state, lastState, restartCount };
  if (!running) return { state: waiting, lastState, restartCount };
  const message = 'The kubelet was restarted';
  const lost = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message,
    startedAt: running.startedAt,
    finishedAt: kubeTime(now),
  };
  return { state: waiting, lastState: { terminated: lost }, restartCount: restartCount + 1 };
}

/** A pod's status from its records. `over`: no container will be started any more. */
export function podStatus(
  pod: Pod,
  records: readonly ContainerRecord[],
  podIP: string,
  over: boolean,
  now: number,
): PodStatus {
  const inits = records.filter(({ role }) => role !== 'main');
  const mains = records.filter(({ role }) => role === 'main');
  const phase = phaseOf(pod, inits, mains, over);
  return {
    ...pod.status,
    phase,
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: '127.0.0.1',
    startTime: pod.status?.startTime ?? kubeTime(now),
    conditions: conditionsOf(pod, records, phase, now),
    ...(inits.length > 0 ? { initContainerStatuses: inits.map(statusOf) } : {}),
    containerStatuses: mains.map(statusOf),
  };
}

function phaseOf(
  pod: Pod,
  inits: readonly ContainerRecord[],
  mains: readonly ContainerRecord[],
  over: boolean,
): PodStatus['phase'] {
  const policy = pod.spec.restartPolicy;
  const lost = inits.some(
    ({ role, state }) => role === 'init' && policy === 'Never' && (state.terminated?.exitCode ?? 0) !== 0,
  );
  const codes = mains.map(({ state }) => state.terminated?.exitCode);
  const done = codes.every((code) => code !== undefined && !isRestarted('main', policy, code));
  if ((over && lost) || (over && done)) return !lost && codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
  const begun = mains.some(({ state, lastState }) => state.running ?? state.terminated ?? lastState.terminated);
  return begun ? 'Running' : 'Pending';
}

function conditionsOf(
  pod: Pod,
  records: readonly ContainerRecord[],
  phase: PodStatus['phase'],
  now: number,
): Condition[] {
  const initialized = records.every(({ role, started, state }) =>
    role === 'init' ? state.terminated?.exitCode === 0 : role === 'main' || started,
  );
  const unready = records.filter(({ role, ready }) => role !== 'init' && !ready).map(({ spec }) => spec.name);
  const ended = phase === 'Succeeded' || phase === 'Failed';
  const reason = phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady';
  const why = { reason, message: `containers with unready status: [${unready.join(' ')}]` };
  const ready: Pick<Condition, 'status' | 'reason' | 'message'> =
    unready.length === 0 && !ended ? { status: 'True' } : { status: 'False', ...why };
  const all: Condition[] = [
    { type: 'PodScheduled', status: 'True' },
    { type: 'PodReadyToStartContainers', status: ended ? 'False' : 'True' },
    { type: 'Initialized', status: initialized || ended ? 'True' : 'False' },
    { type: 'ContainersReady', ...ready },
    { type: 'Ready', ...ready },
  ];
  return all.reduce<Condition[]>(
    (conditions, condition) => withCondition(conditions, condition, now),
    [...(pod.status?.conditions ?? [])],
  );
}

function statusOf({
  spec,
  role,
  state,
  lastState,
  restartCount,
  ready,
  started,
  imageID,
  containerID,
}: ContainerRecord): ContainerStatus {
  return {
    name: spec.name,
    image: spec.image,
    imageID,
    ...(containerID === '' ? {} : { containerID }),
    ready: role === 'init' ? state.terminated?.exitCode === 0 : ready,
    started,
    restartCount,
    state,
    lastState,
  };
}
