import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeGitlab, gitlabRequestRoutes } from './gitlab-requests.ts';
import { gitlabTalkRoutes } from './gitlab-talk.ts';
import { type FakeRepository, newFakeRepository } from './repository.ts';
import { type FakeManners, type FakeServer, startFakeServer } from './web.ts';

export const GITLAB_USERS = { 'fairway-bot': 'glpat-bot-of-the-tests', ann: 'glpat-ann-of-the-tests' } as const;

export type GitlabFake = FakeServer & { newProject(full: string): Promise<FakeRepository> };

/** GitLab's REST API as far as merge requests go, over bare repositories on disk. `isOld`: a release before 15.6. */
export async function startGitlab(
  options: { pageCap?: number; isOld?: boolean; now?: () => number } = {},
): Promise<GitlabFake> {
  const { pageCap = 20, isOld = false, now = Date.now } = options;
  const root = mkdtempSync(join(tmpdir(), 'fairway-gitlab-'));
  const gitlab: FakeGitlab = {
    api: () => `${server.url}${PREFIX}`,
    projects: new Map(),
    users: new Map(Object.keys(GITLAB_USERS).map((name, i) => [name, 100 + i])),
    pageCap,
    isOld,
  };
  const routes = [...gitlabRequestRoutes(gitlab), ...gitlabTalkRoutes(gitlab)];
  const server = await startFakeServer(manners(now), () => routes);
  const { stop } = server;
  return Object.assign(server, {
    newProject: async (full: string) => {
      const project = await newFakeRepository(root, full);
      gitlab.projects.set(full, project);
      return project;
    },
    stop: async () => {
      await stop();
      rmSync(root, { recursive: true, force: true });
    },
  });
}

const PREFIX = '/api/v4';

const manners = (now: () => number): FakeManners => ({
  prefix: PREFIX,
  now,
  userOf: (headers) => {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? headers['private-token'];
    return Object.entries(GITLAB_USERS).find(([, known]) => known === token)?.[0];
  },
  unauthorized: { status: 401, body: { message: '401 Unauthorized' } },
  unknown: { status: 404, body: { error: '404 Not Found' } },
  // Told once it is limited, not before.
  quotaHeaders: () => ({}),
  exhausted: ({ resetAt }) => ({
    status: 429,
    headers: {
      'ratelimit-limit': '2000',
      'ratelimit-remaining': '0',
      'ratelimit-reset': String(resetAt),
      'retry-after': String(Math.max(1, Math.ceil(resetAt - now() / 1_000))),
      'content-type': 'text/plain',
    },
    body: 'Retry later',
  }),
  tooManyWrites: (seconds) => ({ status: 429, headers: { 'retry-after': String(seconds) }, body: 'Retry later' }),
});
