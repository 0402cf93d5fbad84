import type { Destination } from './types.ts';

/** `*` as any text, as the lists of AppProject and argocd-cm use it. */
export function globMatches(pattern: string, text: string): boolean {
  const source = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${source.join('.*')}$`).test(text);
}

/** A destination is allowed when one entry allows it and none beginning with `!` takes it away. */
export function permitsDestination(entries: readonly Destination[], wanted: Destination): boolean {
  const denied = entries.filter(({ namespace = '' }) => namespace.startsWith('!'));
  if (denied.some(({ namespace = '' }) => globMatches(namespace.slice(1), wanted.namespace ?? ''))) return false;
  return entries.some((allowed) => !denied.includes(allowed) && permits(allowed, wanted));
}

function permits(allowed: Destination, wanted: Destination): boolean {
  const server =
    allowed.server !== undefined && globMatches(allowed.server, wanted.server ?? 'https://kubernetes.default.svc');
  const name = allowed.name !== undefined && globMatches(allowed.name, wanted.name ?? 'in-cluster');
  return (server || name) && globMatches(allowed.namespace ?? '*', wanted.namespace ?? '');
}
