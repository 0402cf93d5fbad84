import { FairwayError, type Logger } from '@fairway/core';
import express, { type Express, type Request, type Router } from 'express';
import { addLabels, type LabelOutcome } from '../app/labels.ts';
import type { EpochAccount, Gap, LabelStore } from '../ports.ts';
import { parseLabel } from './labels.ts';
import { bookAll, labelStream, sourceOf } from './labels-route.ts';
import { answerProblem, notFound, requireToken } from './problems.ts';

type Needs = {
  readonly store: LabelStore;
  /** What the ledger holds of one epoch of one agent. */
  readonly epoch: (agent: string, epoch: string) => Promise<object>;
  /** The ledger as an account, of each epoch that recorded something since then. */
  readonly ledger: (
    since: string | undefined,
    model: string | undefined,
  ) => Promise<{ readonly epochs: readonly EpochAccount[]; readonly gaps: readonly Gap[] }>;
  readonly token: string;
  readonly log: Logger;
  readonly onLabels: (outcome: LabelOutcome) => void;
  /** What else is below `/v1`, behind the same token. */
  readonly routes: readonly Router[];
};

/** The recorder's HTTP API: labels in, account out. */
export function recorderApi({ store, epoch, ledger, token, log, onLabels, routes }: Needs): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use('/v1', requireToken(token));
  app.post('/v1/labels', express.json({ limit: '64kb' }), async (request, response) => {
    const source = sourceOf(request);
    const batches = labelStream(request, request.query['delimiter']) ?? one(request);
    const summary = await bookAll(batches, async ({ labels, refused }) => {
      const outcome = await addLabels(store, labels, refused, source);
      onLabels(outcome);
      return outcome;
    });
    response.json(summary);
  });
  app.get('/v1/account', async (request, response) => {
    response.json(await store.account(textOf(request, 'model')));
  });
  app.get('/v1/account/epochs', async (request, response) => {
    const since = sinceOf(textOf(request, 'since'));
    const [{ epochs, gaps }, labels] = await Promise.all([ledger(since, textOf(request, 'model')), store.waiting()]);
    response.json({ since: since ?? null, epochs, gaps, labels });
  });
  app.get('/v1/epochs/:agent/:epoch', async (request, response) => {
    response.json(await epoch(request.params.agent, request.params.epoch));
  });
  for (const router of routes) app.use('/v1', router);
  app.use(notFound, answerProblem(log));
  return app;
}

async function* one(request: Request) {
  yield { labels: [parseLabel(request.body)], refused: [] };
}

function textOf(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' ? value : undefined;
}

function sinceOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (/^\d{4}-\d{2}-\d{2}T/.test(given) && !Number.isNaN(Date.parse(given))) return new Date(given).toISOString();
  throw new FairwayError('input.invalid', 'since must be an RFC 3339 time such as 2026-11-22T08:00:00Z.');
}
