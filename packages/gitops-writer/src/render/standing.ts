import { parse } from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import type { Door } from './serving-settings.ts';

/** How a model stands in an environment: what is not given is not known, or not there. */
export type Standing = {
  readonly replicas?: number | undefined;
  readonly autoscaling?: { readonly min: number; readonly max: number } | undefined;
  readonly door?: { readonly kind: Door['kind']; readonly host?: string | undefined } | undefined;
};

/** What the manifests of an environment's folder say; people may have broken them, so anything else counts as not known. */
export function standingIn(files: readonly RepositoryFile[]): Standing {
  const manifest = (name: string) => specIn(files.find(({ path }) => path.endsWith(`/${name}`))?.text);
  const { minReplicas: min, maxReplicas: max } = manifest('autoscaler.yaml');
  const { replicas } = manifest('deployment.yaml');
  return {
    replicas: isCount(replicas) ? replicas : undefined,
    autoscaling: isCount(min) && isCount(max) ? { min, max } : undefined,
    door: doorIn(files, manifest),
  };
}

type Spec = Readonly<Record<string, unknown>>;

const DOORS = { route: 'route.yaml', ingress: 'ingress.yaml', gateway: 'http-route.yaml' } as const;

function doorIn(files: readonly RepositoryFile[], manifest: (name: string) => Spec): Standing['door'] {
  const kinds = Object.keys(DOORS) as Array<keyof typeof DOORS>;
  const kind = kinds.find((one) => files.some(({ path }) => path.endsWith(`/${DOORS[one]}`)));
  if (kind === undefined) return undefined;
  const { host, hostnames, rules } = manifest(DOORS[kind]);
  const inRules = (Array.isArray(rules) ? (rules[0] as { host?: unknown } | null) : undefined)?.host;
  const found = [host, Array.isArray(hostnames) ? hostnames[0] : undefined, inRules].find(
    (one) => typeof one === 'string',
  );
  return { kind, host: found };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;

function specIn(text: string | undefined): Spec {
  if (text === undefined) return {};
  try {
    return (parse(text) as { spec?: Spec } | null)?.spec ?? {};
  } catch {
    return {};
  }
}
