import type { KubeObject } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';

type Page = { readonly items: readonly KubeObject[]; readonly metadata: object };

const keyOf = ({ metadata: { namespace = '', name } }: KubeObject): string => `${namespace}/${name}`;

/**
 * One page of a list (`limit`, `continue`). The pages of one list have the version of its first; what changed since is seen in
 * later pages already, and a watch from that version tells it again. Throws 410 once that version can no longer be watched from.
 */
export function page(registry: Registry, all: readonly KubeObject[], query: URLSearchParams): Page {
  const [version, after] = begun(registry, query.get('continue'));
  const from = after === undefined ? 0 : all.findIndex((object) => keyOf(object) > after);
  const rest = from < 0 ? [] : all.slice(from);
  const limit = Number(query.get('limit')) || rest.length;
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  if (items.length === rest.length || last === undefined) return { items, metadata: { resourceVersion: version } };
  const token = Buffer.from(JSON.stringify([version, keyOf(last)])).toString('base64url');
  const remaining = query.get('labelSelector') ? {} : { remainingItemCount: rest.length - items.length };
  return { items, metadata: { resourceVersion: version, continue: token, ...remaining } };
}

function begun({ store }: Registry, token: string | null): [version: string, after?: string] {
  if (!token) return [String(store.version())];
  const [version, after] = parsed(token);
  if (store.eventsSince(Number(version)) === 'gone')
    throw refusal(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
    );
  return [version, after];
}

function parsed(token: string): [version: string, after: string] {
  try {
    const [version, after] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown[];
    if (typeof version === 'string' && typeof after === 'string') return [version, after];
  } catch {
    // Told below.
  }
  throw refusal('BadRequest', 'continue key is not valid');
}
