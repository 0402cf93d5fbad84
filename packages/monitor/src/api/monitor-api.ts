import type { Logger } from '@fairway/core';
import express, { type Express, type Router } from 'express';
import type { JudgeStore } from '../ports.ts';
import { answerProblem, notFound, requireToken } from './problems.ts';

type Needs = {
  readonly store: Pick<JudgeStore, 'verdicts'>;
  readonly dashboard: Router;
  /** What else is below `/v1`, behind the same token. */
  readonly routes: readonly Router[];
  readonly token: string;
  readonly log: Logger;
};

/** The monitor's HTTP API, with the dashboard beside it. */
export function monitorApi({ store, dashboard, routes, token, log }: Needs): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use('/v1', requireToken(token));
  app.get('/v1/windows', async (request, response) => {
    const { model, environment } = request.query;
    const filter = {
      ...(typeof model === 'string' ? { model } : {}),
      ...(typeof environment === 'string' ? { environment } : {}),
    };
    response.json({ windows: await store.verdicts(filter) });
  });
  for (const router of routes) app.use('/v1', router);
  app.use('/v1', notFound, answerProblem(log));
  app.use(dashboard);
  return app;
}
