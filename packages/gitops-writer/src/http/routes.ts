import { FairwayError, type Logger } from '@fairway/core';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { acceptApproval, acceptRequest, type IntakeContext } from '../app/intake.ts';
import { listModels, readDeployedVersion, readPolicy, type QueryContext } from '../app/queries.ts';
import type { Accepted, ChangeQueue, Outbox, WebhookReader } from '../ports.ts';
import { bearer } from './auth.ts';
import { sendError } from './problem.ts';
import { parseApproval, parseFilter, parseRetrainRequest } from './schemas.ts';

export type ApiContext = IntakeContext &
  QueryContext & {
    readonly queue: ChangeQueue;
    readonly outbox: Outbox;
    readonly token: string;
    readonly webhookSecret: string;
    /** Name in the path of the webhook, and how it is read. */
    readonly forge: { readonly name: string; readonly webhook: WebhookReader };
    /** Called when there is something to do at once. */
    readonly wake: () => void;
  };

const MIB = 2 ** 20;

/** The writer's HTTP API (docs/contracts.md). Bodies are parsed at this door and trusted behind it. */
export function routes(context: ApiContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  webhookRoute(app, context);
  app.use('/v1', bearer(context.token));
  intakeRoutes(app, context);
  readingRoutes(app, context);
  app.use((request) => {
    throw new FairwayError(
      'change.unknown',
      `There is nothing at ${request.method} ${request.path}; see docs/contracts.md for the API.`,
    );
  });
  app.use(onError(context.log));
  return app;
}

function webhookRoute(app: Express, { forge, webhookSecret, queue, wake, log }: ApiContext): void {
  const raw = express.raw({ type: () => true, limit: MIB });
  app.post(`/v1/webhooks/${forge.name}`, raw, async (request: Request, response: Response) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const signature = request.header(forge.webhook.signatureHeader);
    if (!forge.webhook.isSigned(body, signature, webhookSecret)) {
      throw new FairwayError(
        'auth.refused',
        'The signature of the webhook is wrong; give the forge the WEBHOOK_SECRET of the writer.',
      );
    }
    const branches = forge.webhook.branchesOf(body);
    log.debug({ branches }, 'webhook');
    await queue.hint(branches);
    wake();
    response.status(204).end();
  });
}

function intakeRoutes(app: Express, context: ApiContext): void {
  const accept = (response: Response, { created, change }: Accepted) => {
    context.wake();
    response.status(created ? 202 : 200).json({ change });
  };
  app.post('/v1/approvals', express.json({ limit: MIB }), async (request: Request, response: Response) => {
    accept(response, await acceptApproval(parseApproval(request.body), context));
  });
  app.post('/v1/changes', express.json({ limit: 5 * MIB }), async (request: Request, response: Response) => {
    accept(response, await acceptRequest(parseRetrainRequest(request.body), context));
  });
}

function readingRoutes(app: Express, context: ApiContext): void {
  app.get('/v1/changes', async (request, response) => {
    response.json({ changes: await context.changes.list(parseFilter(request.query)) });
  });
  app.get('/v1/changes/:id', async ({ params: { id } }, response) => {
    const change = await context.changes.find(id);
    if (change === undefined) throw new FairwayError('change.unknown', `There is no change ${JSON.stringify(id)}.`);
    response.json({ change });
  });
  app.get('/v1/models', async (_request, response) => {
    response.json({ models: await listModels(context) });
  });
  app.get('/v1/models/:model/policy', async ({ params: { model } }, response) => {
    response.json(await readPolicy(model, context));
  });
  app.get('/v1/models/:model/versions/:version', async ({ params: { model, version } }, response) => {
    response.json(await readDeployedVersion(model, version, context));
  });
  app.get('/v1/notifications', async (_request, response) => {
    response.json({ notifications: await context.outbox.list() });
  });
}

const onError =
  (log: Logger): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    const status = sendError(response, error);
    const fields = { method: request.method, path: request.path, status, reason: (error as Error).message };
    if (status === 500) log.error(fields, 'request failed');
    else log.info(fields, 'request refused');
  };
