import type { Kind } from '../kinds.ts';
import { refusal } from '../refusal.ts';

/** What a resource path names. */
export type Target = {
  readonly kind: Kind;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: 'status' | 'log' | 'finalize' | 'token';
};

/** `/api/v1/…` and `/apis/<group>/<version>/…`; undefined for paths that are no resource path. Unknown resources are 404. */
export function parseTarget(kinds: readonly Kind[], path: string): Target | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const core = parts[0] === 'api' && parts.length > 2;
  if (!core && !(parts[0] === 'apis' && parts.length > 3)) return undefined;
  const [group, version] = core ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(core ? 2 : 3);
  const scoped =
    rest[0] === 'namespaces' && rest.length > 2 && !(core && ['status', 'finalize'].includes(rest[2] ?? ''));
  const [plural, name, subresource, ...more] = scoped ? rest.slice(2) : rest;
  const kind = kinds.find((known) => known.group === group && known.version === version && known.plural === plural);
  if (!kind || more.length > 0 || (scoped && !kind.namespaced)) throw unknownResource();
  return {
    kind,
    ...(scoped ? { namespace: rest[1] ?? '' } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource: checkSubresource(kind, subresource) }),
  };
}

function checkSubresource(kind: Kind, subresource: string): NonNullable<Target['subresource']> {
  if (subresource === 'status' && kind.status) return 'status';
  if (subresource === 'log' && kind.kind === 'Pod') return 'log';
  if (subresource === 'token' && kind.kind === 'ServiceAccount') return 'token';
  if (subresource === 'finalize' && kind.kind === 'Namespace') return 'finalize';
  throw unknownResource();
}

const unknownResource = () => refusal('NotFound', 'the server could not find the requested resource');
