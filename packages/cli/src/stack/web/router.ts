import type { IncomingMessage } from 'node:http';

/** An answer before it is written. `body` text is UTF-8. */
export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

/** One request as a route sees it: decoded path parameters, query, and the body on demand. */
export type Call = {
  readonly request: IncomingMessage;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  body(): Promise<Buffer>;
};

/** `path` segments are literal, `:name` (one segment) or a last `*name` (the rest, slashes included). */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  answer(call: Call): Promise<Reply> | Reply;
};

/**
 * The first route that fits, with its decoded parameters. `undefined`: no such path;
 * `'method'`: the path exists, but not for this method. HEAD is answered as GET.
 */
export function findRoute(
  routes: readonly Route[],
  method: string,
  pathname: string,
): { route: Route; params: Record<string, string> } | 'method' | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  let known = false;
  for (const route of routes) {
    const params = matchPath(route.path, pathname);
    if (!params) continue;
    if (route.method === wanted) return { route, params };
    known = true;
  }
  return known ? 'method' : undefined;
}

/** Parameters of `pathname` under `pattern`, or undefined. `%2F` inside a segment is a slash of the value, as Gitea reads it. */
export function matchPath(pattern: string, pathname: string): Record<string, string> | undefined {
  const want = pattern.split('/');
  const have = pathname.split('/').map(decode);
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const value = have[i];
    if (value === undefined) return undefined;
    if (part.startsWith('*')) {
      params[part.slice(1)] = have.slice(i).join('/');
      return params;
    }
    if (part.startsWith(':') && value !== '') params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return have.length === want.length ? params : undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
