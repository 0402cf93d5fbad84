import { sha256 } from '@fairway/core';
import { ENDPOINT_SLICE, kindKey, POD, SERVICE } from '../kinds.ts';
import { controlledBy } from '../objects.ts';
import type { Registry } from '../store/registry.ts';
import { selects } from '../store/selectors.ts';
import {
  type Endpoint,
  type EndpointSlice,
  isPodFinished,
  isPodReady,
  type Pod,
  portOwners,
  resolvePort,
  type Service,
} from '../workloads.ts';
import { type Controller, keyOf, splitKey } from './loop.ts';

export const SERVICE_LABEL = 'kubernetes.io/service-name';

/** Publishes, per Service, which pods answer for it and on which ports (EndpointSlices). */
export function endpointController(registry: Registry): Controller {
  return {
    name: 'endpoints',
    keys: ({ kind, object, previous }) => {
      if (kind === kindKey(SERVICE)) return [keyOf(object)];
      if (kind !== kindKey(POD)) return [];
      return registry
        .list(SERVICE, object.metadata.namespace)
        .filter(({ spec }) => [object, previous].some((pod) => pod && chosen(spec, pod as Pod)))
        .map(keyOf);
    },
    reconcile(key) {
      const [namespace, name] = splitKey(key);
      const service = registry.get(SERVICE, namespace, name);
      if (!service || service.metadata.deletionTimestamp !== undefined || !service.spec.selector) return undefined;
      const pods = registry
        .list(POD, namespace)
        .filter((pod) => chosen(service.spec, pod) && pod.status?.podIP !== undefined && !isPodFinished(pod));
      publish(registry, service, slicesOf(service, pods));
      return undefined;
    },
  };
}

const chosen = ({ selector }: Service['spec'], pod: Pod): boolean =>
  selector !== undefined && Object.keys(selector).length > 0 && selects({ matchLabels: selector }, pod.metadata.labels);

type Ports = EndpointSlice['ports'];

/** Pods grouped by the port numbers that the Service's (named) target ports mean for them. */
function slicesOf(service: Service, pods: readonly Pod[]): { ports: Ports; endpoints: Endpoint[] }[] {
  const slices = new Map<string, { ports: Ports; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const ports = (service.spec.ports ?? []).flatMap(({ name = '', port, targetPort, protocol = 'TCP' }) => {
      const number = resolvePort(targetPort ?? port, portOwners(pod.spec));
      return number === undefined ? [] : [{ name, port: number, protocol }];
    });
    const slice = slices.get(JSON.stringify(ports)) ?? { ports, endpoints: [] };
    slices.set(JSON.stringify(ports), { ports, endpoints: [...slice.endpoints, endpointOf(pod)] });
  }
  return [...slices.values()];
}

function endpointOf(pod: Pod): Endpoint {
  const { name, namespace = '', uid, deletionTimestamp } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: serving && !terminating, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function publish(
  registry: Registry,
  service: Service,
  slices: readonly { ports: Ports; endpoints: Endpoint[] }[],
): void {
  const { name, namespace = '' } = service.metadata;
  const wanted = new Map(slices.map((slice) => [`${name}-${sha256(JSON.stringify(slice.ports)).slice(0, 5)}`, slice]));
  for (const slice of registry.list(ENDPOINT_SLICE, namespace)) {
    if (slice.metadata.labels?.[SERVICE_LABEL] !== name) continue;
    const next = wanted.get(slice.metadata.name);
    wanted.delete(slice.metadata.name);
    if (next) registry.update(ENDPOINT_SLICE, { ...slice, ...next });
    else registry.remove(ENDPOINT_SLICE, namespace, slice.metadata.name);
  }
  for (const [sliceName, slice] of wanted) {
    registry.create(ENDPOINT_SLICE, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: sliceName,
        namespace,
        labels: {
          ...service.metadata.labels,
          [SERVICE_LABEL]: name,
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [controlledBy(service)],
      },
      addressType: 'IPv4',
      ...slice,
    });
  }
}
