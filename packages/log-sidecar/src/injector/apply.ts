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
export function apply(pod: Pod, plan: Plan, agent: (pod: Pod) => Container, volume: Volume): Pod {
  const moved = withModel(pod, plan);
  return withDefault(withVolume(withAgent(moved, plan, agent), volume), plan);
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

function withAgent(pod: Pod, plan: Plan, agent: (pod: Pod) => Container): Pod {
  if ([...initContainersOf(pod), ...pod.spec.containers].some(({ name }) => name === plan.agent)) return pod;
  // Last of the init containers: what fetches the model or sets up the network has run by then.
  return plan.sidecar === 'native'
    ? withSpec(pod, { initContainers: [...initContainersOf(pod), agent(pod)] })
    : withSpec(pod, { containers: [...pod.spec.containers, agent(pod)] });
}

function withVolume(pod: Pod, volume: Volume): Pod {
  const volumes = volumesOf(pod);
  return volumes.some(({ name }) => name === volume.name) ? pod : withSpec(pod, { volumes: [...volumes, volume] });
}

const withDefault = (pod: Pod, { container }: Plan): Pod =>
  annotationsOf(pod)[DEFAULT_CONTAINER] === undefined ? withAnnotation(pod, DEFAULT_CONTAINER, container) : pod;

const withSpec = (pod: Pod, changes: Partial<Pod['spec']>): Pod => ({ ...pod, spec: { ...pod.spec, ...changes } });

export const withAnnotation = (pod: Pod, name: string, value: string): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...annotationsOf(pod), [name]: value } },
});
