import { SERVICE } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';

const NAME = /(?<![\w.-])([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?=[:/]|$)/g;

/**
 * There is no DNS here: names of Services in a container's environment (`<service>.<namespace>.svc`) become their cluster IPs
 * when it starts. One that does not exist stays as it is, and cannot be resolved, as in a cluster.
 */
export function withServiceAddresses(env: ReadonlyMap<string, string>, registry: Registry): Map<string, string> {
  const addressOf = (whole: string, name: string, namespace: string): string =>
    registry.get(SERVICE, namespace, name)?.spec.clusterIP ?? whole;
  return new Map([...env].map(([key, value]) => [key, value.replaceAll(NAME, addressOf)]));
}
