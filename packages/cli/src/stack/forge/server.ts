import { answerAdmin, type Clock, type Logger, type Part } from '@fairway/core';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { counters } from '../web/counters.ts';
import { close, httpServer, json, listen, readBody, refuse, statusOf, writeReply } from '../web/http.ts';
import { findRoute, type Reply, type Route } from '../web/router.ts';
import { hookRoutes } from './api/hooks.ts';
import { BODY_LIMIT } from './api/input.ts';
import { issueRoutes } from './api/issues.ts';
import { pullRoutes } from './api/pulls.ts';
import { repositoryRoutes } from './api/repositories.ts';
import { signedBy } from './api/signed.ts';
import { statusRoutes } from './api/statuses.ts';
import { rememberingCompare } from './compare.ts';
import type { Forge } from './forge.ts';
import { gitEnvironment, gitIn, requireGit } from './git.ts';
import { recover } from './merge.ts';
import { failedPage, pageRoutes } from './pages/routes.ts';
import { gitCall, type SmartHttp, smartHttp } from './smart-http.ts';
import { openStore } from './store.ts';
import type { Users } from './users.ts';
import { webhooks } from './webhooks.ts';

export type ForgeOptions = {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly users: Users;
  /** Public base for links; the listening address when undefined. */
  readonly url: string | undefined;
  /** `PATH` on which git is found. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
};

export type ForgeServer = Part & { readonly url: string; readonly port: number };

/** The embedded forge: Gitea's REST subset, smart HTTP, webhooks and pages over one data folder. */
export function forgeServer(options: ForgeOptions): ForgeServer {
  let running: { server: Server; forge: Forge; git: SmartHttp; port: number } | undefined;
  const need = () => running ?? refuse(503, 'The forge is not running.');
  return {
    name: 'forge',
    start: async () => {
      running = await start(options);
    },
    stop: async () => {
      if (!running) return;
      running.forge.hooks.stop();
      await close(running.server, 3_000);
      running.git.stop();
      running = undefined;
    },
    get url() {
      return need().forge.url;
    },
    get port() {
      return need().port;
    },
  };
}

async function start(options: ForgeOptions) {
  const { dataDir, log, clock, users } = options;
  await mkdir(dataDir, { recursive: true });
  const environment = gitEnvironment(options.path, dataDir);
  await requireGit(environment);
  const store = await openStore(join(dataDir, 'repositories'));
  const count = counters();
  const hooks = webhooks(log, count);
  const compare = rememberingCompare();
  // Links need the port, which is known once we listen; until all is ready every request is told so.
  let handle: Handler = () => refuse(503, 'The forge is starting.');
  const server = httpServer((request, response) => handle(request, response), failedWith(log));
  const port = await listen(server, options.host, options.port);
  const gitAt = (dir: string) => gitIn(dir, environment);
  const git: Forge['git'] = (repository) => gitAt(store.directory(repository));
  const url = (options.url ?? `http://${options.host === '0.0.0.0' ? '127.0.0.1' : options.host}:${port}`).replace(
    /\/+$/,
    '',
  );
  const forge: Forge = { store, users, hooks, compare, clock, log, url, git, gitAt };
  for (const repository of store.all()) await recover(forge, repository);
  const backend = smartHttp(forge, environment);
  handle = handler(forge, backend, count);
  log.info({ port, url, repositories: store.all().length }, 'forge listening');
  return { server, forge, git: backend, port };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function handler(forge: Forge, backend: SmartHttp, count: ReturnType<typeof counters>): Handler {
  const signed = signedBy(forge);
  const api = [
    ...repositoryRoutes(forge, signed),
    ...issueRoutes(forge, signed),
    ...statusRoutes(forge, signed),
    ...hookRoutes(forge, signed),
    ...pullRoutes(forge, signed),
  ];
  const pages = pageRoutes(forge);
  const admin = {
    ready: () => undefined,
    metrics: () => Promise.resolve(count.expose({ forge_repositories: forge.store.all().length })),
  };
  return async (request, response) => {
    if (answerAdmin(admin, request, response)) return;
    const url = new URL(request.url ?? '/', 'http://forge');
    const kind = url.pathname.startsWith('/api/v1/') ? 'api' : 'page';
    const git = kind === 'page' ? gitCall(forge, url) : undefined;
    response.once('close', () =>
      count.add('forge_requests_total', { kind: git ? 'git' : kind, status: response.statusCode }),
    );
    const user = forge.users.authenticate(request.headers.authorization);
    if (user === 'wrong' || (git?.service === 'git-receive-pack' && user === 'anonymous')) {
      if (!git) return writeReply(response, apiError(401, 'invalid username, password or token'));
      return writeReply(response, {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="Gitea"' },
        body: 'Unauthorized\n',
      });
    }
    if (git) return backend.answer(git, request, response, user);
    const path = kind === 'api' ? url.pathname.slice('/api/v1'.length) : url.pathname;
    writeReply(response, await route(kind === 'api' ? api : pages, request, url, path));
  };
}

async function route(routes: readonly Route[], request: IncomingMessage, url: URL, path: string): Promise<Reply> {
  const found = findRoute(routes, request.method ?? 'GET', path);
  if (found === undefined) refuse(404, "The target couldn't be found.");
  if (found === 'method') return refuse(405, 'This method is not served here.');
  const body = () => readBody(request, BODY_LIMIT);
  return found.route.answer({ request, params: found.params, query: url.searchParams, body });
}

const apiError = (status: number, message: string): Reply => json(status, { message, url: '/api/swagger' });

/** What a failed request is told: our refusals with their status, anything else as 500 and in the log; people get a page. */
const failedWith =
  (log: Logger) =>
  (error: unknown, request: IncomingMessage): Reply => {
    const status = statusOf(error) ?? 500;
    const { message } = error as Error;
    const path = request.url?.split('?')[0] ?? '';
    if (status >= 500) log.error({ method: request.method, path, reason: message }, 'request failed');
    const forPeople = !path.startsWith('/api/') && request.headers.accept?.includes('text/html') === true;
    return forPeople ? failedPage(status, message) : apiError(status, message);
  };
