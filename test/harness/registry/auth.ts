import { randomBytes } from 'node:crypto';

/** How the registry wants to know who calls. `refresh`: a refresh token that the token endpoint takes besides the password. */
export type AuthOptions = {
  readonly kind: 'basic' | 'token';
  readonly user: string;
  readonly password: string;
  readonly refresh?: string;
  /** Seconds that tokens say they hold. */
  readonly expiresIn?: number;
};
export type Auth = {
  /** What a call misses: a header for the 401, or nothing. */
  challenge(authorization: string | undefined, needed: readonly string[]): string | undefined;
  may(authorization: string | undefined, scope: string): boolean;
  token(authorization: string | undefined, query: URLSearchParams, form: URLSearchParams): object | undefined;
  /** Ends all tokens that were given. */
  expire(): void;
  readonly given: () => number;
};

/** The token authentication of registries, by the specification of CNCF Distribution. */
export function authOf(options: AuthOptions | undefined, origin: () => string): Auth {
  const tokens = new Map<string, ReadonlySet<string>>();
  let given = 0;
  const basic = options && `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`;
  const may = (authorization: string | undefined, scope: string): boolean => {
    if (options === undefined) return true;
    if (options.kind === 'basic') return authorization === basic;
    return tokens.get((authorization ?? '').replace(/^Bearer /, ''))?.has(scope) ?? false;
  };
  return {
    may,
    challenge: (authorization, needed) => {
      if (needed.every((scope) => may(authorization, scope))) return undefined;
      if (options?.kind === 'basic') return 'Basic realm="registry, of the tests"';
      return `Bearer realm="${origin()}/token",service="registry of the tests",scope="${needed.join(' ')}"`;
    },
    token: (authorization, query, form) => {
      const isKnown = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === options?.refresh;
      if (!isKnown && authorization !== basic) return undefined;
      const asked = [...query.getAll('scope'), ...(form.get('scope') ?? '').split(' ')].filter(Boolean);
      const token = randomBytes(12).toString('hex');
      tokens.set(token, new Set(asked.flatMap(singly)));
      given += 1;
      return { [isKnown ? 'access_token' : 'token']: token, expires_in: options?.expiresIn ?? 300 };
    },
    expire: () => tokens.clear(),
    given: () => given,
  };
}

/** `repository:a:pull,push` grants both. */
function singly(scope: string): string[] {
  const [kind, name, actions = ''] = scope.split(':');
  return actions.split(',').map((action) => `${kind}:${name}:${action}`);
}
