import type { Logger } from '@fairway/core';
import express, { type Express } from 'express';
import { addLabels, type LabelOutcome } from '../app/labels.ts';
import type { LabelStore } from '../ports.ts';
import { parseLabel, parseLabels } from './labels.ts';
import { answerProblem, notFound, requireToken } from './problems.ts';

type Needs = {
  readonly store: LabelStore;
  /** What the ledger holds of one epoch of one agent. */
  readonly epoch: (agent: string, epoch: string) => Promise<object>;
  readonly token: string;
  readonly log: Logger;
  readonly onLabels: (outcome: LabelOutcome) => void;
};

/** The recorder's HTTP API: labels in, account out. */
export function recorderApi({ store, epoch, token, log, onLabels }: Needs): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use('/v1', requireToken(token));
  app.post(
    '/v1/labels',
    express.text({ type: 'application/x-ndjson', limit: '8mb' }),
    express.json({ limit: '64kb' }),
    async (request, response) => {
      const body: unknown = request.body;
      const { labels, refused } =
        typeof body === 'string' ? parseLabels(body) : { labels: [parseLabel(body)], refused: [] };
      const outcome = await addLabels(store, labels, refused);
      onLabels(outcome);
      response.json(outcome);
    },
  );
  app.get('/v1/account', async (request, response) => {
    const { model } = request.query;
    response.json(await store.account(typeof model === 'string' ? model : undefined));
  });
  app.get('/v1/epochs/:agent/:epoch', async (request, response) => {
    response.json(await epoch(request.params.agent, request.params.epoch));
  });
  app.use(notFound, answerProblem(log));
  return app;
}
