import type { Options } from './options.ts';
import { shown } from './names.ts';
import { type Container, type ContainerPort, isTcp, type Pod, portsOf } from './pod.ts';

/** Where the number of the REST port stands; `append`: the image's own, which an argument at the end overrides. */
export type ArgumentPlace = { readonly list: 'command' | 'args'; readonly index: number } | 'append';

/** The container that serves the model, as it was before the agent came. */
export type Serving = {
  readonly container: Container;
  /** The port of its REST API, which callers reach. */
  readonly port: number;
  /** Name under which that port is declared. */
  readonly portName?: string;
  /** How the model server can be told to listen elsewhere. */
  readonly argument?: ArgumentPlace;
};

type Found<T> = { readonly found: T } | { readonly problem: string };

const STOCK_REST_PORT = 8501;
/** TF Serving's gRPC port, unless it is told another by `--port`. */
export const STOCK_GRPC_PORT = 8500;

export function findServing(pod: Pod, options: Options): Found<Serving> {
  const model = findContainer(pod, options.container);
  if ('problem' in model) return model;
  const container = model.found;
  const argument = findArgument(container);
  const port = findPort(container, argument, options.port);
  if ('problem' in port) return port;
  const declared = portsOf(container).find((entry) => isTcp(entry) && entry.containerPort === port.found && entry.name);
  const movable = argument !== 'unclear' && argument !== 'none' && argument.port === port.found;
  return {
    found: {
      container,
      port: port.found,
      ...(declared?.name ? { portName: declared.name } : {}),
      ...(movable ? { argument: argument.place } : {}),
    },
  };
}

function findContainer({ spec: { containers } }: Pod, name: string | undefined): Found<Container> {
  if (name !== undefined) {
    const named = containers.find((container) => container.name === name);
    return named === undefined
      ? { problem: `fairway.dev/container ${shown(name)} is no container of this pod` }
      : { found: named };
  }
  const [only, second] = containers.length === 1 ? containers : containers.filter(looksLikeServing);
  return only === undefined || second !== undefined
    ? { problem: 'it is not clear which container serves the model: name it by fairway.dev/container' }
    : { found: only };
}

function looksLikeServing(container: Container): boolean {
  const started = [...(container.command ?? []), ...(container.args ?? [])].join(' ');
  return (
    isStock(container) ||
    /tensorflow_model_server|--rest_api_port/.test(started) ||
    portsOf(container).some(({ containerPort }) => containerPort === STOCK_REST_PORT)
  );
}

/** The published image, from wherever it was mirrored; its entry point hands arguments on to the server. */
const isStock = ({ image, command }: Container): boolean =>
  /(^|\/)tensorflow\/serving(:[^/@]+)?(@[^/]+)?$/.test(image ?? '') && (command ?? []).length === 0;

type Argument = { readonly port: number; readonly place: ArgumentPlace } | 'none' | 'unclear';

/** `--rest_api_port=N` in command or args, also inside a shell's text; TF Serving knows the form with `=` only. */
function findArgument(container: Container): Argument {
  const places = (['command', 'args'] as const).flatMap((list) =>
    (container[list] ?? []).flatMap((text, index) =>
      [...text.matchAll(/--rest_api_port(?![\w-])(?:=(\d+)(?![\w$.]))?/g)].map(([, port]) => ({
        port: Number(port),
        place: { list, index },
      })),
    ),
  );
  const [only] = places;
  // After it TF Serving reads nothing; whether one before it counts is more than we want to know.
  const ended = [...(container.command ?? []), ...(container.args ?? [])].includes('--');
  if (only !== undefined) return places.length === 1 && Number.isInteger(only.port) && !ended ? only : 'unclear';
  // TF Serving takes the last of several, so one at the end wins over the entry point's.
  return isStock(container) && !ended ? { port: STOCK_REST_PORT, place: 'append' } : 'none';
}

function findPort(container: Container, argument: Argument, wanted: Options['port']): Found<number> {
  const tcp = portsOf(container).filter(isTcp);
  if (wanted !== undefined) return wantedPort(tcp, argument, wanted);
  if (argument === 'unclear') return { problem: `it is not clear on which port ${WHERE}: ${NAME_THE_PORT}` };
  if (argument !== 'none') return openPort(argument.port);
  const [only, second] =
    tcp.filter(({ containerPort }) => containerPort === STOCK_REST_PORT).length === 1
      ? tcp.filter(({ containerPort }) => containerPort === STOCK_REST_PORT)
      : tcp.filter(({ containerPort }) => containerPort !== STOCK_GRPC_PORT);
  return only === undefined || second !== undefined
    ? { problem: `it is not clear on which port ${WHERE}: ${NAME_THE_PORT}` }
    : { found: only.containerPort };
}

const WHERE = 'the model answers';
const NAME_THE_PORT = "give the Service's targetPort as fairway.dev/port";

function wantedPort(tcp: readonly ContainerPort[], argument: Argument, wanted: string | number): Found<number> {
  const port = typeof wanted === 'number' ? wanted : tcp.find(({ name }) => name === wanted)?.containerPort;
  if (port === undefined)
    return { problem: `fairway.dev/port ${shown(String(wanted))} is no port of the model's container` };
  if (typeof argument === 'string' || argument.port === port) return { found: port };
  return { problem: `fairway.dev/port is ${port}, but --rest_api_port says ${argument.port}` };
}

function openPort(port: number): Found<number> {
  return port > 0 && port < 65_536
    ? { found: port }
    : { problem: `--rest_api_port=${port} opens no REST API: give it a port` };
}
