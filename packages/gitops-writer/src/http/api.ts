import { FairwayError, type Logger, redact } from '@fairway/core';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { checkRole } from './auth/authenticate.ts';
import type { ApiContext } from './context.ts';
import { parseJson } from './input.ts';
import { sendError, sendProblem } from './problem.ts';
import type { Body, Route } from './route.ts';
import { ROUTES } from './routes/index.ts';

/** The writer's HTTP API (docs/contracts.md), made from the table of routes. Bodies are parsed at this door and trusted behind it. */
export function api(context: ApiContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  for (const path of new Set(ROUTES.map((route) => route.path))) {
    const here = ROUTES.filter((route) => route.path === path);
    const served = app.route(expressPath(path));
    for (const route of here) served[route.method](serve(route, context));
    served.all(otherMethod(path, here));
  }
  app.use((request: Request, response: Response) => {
    const detail = `There is nothing at ${request.path}; GET /v1/openapi.json lists what there is.`;
    sendProblem(response, { status: 404, code: 'input.invalid', detail });
  });
  app.use(onError(context.log));
  return app;
}

/** `/v1/changes/{id}` in Express's words. */
export const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

function serve(route: Route, context: ApiContext): RequestHandler {
  const take = route.body === undefined ? undefined : bodyReader(route.body);
  const { role } = route;
  return async (request, response) => {
    const { method, originalUrl: target, params, query } = request;
    const headers = request.headers as Record<string, string | undefined>;
    const claim = role === 'public' ? undefined : context.authenticate({ method, target, headers });
    const bytes = (await take?.(request, response)) ?? Buffer.alloc(0);
    const caller = await claim?.(bytes);
    response.locals['credential'] = caller?.name;
    if (role !== 'public' && caller !== undefined) checkRole(caller, role, `${method} ${route.path}`);
    const body = route.body === undefined ? undefined : readAs(route.body, bytes, request);
    const reply = await route.run({ params, query, body, headers, caller }, context);
    response.status(reply.status);
    if (reply.body === undefined) response.end();
    else response.json(reply.body);
  };
}

/** The bytes of a body, counted before they are looked at. */
function bodyReader({ limit }: Body): (request: Request, response: Response) => Promise<Buffer> {
  const raw = express.raw({ type: () => true, limit, inflate: false });
  return (request, response) =>
    new Promise((resolve, reject) => {
      raw(request, response, (error: unknown) => {
        if (error === undefined) resolve(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
        else reject(error);
      });
    });
}

function readAs({ schema, what }: Body, bytes: Buffer, request: Request): unknown {
  if (schema === 'raw') return bytes;
  const type = request.headers['content-type'];
  const isJson = /^application\/([\w.-]+\+)?json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type ?? '');
  if (isJson) return parseJson(bytes, what);
  throw new FairwayError(
    'input.invalid',
    `${what} must be JSON in UTF-8: send content-type application/json${type === undefined ? '' : ` instead of ${JSON.stringify(type.slice(0, 100))}`}.`,
    { detail: { status: 415 } },
  );
}

function otherMethod(path: string, routes: readonly Route[]): RequestHandler {
  // Express answers HEAD wherever it answers GET.
  const allow = routes.map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase())).join(', ');
  return ({ method }, response) => {
    response.setHeader('allow', allow);
    const detail = `${path} does not take ${method}; it takes ${allow}.`;
    sendProblem(response, { status: 405, code: 'input.invalid', detail });
  };
}

const onError =
  (log: Logger): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    const status = sendError(response, error);
    const { method, path } = request;
    const credential = response.locals['credential'] as string | undefined;
    const fields = {
      method,
      path,
      status,
      reason: redact((error as Error).message),
      ...(credential && { credential }),
    };
    if (status === 500) log.error(fields, 'request failed');
    else log.info(fields, 'request refused');
  };
