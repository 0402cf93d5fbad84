import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '@fairway/core';
import { ENDPOINT_SLICE, kindKey, SERVICE } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import type { Service } from '../workloads.ts';
import { SERVICE_LABEL } from './endpoints.ts';
import type { EventRecorder } from './events.ts';
import { type Controller, keyOf, splitKey } from './loop.ts';

type Backend = { readonly host: string; readonly port: number };
type Door = { readonly server: Server; backends: readonly Backend[]; turn: number };

/**
 * What kube-proxy does: TCP on a Service's cluster IP goes to its ready endpoints in turn. A port is open only while
 * somebody is ready behind it; connections that are open stay with their pod until one side closes.
 */
export function serviceProxy(registry: Registry, record: EventRecorder, log: Logger): Controller & { close(): void } {
  const doors = new Map<string, Door>();
  const sockets = new Set<Socket>();
  const shut = (address: string) => {
    doors.get(address)?.server.close();
    doors.delete(address);
  };
  return {
    name: 'proxy',
    keys: ({ kind, object }) => {
      if (kind === kindKey(SERVICE)) return [keyOf(object)];
      const service = kind === kindKey(ENDPOINT_SLICE) ? object.metadata.labels?.[SERVICE_LABEL] : undefined;
      return service === undefined ? [] : [`${object.metadata.namespace}/${service}`];
    },
    async reconcile(key) {
      const service = registry.get(SERVICE, ...splitKey(key));
      const wanted = service ? doorsOf(registry, service) : new Map<string, Backend[]>();
      for (const name of doors.keys()) {
        if (name.startsWith(`${key} `) && !wanted.get(name)?.length) shut(name);
      }
      for (const [name, backends] of wanted) {
        const door = doors.get(name);
        if (door) door.backends = backends;
        else if (backends.length > 0 && service) doors.set(name, await open(name, backends, sockets, service, record));
      }
      log.debug({ service: key, ports: wanted.size }, 'service routed');
      return undefined;
    },
    close() {
      for (const name of doors.keys()) shut(name);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** `<namespace>/<name> <ip>:<port>` of each port of a Service with the ready backends behind it. */
function doorsOf(registry: Registry, service: Service): Map<string, Backend[]> {
  const { name, namespace = '' } = service.metadata;
  const slices = registry
    .list(ENDPOINT_SLICE, namespace)
    .filter((slice) => slice.metadata.labels?.[SERVICE_LABEL] === name);
  return new Map(
    (service.spec.ports ?? []).map((port) => {
      const backends = slices.flatMap((slice) => {
        const target = slice.ports.find((known) => known.name === (port.name ?? ''))?.port;
        const ready = slice.endpoints
          .filter(({ conditions }) => conditions.ready)
          .flatMap(({ addresses }) => addresses);
        return target === undefined ? [] : ready.map((host) => ({ host, port: target }));
      });
      return [`${namespace}/${name} ${service.spec.clusterIP}:${port.port}`, backends];
    }),
  );
}

async function open(
  name: string,
  backends: readonly Backend[],
  sockets: Set<Socket>,
  service: Service,
  record: EventRecorder,
): Promise<Door> {
  const [host = '', port = ''] = name.slice(name.indexOf(' ') + 1).split(':');
  const server = createServer({ allowHalfOpen: true }, (client) => forward(client, next(door), sockets));
  const door: Door = { server, backends, turn: 0 };
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(Number(port), host, resolve)).catch(
    (error: Error) => {
      record(service, 'Warning', 'FailedToListen', `Cannot listen on ${host}:${port}: ${error.message}`);
      throw error;
    },
  );
  return door;
}

function next(door: Door): Backend | undefined {
  door.turn += 1;
  return door.backends[door.turn % door.backends.length];
}

function forward(client: Socket, backend: Backend | undefined, sockets: Set<Socket>): void {
  if (!backend) {
    client.resetAndDestroy();
    return;
  }
  const upstream = connect({ ...backend, allowHalfOpen: true, noDelay: true });
  client.setNoDelay(true).pipe(upstream).pipe(client);
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket);
    socket.on('error', () => other.resetAndDestroy());
    socket.once('close', () => {
      sockets.delete(socket);
      other.destroySoon();
    });
  }
}
