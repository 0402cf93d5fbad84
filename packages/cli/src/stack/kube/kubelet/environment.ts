import { CONFIG_MAP, SECRET } from '../kinds.ts';
import { type Dict, isRecord, type KubeObject } from '../objects.ts';
import type { Registry } from '../store/registry.ts';
import type { Container, EnvSource, Pod } from '../workloads.ts';
import { type Attempt, problem } from './problem.ts';

/** The values of a Secret or ConfigMap by key; undefined when it is not there. */
export type Lookup = (kind: 'Secret' | 'ConfigMap', name: string) => ReadonlyMap<string, Buffer> | undefined;

export function lookupIn(registry: Registry, namespace: string): Lookup {
  return (kind, name) => {
    const object = registry.get(kind === 'Secret' ? SECRET : CONFIG_MAP, namespace, name);
    return object && new Map([...values(object, 'data', kind === 'Secret'), ...values(object, 'binaryData', true)]);
  };
}

function values(object: KubeObject, field: string, base64: boolean): [string, Buffer][] {
  const data = isRecord(object[field]) ? object[field] : {};
  return Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), base64 ? 'base64' : 'utf8')]);
}

/** `$(NAME)` of known names is replaced, `$$(NAME)` is the text `$(NAME)`, unknown names stay as they are. */
export function expand(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(\$|\(([A-Za-z_][\w.-]*)\))/g, (whole, inner: string, name?: string) => {
    if (inner === '$') return '$';
    return known.get(name ?? '') ?? whole;
  });
}

/** The environment that a container's manifest asks for, in its order, `envFrom` first. `podIP` is not in the pod's status yet. */
export function containerEnv(
  container: Container,
  pod: Pod,
  podIP: string,
  lookup: Lookup,
): Attempt<Map<string, string>> {
  const env = new Map<string, string>();
  for (const { prefix = '', secretRef, configMapRef } of container.envFrom ?? []) {
    const reference = secretRef ?? configMapRef;
    const kind = secretRef ? 'Secret' : 'ConfigMap';
    const found = reference && lookup(kind, reference.name);
    if (reference && !found && reference.optional !== true) return missing(kind, reference.name);
    for (const [key, value] of found ?? []) env.set(prefix + key, value.toString('utf8'));
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (!valueFrom) {
      env.set(name, expand(value ?? '', env));
      continue;
    }
    const read = readSource(valueFrom, pod, podIP, lookup);
    if ('problem' in read) return read;
    if (read.ok !== undefined) env.set(name, read.ok);
  }
  return { ok: env };
}

function readSource(
  { secretKeyRef, configMapKeyRef, fieldRef }: EnvSource,
  pod: Pod,
  podIP: string,
  lookup: Lookup,
): Attempt<string | undefined> {
  const keyRef = secretKeyRef ?? configMapKeyRef;
  if (keyRef) {
    const kind = secretKeyRef ? 'Secret' : 'ConfigMap';
    const found = lookup(kind, keyRef.name);
    const value = found?.get(keyRef.key);
    if (value !== undefined || keyRef.optional === true) return { ok: value?.toString('utf8') };
    return found
      ? problem(
          'CreateContainerConfigError',
          `couldn't find key ${keyRef.key} in ${kind} ${pod.metadata.namespace}/${keyRef.name}`,
        )
      : missing(kind, keyRef.name);
  }
  const value = fieldRef && readField(fieldRef.fieldPath, pod, podIP);
  return value === undefined
    ? problem('CreateContainerConfigError', `field ${fieldRef?.fieldPath ?? 'of an unknown source'} cannot be read`)
    : { ok: value };
}

const missing = (kind: string, name: string) =>
  problem('CreateContainerConfigError', `${kind.toLowerCase()} "${name}" not found`);

function readField(path: string, { metadata, spec }: Pod, podIP: string): string | undefined {
  const fields: Dict = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace ?? '',
    'metadata.uid': metadata.uid,
    'status.podIP': podIP,
    'status.hostIP': '127.0.0.1',
    'spec.nodeName': spec.nodeName ?? '',
  };
  const item = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (item) return (item[1] === 'labels' ? metadata.labels : metadata.annotations)?.[item[2] ?? ''] ?? '';
  return fields[path];
}
