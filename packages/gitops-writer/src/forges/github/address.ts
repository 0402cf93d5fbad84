import { GITHUB_LIMITS, type HostLimits } from '../http/budget.ts';

/** Where a GitHub takes calls, and how many of them as far as that is published. */
export type GithubAddress = { readonly api: string; readonly graphql: string; readonly limits: HostLimits };

/** Limits of an Enterprise Server are off unless its operator sets them; then its headers tell. */
const SERVER_LIMITS: HostLimits = { concurrent: GITHUB_LIMITS.concurrent, windows: [] };

/** `url` is the forge's address as people know it, or that of its API. */
export function addressOf(url: string): GithubAddress {
  const { protocol, host, pathname } = new URL(url);
  const cloud = cloudHost(host);
  if (cloud !== undefined) {
    const api = `${protocol}//${cloud}`;
    return { api, graphql: `${api}/graphql`, limits: GITHUB_LIMITS };
  }
  const base = `${protocol}//${host}${pathname.replace(/\/+$/, '').replace(/\/api\/v3$/, '')}`;
  return { api: `${base}/api/v3`, graphql: `${base}/api/graphql`, limits: SERVER_LIMITS };
}

/** API host of github.com and of its customers with data residency (`<name>.ghe.com`). */
function cloudHost(host: string): string | undefined {
  if (/^(www\.|api\.)?github\.com$/i.test(host)) return 'api.github.com';
  return /\.ghe\.com$/i.test(host) ? `api.${host.replace(/^api\./i, '')}` : undefined;
}
