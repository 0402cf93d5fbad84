import { DEFAULT_CONTAINER } from './names.ts';
import type { Plan } from './plan.ts';
import {
  annotationsOf,
  type Container,
  type ContainerPort,
  initContainersOf,
  isTcp,
  type Pod,
  portsOf,
  type Volume,
  volumesOf,
} from './pod.ts';
import { withProbes } from './probes.ts';

/** Everything that a plan asks for; what is there already stays as it is, so that it may be done again at any time. */
export function apply(pod: Pod, plan: Plan, agent: (pod: Pod) => Container, volumes: readonly Volume[]): Pod {
  const moved = withModel(pod, plan);
  return withDefault(withVolumes(withAgent(moved, plan, agent), plan, volumes), plan);
}

function withModel(pod: Pod, plan: Plan): Pod {
  const index = pod.spec.containers.findIndex(({ name }) => name === plan.container);
  const container = pod.spec.containers[index];
  if (container === undefined) return pod;
  // Probes first: they look names up in the ports as they still are.
  const probed = withProbes(container, plan);
  const changed = plan.by === 'argument' ? withArgument(probed, plan) : withNamedPort(probed, plan);
  return changed === container ? pod : withSpec(pod, { containers: pod.spec.containers.with(index, changed) });
}

const ARGUMENT = /--rest_api_port=(\d+)/;

function withArgument(container: Container, { listen, upstream }: Plan): Container {
  for (const list of ['command', 'args'] as const) {
    const texts = container[list] ?? [];
    const index = texts.findIndex((text) => ARGUMENT.test(text));
    const text = texts[index];
    if (text === undefined) continue;
    if (Number(ARGUMENT.exec(text)?.[1]) !== listen) return container;
    return { ...container, [list]: texts.with(index, text.replace(ARGUMENT, `--rest_api_port=${upstream}`)) };
  }
  return { ...container, args: [...(container.args ?? []), `--rest_api_port=${upstream}`] };
}

/** Names stay with the model's container and lead to the agent: see agentPorts. */
function withNamedPort(container: Container, { listen, upstream }: Plan): Container {
  const leads = (entry: ContainerPort) => isTcp(entry) && entry.name && entry.containerPort === upstream;
  const ports = portsOf(container);
  if (!ports.some(leads)) return container;
  return { ...container, ports: ports.map((entry) => (leads(entry) ? { ...entry, containerPort: listen } : entry)) };
}

const agentOf = (pod: Pod, plan: Plan): Container | undefined =>
  [...initContainersOf(pod), ...pod.spec.containers].find(({ name }) => name === plan.agent);

function withAgent(pod: Pod, plan: Plan, agent: (pod: Pod) => Container): Pod {
  if (agentOf(pod, plan) !== undefined) return pod;
  // Last of the init containers: what fetches the model or sets up the network has run by then.
  return plan.sidecar === 'native'
    ? withSpec(pod, { initContainers: [...initContainersOf(pod), agent(pod)] })
    : withSpec(pod, { containers: [...pod.spec.containers, agent(pod)] });
}

/** What the agent mounts and the pod lacks: an agent of an earlier injector does not mount all of it. */
function withVolumes(pod: Pod, plan: Plan, wanted: readonly Volume[]): Pod {
  const there = volumesOf(pod);
  const mounted = agentOf(pod, plan)?.volumeMounts ?? [];
  const lacking = wanted.filter(
    ({ name }) => mounted.some((one) => one.name === name) && !there.some((one) => one.name === name),
  );
  return lacking.length === 0 ? pod : withSpec(pod, { volumes: [...there, ...lacking] });
}

const withDefault = (pod: Pod, { container }: Plan): Pod =>
  annotationsOf(pod)[DEFAULT_CONTAINER] === undefined ? withAnnotation(pod, DEFAULT_CONTAINER, container) : pod;

const withSpec = (pod: Pod, changes: Partial<Pod['spec']>): Pod => ({ ...pod, spec: { ...pod.spec, ...changes } });

export const withAnnotation = (pod: Pod, name: string, value: string): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...annotationsOf(pod), [name]: value } },
});
