import { SERVICE_LABEL } from '../controllers/endpoints.ts';
import { ENDPOINT_SLICE, SERVICE } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';

export type ServiceReport = {
  readonly namespace: string;
  readonly service: string;
  readonly url: string | null;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  /** How many pods answer. */
  readonly ready: number;
};

/** Every Service with the URL of its first port. */
export function serviceReport(registry: Registry): ServiceReport[] {
  return registry.list(SERVICE).map(({ metadata: { name, namespace = '' }, spec }) => {
    const slices = registry
      .list(ENDPOINT_SLICE, namespace)
      .filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] === name);
    const ports = (spec.ports ?? []).map((port) => ({ name: port.name ?? '', port: port.port }));
    const [first] = ports;
    return {
      namespace,
      service: name,
      url: first && spec.clusterIP ? `http://${spec.clusterIP}:${first.port}` : null,
      ports,
      ready: slices.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions.ready).length,
    };
  });
}
