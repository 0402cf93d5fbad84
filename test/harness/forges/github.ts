import { type KeyObject, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeGithub, githubPullRoutes, notFound } from './github-pulls.ts';
import { githubTalkRoutes, graphql } from './github-talk.ts';
import { type FakeRepository, newFakeRepository } from './repository.ts';
import { type FakeManners, type FakeReply, type FakeRequest, type FakeServer, listIn, startFakeServer } from './web.ts';

export const GITHUB_USERS = { 'fairway-bot': 'bot-token-of-the-tests', ann: 'ann-token-of-the-tests' } as const;

export type FakeApp = {
  readonly id: string;
  readonly installationId: string;
  readonly publicKey: KeyObject;
  /** How long its tokens last. */
  tokenMs: number;
  /** Tokens it gave out that are still good. */
  readonly tokens: Set<string>;
};

export type GithubFake = FakeServer & {
  /** Base of the API, and of GraphQL. */
  readonly api: string;
  readonly graphql: string;
  newRepository(full: string): Promise<FakeRepository>;
};

/**
 * GitHub's REST API as far as pull requests go, over bare repositories on disk. `enterprise`: below `/api/v3` of its
 * host, as a server of one's own has it. Pages hold at most `pageCap` items, so that a test need not make hundreds.
 */
export async function startGithub(
  options: { enterprise?: boolean; pageCap?: number; app?: FakeApp; now?: () => number } = {},
): Promise<GithubFake> {
  const { enterprise = false, pageCap = 20, app, now = Date.now } = options;
  const root = mkdtempSync(join(tmpdir(), 'fairway-github-'));
  const prefix = enterprise ? '/api/v3' : '';
  const github: FakeGithub = {
    api: () => `${server.url}${prefix}`,
    repositories: new Map(),
    collaborators: new Set(Object.keys(GITHUB_USERS)),
    pageCap,
  };
  const routes = [
    ...githubPullRoutes(github),
    ...githubTalkRoutes(github),
    ...(app === undefined ? [] : [tokenRoute(github, app, now)]),
    // GraphQL lies beside `/v3`, not below it.
    {
      method: 'POST',
      path: enterprise ? /^\/\/\/api\/graphql$/ : /^\/graphql$/,
      answer: (request: FakeRequest) => graphql(github, request),
    },
  ];
  const server = await startFakeServer(manners(prefix, app, now), () => routes);
  return Object.assign(server, {
    api: `${server.url}${prefix}`,
    graphql: `${server.url}${enterprise ? '/api/graphql' : '/graphql'}`,
    newRepository: async (full: string) => {
      const repository = await newFakeRepository(root, full);
      github.repositories.set(full, repository);
      return repository;
    },
    stop: withRemoval(server.stop, root),
  });
}

export const withRemoval = (stop: () => Promise<void>, root: string) => async () => {
  await stop();
  rmSync(root, { recursive: true, force: true });
};

const manners = (prefix: string, app: FakeApp | undefined, now: () => number): FakeManners => ({
  prefix,
  now,
  userOf: ({ authorization = '' }) => {
    const token = authorization.replace(/^(bearer|token) /i, '');
    if (app?.tokens.has(token)) return 'fairway[bot]';
    return Object.entries(GITHUB_USERS).find(([, known]) => known === token)?.[0];
  },
  unauthorized: { status: 401, body: { message: 'Bad credentials' } },
  unknown: notFound,
  quotaHeaders: ({ remaining, resetAt }) => ({
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(resetAt),
    'x-ratelimit-resource': 'core',
  }),
  exhausted: () => ({ status: 403, body: { message: 'API rate limit exceeded for user ID 1.' } }),
  tooManyWrites: (seconds) => ({
    status: 403,
    headers: { 'retry-after': String(seconds) },
    body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.' },
  }),
});

const LONGEST_JWT_S = 600;

/** RS256 by the App's key, issued by it, neither ended nor to last longer than GitHub allows. Times in seconds. */
function isAppJwt(jwt: string, { id, publicKey }: FakeApp, now: number): boolean {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'))) return false;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Partial<Record<string, unknown>>;
  const [iat, exp] = [Number(claims['iat']), Number(claims['exp'])];
  return claims['iss'] === id && iat <= now && exp > now && exp - now <= LONGEST_JWT_S && exp - iat <= LONGEST_JWT_S;
}

const tokenRoute = ({ repositories }: FakeGithub, app: FakeApp, now: () => number) => ({
  method: 'POST',
  path: /^\/app\/installations\/([^/]+)\/access_tokens$/,
  open: true as const,
  answer: ({ params, headers, body }: FakeRequest): FakeReply => {
    const jwt = headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (!isAppJwt(jwt, app, now() / 1_000))
      return { status: 401, body: { message: 'A JSON web token could not be decoded' } };
    if (params[0] !== app.installationId) return notFound;
    const wanted = listIn(body, 'repositories').map(String);
    const known = [...repositories.keys()].map((full) => full.split('/').at(-1));
    if (wanted.some((name) => !known.includes(name)))
      return { status: 422, body: { message: 'There is at least one repository that does not exist.' } };
    const token = `ghs_${app.tokens.size}_${wanted.join('+')}_token-of-the-tests`;
    app.tokens.add(token);
    const expires_at = new Date(now() + app.tokenMs).toISOString();
    return { status: 201, body: { token, expires_at, permissions: body['permissions'] } };
  },
});
