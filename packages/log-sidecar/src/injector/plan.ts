import { shown } from './names.ts';
import type { Options } from './options.ts';
import { FIRST_FREE_PORT } from './options.ts';
import { allContainers, type Container, type Handler, initContainersOf, type Pod, portsOf, volumesOf } from './pod.ts';
import { type Serving, STOCK_GRPC_PORT } from './serving.ts';

/** What of the cluster and of the injector's settings decides about a pod. */
export type Placement = {
  /** Kubernetes 1.N of the cluster; undefined: not known. */
  readonly minor: number | undefined;
  readonly sidecar: 'auto' | 'native' | 'plain';
};

/**
 * What is done to a pod, all of it: the status annotation holds it, so that a second run does the same. `argument`: the agent
 * takes the model's port, the model gets another; `name`: the agent has a port of its own, the declared name leads there.
 */
export type Plan = {
  readonly by: 'argument' | 'name';
  readonly container: string;
  readonly agent: string;
  readonly sidecar: 'native' | 'plain';
  /** Of the spool. */
  readonly volume: string;
  /** Volume of the Secret that leads to the queue. */
  readonly queue: string;
  readonly listen: number;
  readonly upstream: number;
  readonly admin: number;
};

type Planned = { readonly plan: Plan; readonly warnings: readonly string[] } | { readonly problem: string };

/** Kubernetes runs restartable init containers from 1.29 on without a feature gate; 1.28 drops the field, and the pod would hang. */
const NATIVE_SINCE = 29;
const AGENT_PORT = 9001;
const ADMIN_PORT = 9090;
/** Above, ports go to outgoing connections. */
const FIRST_EPHEMERAL_PORT = 32_768;
/** Istio's own ports lie there, whether or not its sidecar has come yet. */
const MESH_PORTS = [15_000, 15_099] as const;

export function makePlan(pod: Pod, serving: Serving, options: Options, placement: Placement): Planned {
  const sidecar = placeOf(pod, options, placement);
  if (typeof sidecar !== 'string') return sidecar;
  const used = usedPorts(pod, serving, options);
  const grpc = Number(options.agent['GRPC_LISTEN_PORT'] ?? 0);
  const swap = swapPorts(serving, options, new Set([...used, grpc]));
  if ('problem' in swap) return swap;
  const { by, listen, upstream } = swap;
  const busy = new Set([...used, listen, upstream]);
  const noGrpc = grpcProblem(grpc, busy);
  if (noGrpc !== undefined) return noGrpc;
  busy.add(grpc);
  const admin = options['admin-port'] ?? nextFree(ADMIN_PORT, busy);
  if (options['admin-port'] !== undefined && busy.has(admin)) return taken('admin-port', admin);
  const names = new Set(allContainers(pod).map(({ name }) => name));
  const volumes = new Set(volumesOf(pod).map(({ name }) => name));
  const plan: Plan = {
    by,
    container: serving.container.name,
    agent: freeName('agent', names),
    sidecar,
    volume: freeName('spool', volumes),
    queue: freeName('queue', volumes),
    listen,
    upstream,
    admin,
  };
  return { plan, warnings: by === 'name' ? [byNameOnly(serving)] : [] };
}

const byNameOnly = ({ portName, port }: Serving): string =>
  `a Service must target this pod's port by its name ${shown(portName ?? '')}: what targets ${port} passes the agent by`;

function placeOf(
  { spec: { restartPolicy } }: Pod,
  options: Options,
  { minor, sidecar }: Placement,
): Plan['sidecar'] | { problem: string } {
  const able = minor === undefined ? undefined : minor >= NATIVE_SINCE;
  const asked = options.sidecar ?? (sidecar === 'auto' ? undefined : sidecar);
  if (asked === 'native' && able === false) {
    return { problem: `a native sidecar needs Kubernetes 1.${NATIVE_SINCE}, and this cluster has 1.${minor}` };
  }
  // Not known counts as old: a plain container works everywhere, a native one hangs an old cluster's pod.
  const place = asked ?? (able === true ? 'native' : 'plain');
  if (place === 'native' || (restartPolicy ?? 'Always') === 'Always') return place;
  return { problem: 'a plain container would keep a pod that is to end from ending: it needs a native sidecar' };
}

type Swap = Pick<Plan, 'by' | 'listen' | 'upstream'>;

/** By the argument where it can be: then Services by number and by name both go on working. */
function swapPorts(serving: Serving, options: Options, used: ReadonlySet<number>): Swap | { problem: string } {
  const { port, portName, argument } = serving;
  const [listen, upstream] = [options['listen-port'], options['upstream-port']];
  const byNumber = typeof options.port === 'number';
  if (argument !== undefined && port >= FIRST_FREE_PORT && (listen ?? port) === port && upstream !== port) {
    if (upstream !== undefined && used.has(upstream)) return taken('upstream-port', upstream);
    return { by: 'argument', listen: port, upstream: upstream ?? spare(port, used) };
  }
  if (portName !== undefined && !byNumber && listen !== port && (upstream ?? port) === port) {
    if (listen !== undefined && used.has(listen)) return taken('listen-port', listen);
    return { by: 'name', listen: listen ?? nextFree(AGENT_PORT, used), upstream: port };
  }
  return { problem: noWay(serving, byNumber, listen ?? upstream) };
}

function noWay({ port, portName }: Serving, byNumber: boolean, asked: number | undefined): string {
  if (asked !== undefined) return `fairway.dev/listen-port and upstream-port do not fit: the model answers on ${port}`;
  if (byNumber && portName !== undefined) return `nothing tells the model server to leave port ${port}: ${SAY_IT}`;
  const orName = ', or name the port and target it by name';
  return port < FIRST_FREE_PORT
    ? `port ${port} needs privileges to listen on: use one from ${FIRST_FREE_PORT}${orName}`
    : `nothing tells the model server to leave port ${port}: ${SAY_IT}${orName}`;
}

const SAY_IT = 'start it with --rest_api_port=PORT';
const taken = (name: string, port: number) => ({ problem: `fairway.dev/${name} ${port} is used in this pod already` });

/** The model's new port: 8501 → 18501, where people do not listen by habit. */
function spare(port: number, used: ReadonlySet<number>): number {
  const from = port + 10_000;
  return nextFree(from < FIRST_EPHEMERAL_PORT ? from : 18_501, used);
}

function nextFree(from: number, used: ReadonlySet<number>): number {
  const [low, high] = MESH_PORTS;
  let port = from;
  while (used.has(port) || (port >= low && port <= high)) port++;
  return port;
}

/** 0: none. An agent that could not listen would hold up its pod, or keep the model from its own port. */
function grpcProblem(port: number, busy: ReadonlySet<number>): { problem: string } | undefined {
  if (port === 0) return undefined;
  if (busy.has(port)) return taken('grpc-listen-port', port);
  if (port >= FIRST_FREE_PORT) return undefined;
  return { problem: `fairway.dev/grpc-listen-port ${port} must be a whole number from ${FIRST_FREE_PORT} to 65535` };
}

/** Every port that something in the pod declares, is probed on or listens on, as far as it is told. */
function usedPorts(pod: Pod, { container }: Serving, { agent }: Options): Set<number> {
  const grpcUpstream = Number(agent['GRPC_UPSTREAM']?.split(':').at(-1));
  return new Set([...toldPorts(pod), ...grpcPortsOf(container), grpcUpstream]);
}

/** TF Serving opens its gRPC port whether or not anybody says so. */
const grpcPortsOf = ({ command, args }: Container): number[] =>
  [...(command ?? []), ...(args ?? [])].some((text) => /--port=/.test(text)) ? [] : [STOCK_GRPC_PORT];

function toldPorts(pod: Pod): Set<number> {
  const ports = allContainers(pod).flatMap((container) => [
    ...portsOf(container).map(({ containerPort }) => containerPort),
    ...handlersOf(container).flatMap((handler) => [handler.httpGet?.port, handler.tcpSocket?.port]),
    ...[...(container.command ?? []), ...(container.args ?? [])].flatMap((text) =>
      [...text.matchAll(/port[= ](\d{1,5})\b/g)].map(([, port]) => Number(port)),
    ),
  ]);
  return new Set(ports.filter((port) => typeof port === 'number'));
}

function handlersOf({ startupProbe, readinessProbe, livenessProbe, lifecycle }: Container): Handler[] {
  const handlers = [startupProbe, readinessProbe, livenessProbe, lifecycle?.postStart, lifecycle?.preStop];
  return handlers.filter((handler): handler is Handler => handler !== undefined && handler !== null);
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let candidate = `fairway-${name}`;
  for (let number = 2; taken.has(candidate); number++) candidate = `fairway-${name}-${number}`;
  return candidate;
}

/** The agent is there although no status says so: the writer renders it itself. */
export function carriesAgent(pod: Pod): boolean {
  return [...initContainersOf(pod), ...pod.spec.containers].some(isAgent);
}

/** By what every agent needs and nobody else has. */
export const isAgent = ({ env }: Container): boolean => {
  const names = new Set((env ?? []).map(({ name }) => name));
  return names.has('FAIRWAY_MODEL') && names.has('SPOOL_DIR') && names.has('UPSTREAM');
};
